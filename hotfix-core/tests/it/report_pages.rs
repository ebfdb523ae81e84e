//! What the pages of a report show and what they leave out (POST-1, POST-2).

use std::sync::Arc;

use hotfix_core::policy::Policy;
use hotfix_core::report::{DutyOutcome, Format, Report};
use hotfix_core::rollout::{Recording, Rollout, State};
use hotfix_core::simulate::{Campaign, Scenario};
use hotfix_core::unit::Span;

use crate::imported_run::{Run, podinfo};
use crate::story::Story;

fn read(rollout: &Rollout) -> (Report, [String; 2]) {
    let report = Report::from_log(rollout.log().as_bytes()).unwrap();
    let pages = [Format::Markdown, Format::Html].map(|format| report.write(format).unwrap());
    (report, pages)
}

/// The labels of the vertical axis of a chart.
fn labels<'a>(page: &'a str, chart: &str) -> Vec<&'a str> {
    let svg = &page[page.find(&format!("aria-labelledby=\"{chart}-title")).unwrap()..];
    let svg = &svg[..svg.find("</svg>").unwrap()];
    let texts = svg.split("<text class=\"value\"").skip(1);
    texts.map(|text| &text[text.find('>').unwrap() + 1..text.find('<').unwrap()]).collect()
}

/// Rolled back in the last step but one: eleven phases, two metrics, bounds without tests.
fn imported() -> Run {
    let mut run = Run::start(podinfo());
    while run.rollout.share().as_fraction() < 0.5 {
        run.minute(Some(0.998));
    }
    for _ in 0..15 {
        run.minute(Some(0.98));
    }
    run
}

#[test]
fn post_1_no_share_is_drawn_beyond_its_end() {
    let run = imported();
    let (_, [_, html]) = read(&run.rollout);
    assert_eq!(labels(&html, "metric-1"), ["97%", "98%", "99%", "100%"]);
    assert!(html.contains("<i class=\"threshold\"></i>rollback bound"));
}

/// A watch of hours leaves the incident the width of a plot, and its points.
#[test]
fn post_1_plots_end_with_the_incident_and_not_with_the_watch_after_it() {
    let incident = "until = '7h'\nincident = { id = 'INC-1', service = 'pay', severity = 'P1' }";
    let scenario = Scenario::read(incident).unwrap();
    let plan = scenario.plan(Arc::new(Policy::preset("standard").unwrap())).unwrap();
    let (player, _) = Campaign::try_new(plan, &scenario, 1).unwrap().drill(0).unwrap();
    let (report, [_, html]) = read(player.rollout());
    let complete = report.plots.marks.iter().find(|mark| mark.state == State::Complete).unwrap();
    for plot in &report.plots.metrics {
        let points = plot.new_version.iter().filter(|point| point.at <= complete.at);
        assert!(points.count() > 150, "{}", plot.metric);
        assert!(plot.new_version.last().unwrap().at > complete.at + Span::from_seconds(4 * 3600));
    }
    let drawn =
        html[html.find("aria-labelledby=\"metric-0").unwrap()..].split("</svg>").next().unwrap();
    let width = |rect: &str| rect.split(" width=\"").nth(1)?.split('"').next()?.parse::<f64>().ok();
    let phases = drawn.split("<rect class=\"phase").skip(1);
    let wide: f64 = phases.filter_map(width).sum();
    assert!(wide > 150.0, "the phases are {wide} of 342 wide");
    assert!(html.contains("<p class=\"after\">Not drawn: until "));
}

#[test]
fn post_1_without_a_test_there_is_no_evidence() {
    let run = imported();
    let (report, pages) = read(&run.rollout);
    assert!(report.plots.evidence.is_empty());
    assert!(report.verdicts.iter().all(|verdict| verdict.threshold.is_none()));
    for page in pages {
        assert!(!page.contains("Combined evidence") && !page.contains("log e-value"), "{page}");
        assert!(page.contains("No test compares the versions: only bounds decide."));
        assert!(!page.contains("the fix works"), "a legend of what is not there");
    }
}

/// A bar is the time that a duty took: of one that is repeated there is no such time.
#[test]
fn post_2_a_repeated_duty_has_no_bar() {
    let mut story = Story::new("standard", Recording::Keep);
    story.start();
    story.run(30, Story::healthy);
    let (report, [markdown, html]) = read(&story.rollout);
    let repeated = report.duties.iter().filter(|duty| duty.times.is_some());
    let repeated: Vec<_> = repeated.filter(|duty| duty.status != DutyOutcome::Over).collect();
    assert!(!repeated.is_empty());
    for duty in repeated {
        assert!(!html.contains(&format!("\">{}</text>", duty.title)), "{duty:?}");
        assert!(markdown.contains(&duty.title));
    }
    assert!(!markdown.contains("1 times"), "{markdown}");
}

/// What follows a success is not on the list of a fix that was rolled back.
#[test]
fn post_2_a_fix_that_was_rolled_back_has_nothing_to_merge() {
    let mut story = Story::new("standard", Recording::Keep);
    story.start();
    story.run(10, Story::healthy);
    story.input(r#"{"kind": "roll_back", "by": "omar", "why": "users call"}"#);
    story.confirm_all();
    story.run_until(120, Story::after_rollback, State::RolledBack);
    let (report, [markdown, _]) = read(&story.rollout);
    for item in &report.action_items {
        let late = item.deadline.as_deref().is_some_and(|due| due.contains("after deployed"));
        assert!(!late, "{item:?}");
    }
    assert!(
        !report.open.iter().any(|open| open.contains("the fix is in main")),
        "{:?}",
        report.open
    );
    assert!(report.success_criteria.is_empty(), "{:?}", report.success_criteria);
    assert!(markdown.contains("a person triggered the rollback"), "{markdown}");
    assert!(!markdown.contains("turned back") && !markdown.contains("deploy\\_started"));
}

/// The report and the messages have one sentence for what was reported.
#[test]
fn post_1_a_report_that_rolled_back_is_named() {
    let mut story = Story::new("phased-canary", Recording::Keep);
    story.start();
    story.run(10, Story::healthy);
    story.input(r#"{"kind": "report", "by": "omar", "signal": "data_corruption"}"#);
    assert_eq!(story.state(), State::RollingBack);
    let (_, [markdown, _]) = read(&story.rollout);
    assert!(markdown.contains("a report triggered the rollback"), "{markdown}");
    assert!(markdown.contains("data was corrupted"), "{markdown}");
}

/// The bug's events and failed requests are two units: what the lesser harm is concluded from is shown.
#[test]
fn post_1_the_lesser_harm_is_of_what_is_shown_beside_it() {
    let scenario = r#"
        until = "2h"
        traffic = { requests = 3000 }
        faults = [{ kind = "errors", times = 4.0 }]
    "#;
    let scenario = Scenario::read(scenario).unwrap();
    let plan = scenario.plan(Arc::new(Policy::preset("standard").unwrap())).unwrap();
    let (driver, _) = Campaign::try_new(plan, &scenario, 11).unwrap().drill(0).unwrap();
    let (report, _) = read(driver.rollout());
    let estimated = report.impact.sentences.last().unwrap();
    let (_, estimated) = estimated.split_once("of the traffic: ").unwrap();
    assert_eq!(
        estimated,
        "34–139 failed requests per minute with the new version, 11–30 with the live version; 0–9 events \
         per minute with the new version, 10–18 with the live version. It was not clear which version was \
         the lesser harm, because an event may be one of the failed requests or another harm."
    );
}
