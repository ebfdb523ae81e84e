//! Chapters on tests of counts and proportions with independent errors: runs and reports the
//! scenarios.

use hotfix_core::stats::StatError;

use crate::methods::{ALPHA, Method, race};
use crate::peers::Peer;
use crate::plots::{self, Curve};
use crate::report::{Limit, Report, Sheet};
use crate::scenarios::{self as data, RUNS_OF_DELAYS, RUNS_OF_RATES, Scenarios};
use crate::tally::{Delays, Estimate};
use crate::traffic::{Arms, PLANNED, TICKS_A_MINUTE, Traffic};

/// Every row's results, one a method.
fn run(
    report: &Report,
    table: &Scenarios,
    runs: u32,
    limit: u32,
) -> Result<Vec<Vec<Delays>>, StatError> {
    let runs = report.runs(runs);
    let numbered = (table.seed..).zip(table.rows);
    numbered
        .map(|(seed, row)| race(&Arms::new(&row.traffic), table.methods, seed, runs, limit))
        .collect()
}

/// Reports what is run: title, text, number of runs and seeds.
fn open(report: &mut Report, table: &Scenarios, runs: u32) {
    report.section(table.title);
    let (first, last) = (table.seed, table.seed + table.rows.len() as u64 - 1);
    let runs = report.runs(runs);
    report.say(&format!("{} {runs} runs per row, seeds {first} to {last}.", table.words));
}

/// How often each method decided.
fn rates(
    report: &mut Report,
    table: &Scenarios,
    promised: impl Fn(Method) -> Option<f64>,
) -> Result<Vec<Vec<Delays>>, StatError> {
    open(report, table, RUNS_OF_RATES);
    let results = run(report, table, RUNS_OF_RATES, PLANNED)?;
    let names: Vec<String> = table.methods.iter().map(|method| method.name()).collect();
    let heads: Vec<&str> = std::iter::once("").chain(names.iter().map(String::as_str)).collect();
    let mut sheet = Sheet::new(&heads);
    for (row, results) in table.rows.iter().zip(&results) {
        let mut cells = vec![row.name.to_owned()];
        for (method, delays) in table.methods.iter().zip(results) {
            let share = delays.found();
            cells.push(match promised(*method) {
                Some(alpha) => report.alpha(
                    &format!("{}, {}", row.name, method.name()),
                    share,
                    Limit::Guaranteed(alpha),
                ),
                None => format!("{share}"),
            });
        }
        sheet.row(&cells);
    }
    report.put(&sheet);
    Ok(results)
}

/// Share found in the plan, with median and mean of those found and the information bound.
fn delays(
    report: &mut Report,
    table: &Scenarios,
    limit: u32,
) -> Result<Vec<Vec<Delays>>, StatError> {
    open(report, table, RUNS_OF_DELAYS);
    let results = run(report, table, RUNS_OF_DELAYS, limit)?;
    let mut sheet =
        Sheet::new(&["", "method", "found", "median tick", "mean of the found", "bound"]);
    for (row, results) in table.rows.iter().zip(&results) {
        for (at, (method, delays)) in table.methods.iter().zip(results).enumerate() {
            let bound =
                information_bound(&row.traffic).filter(|_| method.promises() == Some(ALPHA));
            sheet.row(&[
                if at == 0 { row.name.to_owned() } else { String::new() },
                method.name(),
                format!("{:.3}", delays.found()),
                show(delays.median()),
                show(delays.mean()),
                bound.map_or_else(|| "–".into(), |bound| format!("{bound:.1}")),
            ]);
        }
    }
    report.put(&sheet);
    Ok(results)
}

fn show(figure: Option<Estimate>) -> String {
    figure.map_or_else(|| "–".into(), |figure| format!("{figure:.1}"))
}

/// `ln(1/α)` over the information of a tick, in ticks; `None` where the traffic changes or nothing
/// is wrong.
fn information_bound(traffic: &Traffic) -> Option<f64> {
    use hotfix_core::stats::numeric::ln;
    let (ratio, share) = traffic.steady_ratio_and_share()?;
    let mixed = ratio * share + 1.0 - share;
    let p = ratio * share / mixed;
    let information = p * ln(p / share) + (1.0 - p) * ln((1.0 - p) / (1.0 - share));
    let events = traffic.per_minute / TICKS_A_MINUTE * traffic.base * mixed;
    (ratio > 1.0).then(|| -ln(ALPHA) / (events * information))
}

/// Chapter on independent errors: false rollbacks, and delays within the plan.
pub(crate) fn errors(report: &mut Report) -> Result<(), StatError> {
    report.chapter("Independent errors");
    rates(report, &data::HEALTHY, Method::promises)?;
    rates(report, &data::TOLERATED, Method::promises)?;
    delays(report, &data::FAULTS, PLANNED)?;
    Ok(())
}

/// Chapter on the oracle: mean delay over that of a test that knows the ratio, until decided.
pub(crate) fn oracle(report: &mut Report) -> Result<(), StatError> {
    /// Longer than any run takes.
    const FOREVER: u32 = 100_000;
    let methods = [Method::Counts, Method::CountsEvenGrid, Method::Bernoulli];
    report.chapter("Delay over the oracle's");
    let runs = report.runs(RUNS_OF_DELAYS);
    report.say(&format!(
        "Base 0.3%, run until decided. The oracle is Wald's sequential probability ratio test of \
         the conditional binomial likelihood with the true r, at the same threshold, on the same \
         streams. The bound is ln(1/α) over the information of a tick. Wanted: a mean delay of at \
         most {:.2} × the oracle's. {runs} runs per row, seeds {} on.",
        data::MOST_OVER_ORACLE,
        data::SEED_OF_ORACLE,
    ));
    let mut sheet = Sheet::new(&[
        "",
        "bound, ticks",
        "oracle, mean",
        "counts, median",
        "counts, mean",
        "counts over bound",
        "**counts over oracle**",
        "even grid over oracle",
        "proportions over oracle",
    ]);
    let mut curves = [Vec::new(), Vec::new()];
    let mut seed = data::SEED_OF_ORACLE;
    for (share, curve) in data::SPLITS.into_iter().zip(&mut curves) {
        for ratio in data::RATIOS {
            let traffic = Traffic::usual(share).ratio(ratio);
            let mut with_oracle = methods.to_vec();
            with_oracle.push(Method::Peer(Peer::Oracle(ratio)));
            let results = race(&Arms::new(&traffic), &with_oracle, seed, runs, FOREVER)?;
            seed += 1;
            let [counts, even, proportions, oracle] = &results[..] else { continue };
            let none = Estimate { value: f64::NAN, error: 0.0 };
            let over = |method: &Delays| method.over(oracle).unwrap_or(none);
            let bound = information_bound(&traffic).unwrap_or(f64::NAN);
            let mean = counts.mean().unwrap_or(none);
            let of = format!("w {share}, r = {ratio}");
            let limit = Limit::Guaranteed(data::MOST_OVER_ORACLE);
            let shown = report.claim(&format!("{of}, mean delay"), over(counts), limit, 3);
            curve.push((ratio, over(counts).value));
            sheet.row(&[
                of,
                format!("{bound:.1}"),
                show(oracle.mean()),
                show(counts.median()),
                show(Some(mean)),
                format!("{:.2}", mean.value / bound),
                shown,
                format!("{:.3}", over(even)),
                format!("{:.3}", over(proportions)),
            ]);
        }
    }
    report.put(&sheet);
    let [tenth, half] = &curves;
    plots::lines(
        report,
        "over-oracle.svg",
        "Mean delay over the oracle's by ratio, at w 0.1 and w 0.5, with the limit of 1.30",
        ("r, canary's error rate over the baseline's", "mean delay over the oracle's"),
        (1.0, 1.4),
        &[
            Curve { name: "w 0.1", points: tenth },
            Curve { name: "w 0.5", points: half },
            Curve { name: "limit", points: &[(2.0, 1.3), (20.0, 1.3)] },
        ],
    );
    Ok(())
}

/// Chapter on other methods: those of tools and teams, on the same streams.
pub(crate) fn peers(report: &mut Report) -> Result<(), StatError> {
    let table = &data::PEERS;
    report.chapter("Other methods");
    report.say(&format!(
        "{} {} runs where nothing is wrong, {} otherwise, seeds {} on. Figures of the \
         tests' design in brackets.",
        table.words,
        report.runs(RUNS_OF_RATES),
        report.runs(RUNS_OF_DELAYS),
        table.seed
    ));
    let mut results = Vec::new();
    for (seed, row) in (table.seed..).zip(table.rows) {
        let runs = if seed == table.seed { RUNS_OF_RATES } else { RUNS_OF_DELAYS };
        let runs = report.runs(runs);
        results.push(race(&Arms::new(&row.traffic), table.methods, seed, runs, PLANNED)?);
    }
    let mut sheet = Sheet::new(&[
        "",
        "false rollbacks",
        "r = 2: found",
        "r = 5: found",
        "r = 5: median",
        "r = 10: median",
        "r = 20: median",
    ]);
    for (at, (method, stated)) in table.methods.iter().zip(data::PEERS_STATED).enumerate() {
        let of = |row: usize| &results[row][at];
        let median = |row: usize| {
            let stated = stated.1[row - 2];
            let shown = of(row).median().map_or_else(|| "never".into(), |m| format!("{m:.1}"));
            if stated.is_nan() { shown } else { format!("{shown} ({stated})") }
        };
        let healthy = match method.promises() {
            Some(alpha) => report.alpha(&method.name(), of(0).found(), Limit::Guaranteed(alpha)),
            None => format!("{}", of(0).found()),
        };
        sheet.row(&[
            method.name(),
            format!("{healthy} ({})", stated.0),
            format!("{:.3}", of(1).found()),
            format!("{:.3}", of(2).found()),
            median(2),
            median(3),
            median(4),
        ]);
        if *method == Method::Counts {
            for (row, stated) in (2..).zip(stated.1) {
                let of_row = format!("{}, median", table.rows[row].name);
                report.median(&of_row, of(row), stated);
            }
        }
    }
    report.put(&sheet);
    report.say(
"Compare the false rollbacks first. A method that finds faults sooner than ours but rolls back far \
         more than 0.01 of the healthy releases is not better at the same error rate.",
    );
    Ok(())
}

/// Chapter on late faults.
pub(crate) fn late(report: &mut Report) -> Result<(), StatError> {
    let table = &data::LATE;
    report.chapter(table.title);
    let runs = report.runs(RUNS_OF_DELAYS);
    report.say(&format!(
        "{} {runs} runs per row, seeds {} on. Figures of the tests' design in brackets.",
        table.words, table.seed
    ));
    let mut sheet = Sheet::new(&[
        "",
        "change-point, median",
        "found",
        "plain, median",
        "found",
        "plain, even grid",
    ]);
    let results = run(report, table, RUNS_OF_DELAYS, PLANNED)?;
    let mut curves = [Vec::new(), Vec::new()];
    for (at, (row, results)) in table.rows.iter().zip(&results).enumerate() {
        let onset = if at == 1 || at == 2 { data::ONSET } else { 0 };
        let counted: Vec<Delays> = results.iter().map(|delays| delays.after(onset)).collect();
        let [change, plain, even] = &counted[..] else { continue };
        let stated = data::LATE_STATED.get(at);
        let shown = match stated {
            Some((stated, of_plain)) => {
                let shown = report.median(&format!("{}, change-point", row.name), change, *stated);
                let even = show(even.median());
                [
                    format!("{shown} ({stated})"),
                    show(plain.median()),
                    format!("{even} ({of_plain})"),
                ]
            }
            None => [show(change.median()), show(plain.median()), show(even.median())],
        };
        let [of_change, of_plain, of_even] = shown;
        sheet.row(&[
            row.name.to_owned(),
            of_change,
            format!("{:.3}", change.found()),
            of_plain,
            format!("{:.3}", plain.found()),
            of_even,
        ]);
        if at == 1 {
            for (curve, delays) in curves.iter_mut().zip([change, plain]) {
                *curve = (0..=PLANNED - onset)
                    .step_by(4)
                    .map(|by| (f64::from(by), delays.by(by).value))
                    .collect();
            }
        }
    }
    report.put(&sheet);
    let [change, plain] = &curves;
    plots::lines(
        report,
        "late-fault.svg",
        "Share of runs that have found a five-fold fault by ticks since its onset at tick 120",
        ("ticks since the onset", "share found"),
        (0.0, 1.0),
        &[Curve { name: "change-point", points: change }, Curve { name: "plain", points: plain }],
    );
    Ok(())
}

/// Chapter on common errors.
pub(crate) fn common(report: &mut Report) -> Result<(), StatError> {
    report.chapter("Common errors");
    rates(report, &data::COMMON_ERRORS_HEALTHY, Method::promises)?;
    let table = &data::COMMON_ERRORS;
    let results = delays(report, table, PLANNED)?;
    let mut sheet = Sheet::new(&["", "proportions (stated)", "counts, even grid (stated)"]);
    for ((row, results), stated) in table.rows.iter().zip(&results).zip(data::COMMON_ERRORS_STATED)
    {
        let [proportions, counts, _] = &results[..] else { continue };
        let of = |method| format!("{}, r = 1.5, {method}, median", row.name);
        let first = report.median(&of("proportions"), proportions, stated.0);
        let second = report.median(&of("counts"), counts, stated.1);
        sheet.row(&[
            row.name.to_owned(),
            format!("{first} ({})", stated.0),
            format!("{second} ({})", stated.1),
        ]);
    }
    report.put(&sheet);
    Ok(())
}

/// Chapter on promotion.
pub(crate) fn promotion(report: &mut Report) -> Result<(), StatError> {
    report.chapter("Promotion");
    rates(report, &data::NOT_WORSE_HEALTHY, Method::promises)?;
    let results = delays(report, &data::NOT_WORSE, data::TEN_HOURS)?;
    let minutes = |delays: &Delays| {
        let ticks = delays.median().unwrap_or(Estimate { value: f64::INFINITY, error: 0.0 });
        Estimate { value: ticks.value / TICKS_A_MINUTE, error: ticks.error / TICKS_A_MINUTE }
    };
    let mut sheet = Sheet::new(&["", "stated", "measured"]);
    let mut line = |report: &mut Report, of: &str, figure, stated: f64, tolerance, digits| {
        let shown = report.claim(of, figure, Limit::Near(stated, tolerance), digits);
        sheet.row(&[of.to_owned(), format!("{stated}"), shown]);
    };
    let [equal, cut, rare] = &results[..] else { return Ok(()) };
    line(report, "equal, margin 2: median minutes", minutes(&equal[0]), 34.0, 3.4, 1);
    line(report, "equal, margin 2: within 10 minutes", equal[0].by(60), 0.14, 0.02, 3);
    line(report, "equal, margin 3: median minutes", minutes(&equal[1]), 12.5, 1.25, 1);
    line(report, "equal, margin 3: within 10 minutes", equal[1].by(60), 0.40, 0.04, 3);
    line(report, "cut to a twentieth, margin 2: median minutes", minutes(&cut[0]), 8.0, 0.8, 1);
    line(report, "base 0.01%, margin 2: within 50 minutes", rare[0].by(PLANNED), 0.0, 0.01, 4);
    report.put(&sheet);
    rates(report, &data::AT_THE_CEILING, Method::promises)?;
    delays(report, &data::BELOW_THE_CEILING, PLANNED)?;
    Ok(())
}

/// Chapter on efficacy.
pub(crate) fn efficacy(report: &mut Report) -> Result<(), StatError> {
    report.chapter("Efficacy");
    rates(report, &data::NOT_CURED, Method::promises)?;
    let (table, runs) = (&data::NOT_CURED, report.runs(RUNS_OF_DELAYS));
    let methods = [table.methods[0], data::UNGUARDED];
    let first = &table.rows[0];
    let results = race(&Arms::new(&first.traffic), &methods, table.seed, runs, PLANNED)?;
    if let [guarded, unguarded] = &results[..] {
        let limit = Limit::Near(data::UNGUARDED_STATED, 0.01);
        let of = format!("{}, without the rule", first.name);
        let shown = report.claim(&of, unguarded.found(), limit, 4);
        report.say(&format!(
            "The test places no bet whose alternative lies in the null. Without this rule, bets on \
             rates above the cap call {shown} of the canaries of the first row cured (design: {}); \
             with it, on the same streams, {:.4}. {runs} runs, seed {}.",
            data::UNGUARDED_STATED,
            guarded.found(),
            table.seed
        ));
    }
    delays(report, &data::CURED, PLANNED)?;
    Ok(())
}
