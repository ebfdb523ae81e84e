//! Messages: what each says, for whom, in which format (COMM-1, COMM-2).

use std::fmt::Write as _;
use std::path::Path;

use hotfix_core::grade::{Audience, MessageKind};
use hotfix_core::message::{Format, Rendered, Request};
use hotfix_core::policy::Policy;
use hotfix_core::rollout::Rollout;

use crate::message_story::{draft, marked_states, moments};

/// `HOTFIX_BLESS=1` writes the files anew; each was read by eye.
fn golden(name: &str, text: &str) {
    let folder = Path::new(&std::env::var("CARGO_MANIFEST_DIR").unwrap()).join("golden/message");
    let path = folder.join(name);
    if std::env::var_os("HOTFIX_BLESS").is_some() {
        std::fs::create_dir_all(folder).unwrap();
        std::fs::write(&path, text).unwrap();
        return;
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == text,
        "{name} has changed: read it, then HOTFIX_BLESS=1 writes it anew\n{text}"
    );
}

#[test]
fn comm_1_every_kind_audience_and_format_of_the_scenario() {
    let moments = moments();
    for format in Format::ALL {
        let mut text = String::new();
        for (kind, rollout) in &moments {
            for audience in Audience::ALL {
                let message = rollout.message(*kind, *audience, *format).unwrap();
                writeln!(text, "===== {kind} to {audience}").unwrap();
                match message {
                    Rendered::Text(message) => writeln!(text, "{message}\n").unwrap(),
                    Rendered::Json(document) => {
                        writeln!(text, "{}\n", serde_json::to_string_pretty(&document).unwrap())
                            .unwrap();
                    }
                }
            }
        }
        golden(&format!("{format}.txt"), &text);
    }
}

#[test]
fn comm_1_every_preset_has_words_for_each_occasion() {
    for preset in Policy::presets() {
        let mut text = String::new();
        let states = marked_states(preset);
        for kind in MessageKind::ALL {
            let rollout = match kind {
                MessageKind::Alert => &states[0],
                MessageKind::DeploymentStarted => &states[2],
                MessageKind::RollingBack => &states[5],
                MessageKind::RolledBack => &states[6],
                _ => &states[3],
            };
            for audience in Audience::ALL {
                let message = draft(rollout, *kind, *audience, Format::Text).to_string();
                writeln!(text, "===== {kind} to {audience}\n{message}\n").unwrap();
                assert!(!message.is_empty(), "{preset} {kind} {audience}");
            }
        }
        golden(&format!("preset-{preset}.txt"), &text);
    }
}

#[test]
fn comm_1_every_title_names_service_and_incident_but_the_public_s() {
    for preset in Policy::presets() {
        for rollout in marked_states(preset) {
            for kind in MessageKind::ALL {
                for audience in Audience::ALL {
                    let text = draft(&rollout, *kind, *audience, Format::Text).to_string();
                    let title = text.lines().next().unwrap_or_default();
                    let place = format!("{preset} {kind} {audience}: {text}");
                    if *audience == Audience::Public {
                        assert!(title.contains("Card payments"), "{place}");
                        assert!(!text.contains("INC-1"), "{place}");
                    } else {
                        assert!(title.starts_with("Draft: Card payments, INC-1: "), "{place}");
                        assert_eq!(text.matches("INC-1").count(), 1, "{place}");
                    }
                }
            }
        }
    }
}

#[test]
fn comm_2_the_public_sees_nothing_that_anybody_filled_in() {
    let mut seen_inside = 0;
    for preset in Policy::presets() {
        for rollout in marked_states(preset) {
            for kind in MessageKind::ALL {
                for format in Format::ALL {
                    let of = |audience| draft(&rollout, *kind, audience, *format).to_string();
                    let public = of(Audience::Public);
                    for mark in ["SECRET", "secret", "redeploy", "error_rate", "hotfix/"] {
                        assert!(!public.contains(mark), "{preset} {kind} {format}: {public}");
                    }
                    let business = of(Audience::Business).replace("SECRET-title", "");
                    assert!(!business.contains("SECRET"), "{preset} {kind} {format}: {business}");
                    seen_inside += usize::from(of(Audience::Responders).contains("SECRET"));
                }
            }
        }
    }
    // The marks are there for those who may see them, else the test would show nothing.
    assert!(seen_inside > 100, "{seen_inside}");
}

#[test]
fn comm_1_no_message_has_a_blank() {
    for preset in Policy::presets() {
        for rollout in marked_states(preset) {
            for kind in MessageKind::ALL {
                for audience in Audience::ALL {
                    let text = draft(&rollout, *kind, *audience, Format::Text).to_string();
                    let place = format!("{preset} {kind} {audience}: {text}");
                    assert!(!text.contains("{{") && !text.contains("{%"), "{place}");
                    for line in text.lines() {
                        assert!(!line.trim().is_empty() && !line.contains("  "), "{place}");
                        assert!(!line.ends_with([' ', ',']) && !line.contains(" ,"), "{place}");
                        assert!(!line.chars().any(char::is_control), "{place}");
                        // A label alone is followed by its lines.
                        let is_label = line.ends_with(':');
                        assert!(!is_label || text.contains(&format!("{line}\n- ")), "{place}");
                    }
                }
            }
        }
    }
}

#[test]
fn comm_1_where_no_line_is_left_the_message_says_how_it_stands() {
    let without = |rollout: &Rollout, audience, format, fields: &[&str]| {
        let values = fields.iter().map(|field| ((*field).to_owned(), String::new())).collect();
        let kind = MessageKind::PhasePassed;
        let request = Request { audience, format, values, draft: true, ..Request::new(kind) };
        rollout.message_for(&request).unwrap()
    };
    for preset in Policy::presets() {
        // No phase passed, nothing was measured, and nobody knows what comes next.
        let rollout = &marked_states(preset)[0];
        let fields = ["phase", "share", "next_step", "metrics", "duration"];
        let text = without(rollout, Audience::Responders, Format::Text, &fields).to_string();
        let told = "Draft: Card payments, INC-1: SECRET-title: a fix is waiting for approval";
        assert_eq!(text, told, "{preset}");
        for audience in Audience::ALL {
            let Rendered::Json(event) = without(rollout, *audience, Format::PagerDuty, &fields)
            else {
                panic!("no event")
            };
            assert_ne!(event["payload"]["summary"], "", "{preset} {audience}");
        }
        let fields = [&fields[..], &["title", "service", "status"]].concat();
        let text = without(rollout, Audience::Responders, Format::Text, &fields).to_string();
        assert_eq!(text, "Draft: INC-1: Incident", "{preset}");
    }
}

#[test]
fn comm_2_times_are_in_utc_or_as_the_house_asks() {
    let moments = moments();
    let (_, rollout) = &moments[0];
    let mut request = Request::new(MessageKind::Alert);
    let text = rollout.message_for(&request).unwrap().to_string();
    assert!(text.contains("14:02 UTC\n") || text.contains("14:02 UTC"), "{text}");
    request.utc_offset = "+05:30".parse().unwrap();
    let text = rollout.message_for(&request).unwrap().to_string();
    assert!(text.contains("19:32 UTC+05:30"), "{text}");
    // On another day for the readers the date stands with it.
    request.utc_offset = "-12:00".parse().unwrap();
    request.at = Some("2026-03-04T14:00:00Z".parse().unwrap());
    let text = rollout.message_for(&request).unwrap().to_string();
    assert!(text.contains("2026-03-03 02:02 UTC-12:00"), "{text}");
}
