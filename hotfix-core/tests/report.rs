//! The report from the log alone (POST-1, POST-2, POST-6).

mod report_common;
mod story;
mod tree;

use hotfix_core::report::{Format, Report};

use report_common::Run;

/// The scenario's runs, as golden files.
#[test]
fn post_1_the_scenarios_runs_are_told_as_they_were() {
    for run in Run::ALL {
        let log = run.log();
        let report = Report::from_log(log.as_bytes()).unwrap();
        let name = run.name();
        let markdown = report.write(Format::Markdown).unwrap();
        tree::committed(&format!("hotfix-core/tests/golden/report/{name}.md"), &markdown);
        let mut json = report.write(Format::Json).unwrap();
        json.push('\n');
        tree::committed(&format!("hotfix-core/tests/golden/report/{name}.json"), &json);
    }
}
