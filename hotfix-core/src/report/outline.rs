//! The sections of a report as blocks of plain text, from which both pages are written.

use crate::judge::{Comparison, ComparisonRow};
use crate::metric::in_unit;
use crate::text;
use crate::unit::Timestamp;

use super::bounded_list::BoundedList;
use super::describe::{self, figure, utc};
use super::measures::{Mark, called, described};
use super::model::{
    ActionItem, CriterionPart, DutyPart, PolicyPart, QuestionPart, Report, Statement,
    TimelineEntry, VerdictPart,
};

pub(super) const DASH: &str = "–";

fn or_dash(text: Option<&String>) -> String {
    text.cloned().unwrap_or_else(|| DASH.to_owned())
}

fn time(at: Option<Timestamp>) -> String {
    at.map_or_else(|| DASH.to_owned(), utc)
}

#[derive(Clone, Debug)]
pub(super) struct Section {
    pub(super) id: &'static str,
    pub(super) title: String,
    pub(super) blocks: Vec<Block>,
}

/// A part of a section. Its texts are plain; each page escapes them.
#[derive(Clone, Debug)]
pub(super) enum Block {
    Heading(String),
    Paragraph(String),
    List(Vec<String>),
    Table(Table),
    /// Place of the plots of this kind; the Markdown page has none.
    Plots(&'static str),
}

/// A table; its cells are lines of text, and the first of a row names it.
#[derive(Clone, Debug)]
pub(super) struct Table {
    pub(super) caption: String,
    pub(super) head: Vec<String>,
    pub(super) rows: Vec<Vec<Vec<String>>>,
    /// Whether the HTML page shows it collapsed.
    pub(super) folded: bool,
}

impl Table {
    pub(super) fn new(caption: &str, head: &[&str]) -> Self {
        Self {
            caption: caption.to_owned(),
            head: head.iter().map(|&name| name.to_owned()).collect(),
            rows: Vec::new(),
            folded: false,
        }
    }

    /// A table whose rows have one line in each cell.
    fn of<const N: usize>(
        caption: &str,
        head: [&str; N],
        rows: impl Iterator<Item = [String; N]>,
    ) -> Self {
        let mut table = Self::new(caption, &head);
        rows.for_each(|row| table.row(row));
        table
    }

    pub(super) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().map(|cell| vec![cell]).collect());
    }
}

impl Section {
    fn new(id: &'static str, title: &str) -> Self {
        Self { id, title: title.to_owned(), blocks: Vec::new() }
    }

    fn listed<const N: usize>(id: &'static str, title: &str, lists: [Vec<String>; N]) -> Self {
        let mut section = Self::new(id, title);
        for list in lists {
            section.list(list);
        }
        section
    }

    fn heading(&mut self, text: &str) {
        self.blocks.push(Block::Heading(text.to_owned()));
    }

    fn paragraph(&mut self, text: impl Into<String>) {
        self.blocks.push(Block::Paragraph(text.into()));
    }

    fn list(&mut self, items: Vec<String>) {
        if !items.is_empty() {
            self.blocks.push(Block::List(items));
        }
    }

    fn table(&mut self, table: Table) {
        if !table.rows.is_empty() {
            self.blocks.push(Block::Table(table));
        }
    }

    fn plots(&mut self, of: &'static str, drawn: bool) {
        if drawn {
            self.blocks.push(Block::Plots(of));
        }
    }
}

pub(super) fn title(report: &Report) -> String {
    format!("Incident report: {}", report.incident.id)
}

/// All sections that are not empty.
pub(super) fn outline(report: &Report) -> Vec<Section> {
    let stated = |topic: &str| statements(report.statements.get(topic).into_iter().flatten());
    let link = report.link_to_cause().map(|link| format!("Further information: {link}"));
    let link = link.into_iter().collect();
    let by_author = report.cause_by_author.as_deref().map(text::sentence).into_iter().collect();
    let mut open = Section::new("still-open", "Still open");
    if !report.open.is_empty() {
        open.paragraph("These points are not yet stated or not yet done:");
    }
    open.list(report.open.clone());
    let sections = [
        summary(report),
        impact(report, stated("impact")),
        Section::listed("detection", "Detection", [report.detection.clone(), stated("detection")]),
        timeline(&report.timeline),
        verdicts(report),
        Section::listed(
            "not-seen",
            "Faults that each phase could have missed",
            [stated("not_caught_earlier"), report.not_caught_earlier.clone()],
        ),
        Section::listed(
            "root-cause",
            "Root cause",
            [statements(&report.root_cause), by_author, link],
        ),
        Section::listed("conditions", "Contributing factors", [statements(&report.conditions)]),
        Section::listed(
            "resolution",
            "Resolution, deployment and verification",
            [report.resolution.clone(), stated("resolution"), stated("verification")],
        ),
        criteria(&report.success_criteria),
        duties(&report.duties),
        Section::listed(
            "went-well",
            "What went well",
            [report.went_well.clone(), stated("went_well")],
        ),
        Section::listed(
            "to-improve",
            "What to improve",
            [report.to_improve.clone(), stated("to_improve")],
        ),
        actions(&report.action_items),
        Section::listed("prevention", "Prevention", [statements(&report.prevention)]),
        answered("questions", "Questions of the review", &report.questions),
        answered("custom-sections", "Further sections of the policy", &report.custom_sections),
        measures(report),
        open,
        audit(report),
    ];
    sections.into_iter().filter(|section| !section.blocks.is_empty()).collect()
}

fn statement(of: &Statement) -> String {
    match &of.role {
        Some(role) => format!("{} ({role}, {})", of.text, utc(of.at)),
        None => format!("{} ({})", of.text, utc(of.at)),
    }
}

fn statements<'a>(all: impl IntoIterator<Item = &'a Statement>) -> Vec<String> {
    all.into_iter().map(statement).collect()
}

fn summary(report: &Report) -> Section {
    let mut section = Section::new("summary", "Summary");
    for sentence in &report.summary {
        section.paragraph(sentence.clone());
    }
    let mut table = Table::new("The incident at a glance", &["", ""]);
    let mut put = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            table.row([name.to_owned(), value]);
        }
    };
    put("State", Some(text::words(report.state.as_str())));
    let assumed =
        if report.incident.severity_assumed { ", assumed because facts are missing" } else { "" };
    put("Severity", report.incident.severity.map(|severity| format!("{severity}{assumed}")));
    if let Some(release) = &report.release {
        put("Release", Some(format!("{}, replaces {}", release.version, release.previous)));
        put("Branch", release.branch.clone());
        put("Commit", release.commit.clone());
        put("Strategy", Some(text::words(release.strategy.as_str())));
        put("Attempts", (release.attempts > 1).then(|| release.attempts.to_string()));
    } else {
        put("Release", Some("none".to_owned()));
    }
    for part in &report.moments {
        put(&text::sentence(&text::words(part.moment.as_str())), Some(utc(part.at)));
    }
    put("Policy", Some(policy(&report.policy)));
    put("Procedure started by", report.policy.trigger.clone());
    put("As of", Some(utc(report.as_of)));
    section.table(table);
    if !report.finished {
        section.paragraph(
            "This report is preliminary: the incident or one of its duties is still open.",
        );
    }
    if !report.open.is_empty() {
        let points = text::counted(report.open.len(), "point is", "points are");
        section.paragraph(format!("{points} still open; see the section Still open."));
    }
    section
}

/// `Emergency fixes, based on RB-12, maintained by the platform team, last changed 2025-07-31`.
fn policy(of: &PolicyPart) -> String {
    let record = [
        ("based on", of.document.clone()),
        ("maintained by", of.owner.clone()),
        ("last changed", of.changed.map(|day| day.to_string())),
    ];
    let record = record.into_iter().filter_map(|(what, text)| Some(format!(", {what} {}", text?)));
    record.fold(of.title.clone(), |text, part| text + &part)
}

fn impact(report: &Report, stated: Vec<String>) -> Section {
    let mut section = Section::new("impact", "Impact");
    let impact = &report.impact;
    section.list(stated);
    section.list(impact.sentences.clone());
    let affected = impact.affected.iter().map(|part| {
        let [bad, of] = [part.counted.bad, part.counted.of].map(figure);
        let exposed = part.kind.has_exposure();
        let counted = if exposed { format!("{bad} in {of} s") } else { format!("{bad} of {of}") };
        [part.version.clone(), part.title.clone(), counted]
    });
    section.table(Table::of("Failed requests", ["Version", "Counted by", "Failed"], affected));
    let facts = impact.facts.iter().map(|(fact, value)| [text::words(fact), value.clone()]);
    let head = ["Fact", "Value and development"];
    section.table(Table::of("Known facts of the incident", head, facts));
    section
}

fn timeline(entries: &BoundedList<TimelineEntry, 500>) -> Section {
    let mut section = Section::new("timeline", "Timeline");
    let mut table = Table::new("All times are UTC", &["Time", "Who", "What", "Reason", "Result"]);
    // The entry before, and the time of the first one in its row.
    let (mut before, mut first): (Option<&TimelineEntry>, Option<Timestamp>) = (None, None);
    for (at, entry) in entries.iter().enumerate() {
        if at == entries.before_gap() && entries.left_out() > 0 {
            let text = format!("{} entries are left out here", entries.left_out());
            table.row([DASH, DASH, &text, DASH, DASH].map(str::to_owned));
            before = None;
        }
        let joined = before.is_some_and(|before| is_of_one_sitting(before, entry));
        if let Some([time, _, what, ..]) =
            table.rows.last_mut().map(Vec::as_mut_slice).filter(|_| joined)
        {
            *time = vec![from_to(first.unwrap_or(entry.at), Some(entry.at))];
            what.push(entry.what.clone());
        } else {
            first = Some(entry.at);
            table.rows.push(timeline_row(entry));
        }
        before = Some(entry);
    }
    section.table(table);
    section
}

/// Whether two checked items share a row: the same role within a minute, and no result.
fn is_of_one_sitting(before: &TimelineEntry, entry: &TimelineEntry) -> bool {
    let plain = |of: &TimelineEntry| {
        of.kind == "check_item" && of.why.is_none() && of.then.is_empty() && of.claimed_at.is_none()
    };
    plain(before)
        && plain(entry)
        && before.role == entry.role
        && utc(before.at).get(..16) == utc(entry.at).get(..16)
}

fn timeline_row(entry: &TimelineEntry) -> Vec<Vec<String>> {
    let time = from_to(entry.at, entry.until);
    let mut what = counted(&entry.what, entry.count);
    if let Some(claimed) = entry.claimed_at {
        what.push(format!("(the sender's time was {})", utc(claimed)));
    }
    let [role, why] = [&entry.role, &entry.why].map(|text| vec![or_dash(text.as_ref())]);
    vec![vec![time], role, what, why, lines(&entry.then)]
}

/// `2026-03-03 14:52:10 to 14:53:40`.
fn from_to(at: Timestamp, until: Option<Timestamp>) -> String {
    let time = utc(at);
    match until.map(utc).filter(|until| *until != time) {
        // The date is repeated only if it is another day.
        Some(mut until) if until.get(..10) == time.get(..10) => {
            format!("{time} to {}", until.split_off(11))
        }
        Some(until) => format!("{time} to {until}"),
        None => time,
    }
}

/// An event, and how often it came.
fn counted(what: &str, count: u64) -> Vec<String> {
    let times = (count > 1).then(|| format!("{count} times"));
    std::iter::once(what.to_owned()).chain(times).collect()
}

fn lines(of: &[String]) -> Vec<String> {
    if of.is_empty() { vec![DASH.to_owned()] } else { of.to_vec() }
}

fn verdicts(report: &Report) -> Section {
    let mut section = Section::new("verdicts", "Verdicts and their evidence");
    section.plots("metrics", !report.plots.metrics.is_empty());
    for of in &report.comparisons {
        let caption = if report.comparisons.len() > 1 {
            format!("Attempt {}: {} compared with the live version", of.attempt, of.version)
        } else {
            format!("{} compared with the live version", of.version)
        };
        section.table(comparison(&caption, &of.table));
    }
    section.plots("evidence", !report.plots.evidence.is_empty());
    let left_out = report.verdicts.left_out();
    for (at, verdict) in report.verdicts.iter().enumerate() {
        if at == report.verdicts.before_gap() && left_out > 0 {
            section.paragraph(format!("{left_out} verdicts are left out here."));
        }
        one_verdict(&mut section, verdict);
    }
    section
}

fn one_verdict(section: &mut Section, verdict: &VerdictPart) {
    let phase = verdict.phase.map_or_else(String::new, |phase| format!(", phase {phase}"));
    section.heading(&format!(
        "{}{phase}: {}",
        utc(verdict.at),
        describe::decision(verdict.decision)
    ));
    if let Some(why) = &verdict.why {
        section.paragraph(text::ended(&format!("Reason: {why}")));
    }
    section.paragraph(match verdict.threshold {
        Some(threshold) => format!(
            "Combined evidence against the new version: {}, rollback at {} (log e-value).",
            text_of(verdict.log_e),
            text_of(threshold)
        ),
        None => "No test compares the versions: only bounds decide.".to_owned(),
    });
    section.list(verdict.sentences.clone());
}

fn text_of(log_e: f64) -> String {
    text::rounded(log_e, 2)
}

/// The comparison: a row for each metric, with its reference, the live version and each phase.
fn comparison(caption: &str, of: &Comparison) -> Table {
    let mut table = Table::new(caption, &["Metric", "Reference", "Live version"]);
    table.head.extend(of.phases.iter().map(|of| format!("{} ({})", of.phase, of.share)));
    for row in &of.rows {
        let mut cells = compared(row);
        cells.insert(0, vec![row.title.clone()]);
        table.rows.push(cells);
    }
    table
}

/// The cells of a metric: its reference, the live version, and each phase.
fn compared(row: &ComparisonRow) -> Vec<Vec<String>> {
    let read = |value: f64| row.measured(value);
    let (before, live) = (row.reference.map(|value| in_unit(row.kind, value)), row.live.map(read));
    let mut cells = [before, live].map(|of| vec![of.unwrap_or_else(|| DASH.to_owned())]).to_vec();
    cells.extend(row.cells.iter().map(|cell| {
        let Some(cell) = cell else { return vec![DASH.to_owned()] };
        let mut lines = vec![read(cell.canary)];
        lines.extend(cell.without().map(|(other, of)| format!("{} {of}", read(other))));
        lines.extend(cell.baseline.map(|live| format!("baseline {}", read(live))));
        lines.extend(cell.band.map(|band| text::words(band.as_str())));
        lines.extend(cell.healed.then(|| "recovered after a degradation".to_owned()));
        lines
    }));
    cells
}

fn criteria(all: &[CriterionPart]) -> Section {
    let mut section = Section::new("success-criteria", "Success criteria");
    let rows = all.iter().map(|part| {
        let state = part.against.as_ref().map_or(part.state.as_str(), |_| "not met");
        let why = part.against.as_ref().or(part.why.as_ref());
        [part.text.clone(), text::words(state), time(part.at), or_dash(why)]
    });
    let head = ["Criterion", "State", "Since", "Evidence"];
    section.table(Table::of("Confirmed by people, or denied by the log", head, rows));
    section
}

fn duties(all: &[DutyPart]) -> Section {
    let mut section = Section::new("duties", "Duties kept and missed");
    section.plots("duties", all.iter().any(super::plot::is_drawn));
    let rows = all.iter().map(|duty| {
        let status = match (duty.times, duty.missed) {
            (Some(times), Some(missed)) => {
                let [times, missed] = [times, missed].map(|n| text::counted(n, "time", "times"));
                format!("{}: done {times}, missed {missed}", duty.status)
            }
            _ => duty.status.to_string(),
        };
        // Of what is repeated it would be the end: the status has how often it was done.
        let done = duty.done_at().filter(|_| duty.times.is_none());
        let [owner, evidence] = [&duty.role, &duty.evidence].map(|text| or_dash(text.as_ref()));
        [duty.title.clone(), owner, time(duty.due), time(done), status, evidence]
    });
    let head = ["Duty", "Owner", "Due", "Done", "Status", "Evidence"];
    section.table(Table::of("Each duty", head, rows));
    section
}

fn actions(items: &[ActionItem]) -> Section {
    let mut section = Section::new("action-items", "Action items");
    let rows = items.iter().map(|item| {
        let [owner, deadline, success] = [&item.owner, &item.deadline, &item.success_criterion]
            .map(|text| text.clone().unwrap_or_else(|| "open".to_owned()));
        let done = if item.done { "yes" } else { "no" };
        [item.task.clone(), owner, deadline, success, done.to_owned()]
    });
    let head = ["Task", "Owner", "Deadline", "Done when", "Done"];
    section.table(Table::of("Action items", head, rows));
    section
}

fn answered(id: &'static str, title: &str, parts: &[QuestionPart]) -> Section {
    let mut section = Section::new(id, title);
    let is_answered = |part: &&QuestionPart| !part.answers.is_empty() || part.answered_in.is_some();
    for part in parts.iter().filter(is_answered) {
        section.heading(&part.question);
        let answered = part.answered_in.map(|name| format!("See the section {name}."));
        section.list(answered.into_iter().collect());
        section.list(statements(&part.answers));
    }
    section
}

fn measures(report: &Report) -> Section {
    let mut section = Section::new("measures", "Measures");
    let mark = |mark: Option<Mark>| {
        let mark = mark.map(|mark| format!("{}, {}", text::words(mark.moment), utc(mark.at)));
        or_dash(mark.as_ref())
    };
    let rows = report.measures.measures.iter().map(|measure| {
        let name = text::sentence(&called(measure.name));
        [name, described(measure), mark(measure.from), mark(measure.to)]
    });
    let head = ["Measure", "Value", "From", "To"];
    section.table(Table::of("Measures of the incident", head, rows));
    if !report.measures_asked.is_empty() {
        section.paragraph("The policy asks for these figures:");
        section.list(report.measures_asked.clone());
    }
    section
}

fn audit(report: &Report) -> Section {
    let mut section = Section::new("audit-trail", "Audit trail");
    let trail = &report.audit_trail;
    section.paragraph(format!(
        "The log has {} lines; the hash of the last one is {}. The plan's digest is {}, the policy's {}.",
        trail.lines, trail.head, trail.plan_digest, report.policy.digest
    ));
    if trail.redacted {
        section.paragraph("Names were redacted in this log; a redacted name is shown as a dash.");
    }
    let approvals = trail.approvals.iter().map(|part| {
        let [what, role] = [part.kind, part.role.as_str()].map(text::words);
        let [who, channel, heard_by, why] = [&part.who, &part.channel, &part.heard_by, &part.why]
            .map(|text| or_dash(text.as_ref()));
        let plan = part.plan_digest.to_string().chars().take(12).collect();
        [utc(part.at), what, role, who, channel, heard_by, why, plan]
    });
    section.table(Table::of(
        "Approvals, denials and withdrawals, with the plan they are about",
        ["Time", "What", "Role", "Who", "Channel", "Heard by", "Reason", "Plan"],
        approvals,
    ));
    let mut table = Table::new(
        "All inputs of people and tools",
        &["Line", "Time", "Who", "What", "Reason", "Requested actions"],
    );
    table.folded = true;
    for (at, entry) in trail.entries.iter().enumerate() {
        if at == trail.entries.before_gap() && trail.entries.left_out() > 0 {
            let text = format!("{} entries are left out here", trail.entries.left_out());
            table.row([DASH, DASH, DASH, &text, DASH, DASH].map(str::to_owned));
        }
        let [who, why] = [&entry.who, &entry.why].map(|text| or_dash(text.as_ref()));
        let [line, time] =
            [entry.seq.to_string(), from_to(entry.at, entry.until)].map(|of| vec![of]);
        let what = counted(&entry.what, entry.count);
        table.rows.push(vec![line, time, vec![who], what, vec![why], lines(&entry.changes)]);
    }
    section.table(table);
    section
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn post_1_evidence_that_is_rounded_to_0_has_no_sign() {
        assert_eq!([-0.001, -0.0, -1.794, 4.6].map(text_of), ["0.00", "0.00", "-1.79", "4.60"]);
    }
}
