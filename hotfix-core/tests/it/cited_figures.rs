//! Figures that pages take from the README's table and from the pages of `make validity`: each
//! statement is compared with the tables. `HOTFIX_BLESS=1` writes the figures into the statements;
//! read the sentences around them afterwards.

use regex::Regex;

use crate::tree;

/// A table of a page: its heading, the names of its columns, its rows.
struct Table {
    heading: String,
    columns: Vec<String>,
    rows: Vec<Vec<String>>,
}

/// A page with tables.
struct Page {
    path: &'static str,
    text: String,
    tables: Vec<Table>,
}

fn cells(line: &str) -> Vec<String> {
    let inner = line.trim().trim_start_matches('|').trim_end_matches('|');
    inner.split('|').map(|cell| cell.trim().replace("**", "")).collect()
}

impl Page {
    fn read(path: &'static str) -> Self {
        let text = tree::read(&tree::root().join(path));
        let (mut heading, mut is_in_table) = (String::new(), false);
        let mut tables: Vec<Table> = Vec::new();
        for line in text.lines() {
            if line.starts_with('#') {
                line.trim_start_matches('#').trim().clone_into(&mut heading);
            }
            let is_row = line.starts_with('|');
            if is_row && !is_in_table {
                let (heading, columns) = (heading.clone(), cells(line));
                tables.push(Table { heading, columns, rows: Vec::new() });
            } else if is_row && !line.starts_with("|--") {
                let table = tables.last_mut().expect("a row is in a table");
                table.rows.push(cells(line));
            }
            is_in_table = is_row;
        }
        Self { path, text, tables }
    }

    /// The only cell below a heading in this column, of the row with these cells in other columns.
    fn cell(&self, heading: &str, key: &[(&str, &str)], column: &str) -> &str {
        let of_heading = self.tables.iter().filter(|table| table.heading == heading);
        let found: Vec<_> = of_heading
            .flat_map(|table| {
                let place =
                    move |name: &str| table.columns.iter().position(|column| column == name);
                let wanted = place(column);
                let matches = move |row: &&Vec<String>| {
                    key.iter()
                        .all(|(name, value)| place(name).is_some_and(|place| row[place] == *value))
                };
                table.rows.iter().filter(matches).filter_map(move |row| Some(&row[wanted?]))
            })
            .collect();
        match found[..] {
            [cell] => cell,
            _ => panic!("{}, {heading}, {key:?}, {column}: {found:?}", self.path),
        }
    }

    /// The first number of a cell.
    fn number(&self, heading: &str, key: &[(&str, &str)], column: &str) -> f64 {
        number(self.cell(heading, key, column))
    }

    /// What this pattern captures in the page's text.
    fn captured(&self, pattern: &str) -> Vec<String> {
        let pattern = Regex::new(pattern).expect("a pattern");
        let found = pattern.captures(&self.text);
        let found = found.unwrap_or_else(|| panic!("{}: nothing fits {pattern}", self.path));
        found.iter().skip(1).flatten().map(|group| group.as_str().to_owned()).collect()
    }
}

fn number(cell: &str) -> f64 {
    let first = cell.split(' ').next().unwrap_or_default().trim_end_matches('%');
    first.parse().unwrap_or_else(|_| panic!("`{cell}` does not begin with a number"))
}

/// A statement of a page: `{}` is a figure, a space any white space.
struct Statement {
    page: &'static str,
    text: &'static str,
    figures: Vec<String>,
}

fn of(page: &'static str, text: &'static str, figures: &[String]) -> Statement {
    Statement { page, text, figures: figures.to_vec() }
}

fn whole(value: f64) -> String {
    format!("{value:.0}")
}

fn percent(share: f64) -> String {
    whole(100.0 * share)
}

fn tenths(value: f64) -> String {
    format!("{value:.1}")
}

fn thousands(text: &str) -> String {
    match text.len() {
        0..=3 => text.to_owned(),
        length => format!("{},{}", &text[..length - 3], &text[length - 3..]),
    }
}

/// The least and the greatest, as a page has them: `25`, `46`.
fn range(values: &[f64], shown: fn(f64) -> String) -> [String; 2] {
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    [shown(least), shown(values.iter().copied().fold(f64::NEG_INFINITY, f64::max))]
}

const TESTS: &str = "docs/validity.md";
const FEEDS: &str = "docs/validity-real-feeds.md";
const ASKED_FOR: &str = "The worlds that were asked for";
const BY_INSTANCE: &str = "Counts by instance, without a history";
const RETRIES: &str = "retrying customer: 2 min of each 12";
const CRON: &str = "cron client: 20 s of each 5 min";
const SCRAPED: &str = "totals each 60 s, arms 30 s apart";
const TRAFFICS: [&str; 2] = ["1000", "6000"];

fn claims(page: &Page) -> [String; 2] {
    let found = page.captured(r"\*\*(\d+) claims, (\d+) missed\.\*\*");
    [thousands(&found[0]), thousands(&found[1])]
}

/// How many claims there are, and how many are missed.
fn of_claims(tests: &Page, feeds: &Page) -> Vec<Statement> {
    let all = [claims(tests), claims(feeds)].concat();
    vec![
        of(
            "README.md",
            "Of {} claims about the tests that simulations check, {} are \
             [missed](docs/validity.md#claims). Of {} claims about whole rollouts of services as \
             they are, {} are [missed](docs/validity-real-feeds.md#claims)",
            &all,
        ),
        of(
            "docs/explanation/assumptions.md",
            "**The tests alone:** of {} claims, {} are missed",
            &all[..2],
        ),
        of(
            "docs/explanation/assumptions.md",
            "**Whole rollouts of services as they are:** of {} claims, {} are missed",
            &all[2..],
        ),
    ]
}

/// What noise does to the tests.
fn of_noise(tests: &Page) -> Vec<Statement> {
    let found = tests.captured(
        r"(?s)### False rollbacks under noise.*?plain in (\d+) of (\d+) cells \(worst ([\d.]+)\)",
    );
    let (above, all) = (found[0].clone(), found[1].clone());
    let worst = percent(number(&found[2]));
    let not_covered = |change: &str, traffic: &str| {
        let key = [("what changes", change), ("traffic, canary", traffic)];
        tests.number("What replay does not cover", &key, "replay")
    };
    let hardware = "the canary's hardware fails 1.5 times as often";
    let hardware = [percent(not_covered(hardware, "6000 a minute, 2 of 20"))];
    let grown =
        not_covered("noise grows: negative binomial, 10 ×", "30000 a minute, 2 of 20") * 100.0;
    let zone =
        [("law, traffic, canary", "zone noise, the canary is a zone, 6000 a minute, 10 of 20")];
    let zone = tests.number("False rollbacks, randomised", &zone, "randomised");
    vec![
        of(
            "README.md",
            "In {} simulated cells of noise and traffic the plain test was above 1% by two \
             standard errors in {}, at worst {}%",
            &[all.clone(), above.clone(), worst.clone()],
        ),
        of(
            "docs/explanation/assumptions.md",
            "{} of {} simulated cells of noise exceed 1% by two standard errors, and the worst \
             has {}%",
            &[above.clone(), all, worst.clone()],
        ),
        of(
            "docs/statistics.md",
            "`plain` was above 1% by two standard errors in {} of them ({}% at worst)",
            &[above, worst],
        ),
        of("README.md", "the default mode rolled back {}% of good fixes", &hardware),
        of("docs/explanation/assumptions.md", "`replay` rolls back {}% of good fixes", &hardware),
        of(
            "docs/explanation/assumptions.md",
            "five times as strong at 30,000 requests a minute: {}%",
            &[tenths(grown)],
        ),
        of("docs/explanation/assumptions.md", "inherits the zone's noise: {}%", &[percent(zone)]),
    ]
}

/// How soon a fault is found, and how often.
fn of_delays(tests: &Page) -> Vec<Statement> {
    let ticks = |canary: &str, column: &str| {
        let law = format!("independent, 1000 a minute, {canary}");
        let key = [("law, traffic, canary", &*law), ("r", "5")];
        tests.number("Delay under noise", &key, column)
    };
    let of_both = |column: &str| ["2 of 20", "5 of 50"].map(|canary| ticks(canary, column));
    let [plain, same] = range(&of_both("plain"), whole);
    assert_eq!(plain, same, "the pages have one figure for both canaries");
    let replay = [of_both("replay by sums"), of_both("replay")].concat();
    let [least, most] = range(&replay, whole);
    let [held, held_late] = range(&of_both("held"), whole);
    let first = [("", "standard, canary, 2 ×, found by the test")];
    let doubled = tests.number("Power analysis of a plan", &first, "seen");
    vec![
        of(
            "docs/how-to/choose-a-mode.md",
            "finds a five-fold fault after {} to {} ticks instead of {} in simulation without \
             noise",
            &[least.clone(), most.clone(), plain.clone()],
        ),
        of(
            "docs/statistics.md",
            "`replay` finds a five-fold fault after {} to {} ticks instead of {}, and holds \
             promotion from tick {} to {} on",
            &[least, most, plain, held, held_late],
        ),
        of(
            "docs/explanation/assumptions.md",
            "a doubled error rate of 0.3% in {}% of first phases of `standard`",
            &[percent(doubled)],
        ),
    ]
}

/// A figure of healthy rollouts of both traffics, without a history.
fn healthy(feeds: &Page, world: &str, column: &str, is_by_instance: bool) -> [f64; 2] {
    TRAFFICS.map(|traffic| {
        let mut key = vec![("world", world), ("requests a minute", traffic)];
        let heading = if is_by_instance {
            BY_INSTANCE
        } else {
            key.push(("history", "no"));
            ASKED_FOR
        };
        100.0 * feeds.number(heading, &key, column)
    })
}

/// A figure of rollouts with a fault, of both traffics.
fn faulty(feeds: &Page, world: &str, history: &str, fault: &str, column: &str) -> [f64; 2] {
    TRAFFICS.map(|traffic| {
        let key = [
            ("world", world),
            ("requests a minute", traffic),
            ("history", history),
            ("fault", fault),
        ];
        feeds.number(ASKED_FOR, &key, column)
    })
}

/// The most healthy rollouts of a row that rollback bounds alone sent back.
fn by_bounds(feeds: &Page) -> f64 {
    let bound = Regex::new(r"back [\w, ]+: rollback_band (\d+)").expect("a pattern");
    let of_standard = feeds.tables.iter().filter(|table| table.heading != "`phased-canary`");
    let healthy =
        of_standard.filter(|table| table.columns.iter().any(|name| name == "rolled back"));
    let rows = healthy.flat_map(|table| &table.rows);
    let of_row = |row: &Vec<String>| {
        let causes = row.last().expect("a row has cells");
        bound.captures_iter(causes).map(|found| number(&found[1])).sum::<f64>()
    };
    rows.map(of_row).fold(0.0, f64::max)
}

/// Whole rollouts of services as they are.
fn of_feeds(feeds: &Page) -> Vec<Statement> {
    let minutes = |world, history, fault| faulty(feeds, world, history, fault, "median min");
    let quiet = |history, fault| minutes("quiet", history, fault).map(tenths);
    let both = |column, is_by_instance| {
        [RETRIES, CRON].map(|world| healthy(feeds, world, column, is_by_instance)).concat()
    };
    let sums = range(&both("rolled back", false), whole);
    let instances = range(&both("rolled back", true), whole);
    let asked = range(&both("asked", true), whole);

    let known = [RETRIES, CRON].map(|world| faulty(feeds, world, "yes", "5 × errors", "found"));
    let found = range(&known.map(|[slow, _]| 100.0 * slow), whole);
    assert!(known.iter().all(|[_, fast]| *fast > 0.99), "the page says 'at 6,000' of all faults");
    let known = [RETRIES, CRON].map(|world| minutes(world, "yes", "5 × errors"));
    let after = range(&known.map(|[_, fast]| fast), tenths);

    let longer = ["5 × errors", "1.5 × slower", "2 × slower"].into_iter().flat_map(|fault| {
        ["no", "yes"].into_iter().flat_map(move |history| {
            let pairs = minutes(SCRAPED, history, fault).into_iter();
            pairs.zip(minutes("quiet", history, fault)).map(|(scraped, quiet)| scraped - quiet)
        })
    });
    let longer = tenths(longer.fold(0.0, f64::max));

    let by_instance = TRAFFICS.map(|traffic| {
        let key = [("world", "quiet"), ("requests a minute", traffic)];
        tenths(feeds.number(BY_INSTANCE, &key, "median min"))
    });
    let of_world =
        |world, column, is_by_instance| healthy(feeds, world, column, is_by_instance).map(whole);
    let page = "docs/statistics.md";
    vec![
        of(
            page,
            "found after {} and {} min; one retrying customer, or one client of an instance, \
             rolls back {} to {} of 100 healthy fixes. Where counts come by instance it is {} to \
             {}, and a person is asked about {} to {}",
            &[quiet("no", "5 × errors"), sums, instances, asked].concat(),
        ),
        of(
            page,
            "found after {} and {} min; with a retrying customer or a client of one instance in \
             the history found in only {} to {} of 100 rollouts at 1,000 requests a minute (else \
             a person is asked), and after {} to {} min at 6,000",
            &[quiet("yes", "5 × errors"), found, after].concat(),
        ),
        of(
            page,
            "found after {} and {} min; what is slower, but tolerated, is asked about",
            &quiet("no", "1.5 × slower"),
        ),
        of(
            page,
            "rollback bounds alone send back {} of 100 healthy fixes",
            &[whole(by_bounds(feeds))],
        ),
        of(page, "at a scrape of 60 s up to {} min more for errors and latency", &[longer]),
        of(
            "docs/decisions/replay-by-instance.md",
            "a retrying customer rolls back {} and {} of 100 healthy fixes where sums are sent, \
             and {} and {} where counts come by instance; a client of one instance {} and {}, and \
             {} and {}. A person is asked about {} and {}, and about {} and {}. A five-fold fault \
             is found after {} and {} min instead of {} and {}",
            &[
                of_world(RETRIES, "rolled back", false),
                of_world(RETRIES, "rolled back", true),
                of_world(CRON, "rolled back", false),
                of_world(CRON, "rolled back", true),
                of_world(RETRIES, "asked", true),
                of_world(CRON, "asked", true),
                by_instance,
                quiet("no", "5 × errors"),
            ]
            .concat(),
        ),
    ]
}

/// The README's own table.
fn of_readme(readme: &Page) -> Vec<Statement> {
    let column = "rolled back when nothing is wrong (95% limits)";
    let judge = |name| {
        let key = [("judged by", name)];
        readme.cell("How often it errs", &key, column)
    };
    let standard = number(judge("whole judge, `standard`"));
    let canary = number(judge("whole judge, `phased-canary`"));
    vec![
        of(
            "docs/explanation/comparison.md",
            "`standard` rolls back {}% of healthy fixes and `phased-canary` {}%",
            &[format!("{standard:.2}"), whole(canary)],
        ),
        of(
            "docs/explanation/comparison.md",
            "The shared library has {} MB",
            &readme.captured(r"The shared library has ([\d.]+) MB"),
        ),
    ]
}

/// The statement with its figures as groups; white space of any kind is a space.
fn pattern(text: &str) -> Regex {
    let pieces = text.split("{}").map(|piece| {
        let words: Vec<_> = piece.split(' ').map(regex::escape).collect();
        words.join(r"\s+")
    });
    let pieces: Vec<_> = pieces.collect();
    Regex::new(&pieces.join(r"(\d+(?:[.,]\d+)*)")).expect("a pattern")
}

#[test]
fn pages_cite_the_figures_of_the_tables() {
    let [tests, feeds, readme] = [TESTS, FEEDS, "README.md"].map(Page::read);
    let statements = [
        of_claims(&tests, &feeds),
        of_noise(&tests),
        of_delays(&tests),
        of_feeds(&feeds),
        of_readme(&readme),
    ];
    let mut faults = Vec::new();
    for statement in statements.into_iter().flatten() {
        let file = tree::root().join(statement.page);
        let mut text = tree::read(&file);
        let Some(found) = pattern(statement.text).captures(&text) else {
            faults.push(format!("{} does not say: {}", statement.page, statement.text));
            continue;
        };
        let groups = found.iter().skip(1).flatten();
        let found: Vec<_> = groups.map(|group| group.range()).collect();
        assert_eq!(found.len(), statement.figures.len(), "figures of: {}", statement.text);
        for (place, figure) in found.into_iter().zip(&statement.figures).rev() {
            if text[place.clone()] != **figure {
                let said = &text[place.clone()];
                faults.push(format!(
                    "{}: {said} instead of {figure} in: {}",
                    statement.page, statement.text
                ));
                text.replace_range(place, figure);
            }
        }
        if tree::blessing() {
            std::fs::write(&file, text).expect("the page can be written");
        }
    }
    assert!(
        tree::blessing() || faults.is_empty(),
        "run `make bless` and read the sentences around the figures:\n{}",
        faults.join("\n")
    );
}
