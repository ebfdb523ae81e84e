//! The severity and its reasons, immediate remedies, and the time allowed.

use std::fmt::Write as _;

use crate::gate::SeverityBasis;
use crate::grade::{Hotfix, Moment};
use crate::text::{markdown, quoted, words};
use crate::unit::Timestamp;

use super::super::{Holds, Kept, Plan};
use super::head::sentence_text;
use super::{Page, utc};

const MOST_QUESTIONS: usize = 5;

pub(super) fn write(plan: &Plan, page: &mut Page) {
    page.heading(2, "Severity");
    why(plan, page);
    let remedies = plan.procedure().remedies;
    if !remedies.is_empty() {
        page.heading(3, "Immediate remedies");
        page.list(remedies.iter().map(|remedy| match remedy.holds {
            Holds::Yes => markdown(remedy.text),
            Holds::Maybe => format!("possibly: {}", markdown(remedy.text)),
        }));
    }
    deadlines(plan, page);
}

fn why(plan: &Plan, page: &mut Page) {
    let assessment = plan.assessment();
    let mut text = match assessment.severity {
        Some(severity) => {
            let label =
                assessment.label.map_or_else(String::new, |label| format!(", {}", markdown(label)));
            let worst = assessment.at_worst.filter(|worst| *worst != severity);
            let worst = worst.map_or_else(String::new, |worst| format!(", at worst {worst}"));
            let source = match plan.severity_basis() {
                SeverityBasis::Given => "given".to_owned(),
                SeverityBasis::Settled => "by the rules".to_owned(),
                SeverityBasis::Assumed if plan.policy().severities().len() == 1 => {
                    "the only one of the policy".to_owned()
                }
                SeverityBasis::Assumed | SeverityBasis::Unknown => {
                    format!("assumed while facts are unknown{worst}")
                }
            };
            format!("**{severity}{label}** ({source}).")
        }
        None if plan.policy().severities().is_empty() => "The policy has no severities.".to_owned(),
        None => "The severity is unknown.".to_owned(),
    };
    if let Some(definition) = assessment.definition {
        let _ = write!(text, " Definition: {}.", markdown(definition));
    }
    if let Some(process) = assessment.process {
        let _ = write!(text, " Process: {}.", markdown(process));
    }
    text.push_str(match assessment.hotfix {
        Hotfix::Yes => " The rules call for a hot-fix.",
        Hotfix::No => " The rules do not call for a hot-fix.",
        Hotfix::Unknown => "",
    });
    page.paragraph(&text);
    let rules = assessment.rules.iter();
    let rules = rules.map(|rule| format!("rule `{}`: {}", rule.id, markdown(rule.title)));
    let (asked, further) = assessment.ask.split_at(assessment.ask.len().min(MOST_QUESTIONS));
    let asks = asked
        .iter()
        .map(|ask| format!("find out: {} (`{}`)", markdown(ask.question), ask.fact.as_str()));
    let further: Vec<&str> = further.iter().map(|ask| ask.fact.as_str()).collect();
    let further =
        (!further.is_empty()).then(|| format!("also find out: {}", quoted(&further, ", ")));
    page.list(rules.chain(asks).chain(further));
}

fn deadlines(plan: &Plan, page: &mut Page) {
    let slo = plan.slo();
    let mut rows = Vec::new();
    for objective in slo.slo.iter().chain(&slo.deadlines) {
        let within = objective.within.in_words();
        let clock =
            format!("{} to {}", words(objective.from.as_str()), words(objective.to.as_str()));
        let least = if objective.from == Moment::Declared { "at the earliest " } else { "" };
        let at = |at: Option<Timestamp>| {
            at.map_or_else(|| "–".to_owned(), |at| format!("{least}{}", utc(at)))
        };
        let sentence = match objective.verdict {
            Some(Kept::Missed | Kept::MayBeMissed) => {
                format!("**{}**", sentence_text(&objective.sentence))
            }
            _ => sentence_text(&objective.sentence),
        };
        let name = markdown(&objective.name);
        let row = [name, within, clock, sentence, at(objective.due), at(objective.latest_start)];
        // A duty and an objective that repeats it share one line.
        if !rows.iter().any(|other: &[String; 6]| other[1..] == row[1..]) {
            rows.push(row);
        }
    }
    if rows.is_empty() {
        return;
    }
    page.heading(3, "Time allowed");
    page.table(["", "Within", "From, to", "This plan", "Due (UTC)", "Latest start (UTC)"], rows);
}
