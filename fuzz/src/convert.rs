//! Reads any bytes as documents of another tool: they are refused with places, or they give a
//! policy that can be loaded and linted.

use hotfix_core::interop::{Kind, convert};
use hotfix_core::policy::Policy;

/// As documents of Argo Rollouts.
pub fn argo(data: &[u8]) {
    check(data, Kind::ArgoRollouts);
}

/// As documents of Flagger.
pub fn flagger(data: &[u8]) {
    check(data, Kind::Flagger);
}

/// As a configuration of Kayenta.
pub fn kayenta(data: &[u8]) {
    check(data, Kind::Kayenta);
}

/// As documents of `OpenSLO`.
pub fn openslo(data: &[u8]) {
    check(data, Kind::OpenSlo);
}

/// Reads them as documents of that tool, and as the tool that they name themselves.
fn check(data: &[u8], kind: Kind) {
    let Ok(text) = str::from_utf8(data) else { return };
    for kind in [Some(kind), None] {
        match convert(text, kind) {
            Err(errors) => {
                assert!(errors.first().is_some(), "refused without an error");
                for error in &errors {
                    assert!(error.code().starts_with("HF-CONV-"), "{error}");
                    assert!(error.line().is_some(), "{error}");
                    assert!(!error.sentence().contains('\n'), "{error}");
                }
            }
            Ok(imported) => {
                for finding in &imported.findings {
                    assert!(finding.line >= 1 && finding.column >= 1, "{finding:?}");
                    assert!(
                        finding.path.is_empty() || finding.path.starts_with('/'),
                        "{finding:?}"
                    );
                    let message = finding.message();
                    assert!(!message.is_empty() && !message.contains('\n'), "{message}");
                }
                imported.policy.lint(None);
                let logged: Policy = serde_json::from_str(&imported.policy.to_json())
                    .expect("a written policy reads back");
                assert_eq!(logged, imported.policy);
            }
        }
    }
}
