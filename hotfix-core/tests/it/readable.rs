//! One text from outside reads the same wherever people read it.

use std::sync::Arc;

use hotfix_core::grade::{Audience, MessageKind};
use hotfix_core::message::{self, Rendered};
use hotfix_core::plan::Plan;
use hotfix_core::policy::Policy;
use hotfix_core::report::report;
use hotfix_core::rollout::{Act, Input, Recording, Rollout};
use serde_json::json;

/// How a character from outside reads: none for what is invisible, but for what scripts and emoji are
/// spelled with.
pub(crate) fn read(c: char) -> Option<char> {
    match c {
        '\u{200c}' | '\u{200d}' | '\u{fe00}'..='\u{fe0f}' => Some(c),
        '\u{2028}' | '\u{2029}' | '\u{fffe}' | '\u{ffff}' => Some(' '),
        c if c.is_control() => Some(' '),
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' => {
            None
        }
        '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{3164}'
        | '\u{feff}'
        | '\u{ffa0}'
        | '\u{fff0}'..='\u{fffb}'
        | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}' => None,
        c => Some(c),
    }
}

/// How a text from outside reads: one line.
pub(crate) fn reads(text: &str) -> String {
    let line: String = text.chars().filter_map(read).collect();
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A title, and how it reads.
const TITLES: [(&str, &str); 5] = [
    ("پرداخت\u{200c}ها نمی\u{200c}شوند", "پرداخت\u{200c}ها نمی\u{200c}شوند"),
    ("👩\u{200d}💻 login fails ❤\u{fe0f}", "👩\u{200d}💻 login fails ❤\u{fe0f}"),
    ("हिन्दी, cafe\u{301}", "हिन्दी, cafe\u{301}"),
    ("tab\there,\r\nline", "tab here, line"),
    ("pay\u{ad}ments \u{202e}fail\u{202c}\u{200b}", "payments fail"),
];

#[test]
fn comm_2_one_title_reads_the_same_everywhere() {
    for (title, reads) in TITLES {
        let incident = json!({"id": "INC-1", "service": "shop", "severity": "P1", "title": title, "detected_at": "2026-05-04T08:50:00Z"});
        let release = r#"{"version": "2", "previous": "1"}"#;
        let policy = Arc::new(Policy::preset("standard").unwrap());
        let plan = Plan::from_json(policy, &incident.to_string(), release, "").unwrap();
        let mut pages = vec![("plan", plan.to_markdown(None))];
        let mut rollout = Rollout::try_new(plan, Recording::Keep, "").unwrap();
        let at = "2026-05-04T09:00:00Z".parse().unwrap();
        let tick = Input::from_json(r#"{"kind": "tick"}"#).unwrap();
        let outcome = rollout.handle(at, &tick).unwrap();
        let paged = outcome.actions.iter().find_map(|action| match &action.act {
            Act::Page { why, .. } => Some(why.clone()),
            _ => None,
        });
        pages.push(("page", paged.unwrap()));
        let told = (MessageKind::Alert, Audience::Stakeholders, message::Format::Text);
        match rollout.message(told.0, told.1, told.2).unwrap() {
            Rendered::Text(text) => pages.push(("message", text)),
            Rendered::Json(document) => panic!("{document}"),
        }
        for format in ["markdown", "html"] {
            pages.push((format, report(rollout.log().as_bytes(), format).unwrap()));
        }
        for (name, page) in pages {
            assert!(page.contains(reads), "{name} of {title:?}: {page}");
            assert!(!page.contains("\\u{"), "{name} of {title:?}");
        }
    }
}
