//! The plan's change record: who prepared it, its times, and its links.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::grade::closed_set;
use crate::sorting::map_of;
use crate::unit::Timestamp;

use super::{ChangeRecord, Link, Plan, PlanError, PreparedBy, Window};

closed_set! {
    /// The status of a plan.
    PlanStatus {
        /// It is written, and nothing has been requested yet.
        Drafted = "drafted",
        /// Approvals or checklists are open.
        AwaitingApproval = "awaiting_approval",
        /// It may start.
        Ready = "ready",
        /// It runs.
        InProgress = "in_progress",
        /// The last phase has its traffic.
        Complete = "complete",
        /// The previous version runs again.
        RolledBack = "rolled_back",
        /// It was aborted, or failed.
        Stopped = "stopped",
    }
}

/// The change record of a plan.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PlanChangeRecord<'a> {
    /// Its status.
    pub status: PlanStatus,
    /// Whether it is deployed as soon as possible, because it has no window.
    pub immediate: bool,
    /// The deployment window.
    pub window: Option<Window>,
    /// Who prepared it: a person or a program.
    pub prepared_by: Option<&'a PreparedBy>,
    /// When it was made.
    pub created: Option<Timestamp>,
    /// When it was last changed. Absent: never.
    pub changed: Option<Timestamp>,
    /// The branch.
    pub branch: Option<&'a str>,
    /// The commit.
    pub commit: Option<&'a str>,
    /// The build number.
    pub build: Option<&'a str>,
    /// The location of the artifact.
    pub artifact: Option<&'a str>,
    /// Links to further documents.
    pub links: BTreeMap<Link, &'a str>,
    /// The missing members, by name. A link to the cause is never among them, because the cause may
    /// be found later.
    pub missing: Vec<&'static str>,
}

impl Plan {
    pub(crate) fn change_window(&self) -> Option<Window> {
        self.release()?.change_record.as_ref()?.window
    }

    /// The plan's change record with the status `drafted`: only a rollout knows the real status.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use hotfix_core::{plan::Plan, policy::Policy};
    ///
    /// let release = r#"{"version": "2", "previous": "1", "branch": "hotfix/payment", "commit": "1a2b3c4",
    ///     "change_record": {"prepared_by": {"name": "Ada", "kind": "person"}, "created": "2026-03-03T14:20:00Z", "build": "456"}}"#;
    /// let plan = Plan::from_json(Arc::new(Policy::preset("phased-canary")?), r#"{"id": "INC-1"}"#, release, "")?;
    /// let record = plan.change_record();
    /// assert_eq!((record.build, record.immediate), (Some("456"), true));
    /// assert_eq!(record.missing, ["artifact", "diagnosis", "patch", "tests"]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn change_record(&self) -> PlanChangeRecord<'_> {
        let release = self.release();
        let record = release.and_then(|release| release.change_record.as_ref());
        let branch = release.and_then(|release| release.branch.as_deref());
        let commit = release.and_then(|release| release.commit.as_deref());
        let links: BTreeMap<Link, &str> = record.map_or_else(BTreeMap::new, |record| {
            map_of(record.links.iter().map(|(link, place)| (*link, place.as_str())))
        });
        let prepared_by = record.and_then(|record| record.prepared_by.as_ref());
        let created = record.and_then(|record| record.created);
        let build = record.and_then(|record| record.build.as_deref());
        let artifact = record.and_then(|record| record.artifact.as_deref());
        let own = [
            ("prepared_by", prepared_by.is_some()),
            ("created", created.is_some()),
            ("branch", branch.is_some()),
            ("commit", commit.is_some()),
            ("build", build.is_some()),
            ("artifact", artifact.is_some()),
        ];
        let own = own.into_iter().filter(|(_, there)| !there).map(|(name, _)| name);
        let linked = Link::ALL.iter().filter(|of| **of != Link::Cause && !links.contains_key(of));
        let missing = own.chain(linked.map(|link| link.as_str())).collect();
        let window = self.change_window();
        PlanChangeRecord {
            status: PlanStatus::Drafted,
            immediate: window.is_none(),
            window,
            prepared_by,
            created,
            changed: record.and_then(|record| record.changed),
            branch,
            commit,
            build,
            artifact,
            links,
            missing,
        }
    }
}

/// Refuses an invalid change record ([`PlanError::Record`]).
pub(super) fn check(record: &ChangeRecord) -> Result<(), PlanError> {
    let fault = |field: String, expected| Err(PlanError::Record { field, expected });
    let at = |field: &str| format!("/release/change_record/{field}");
    if record.window.is_some_and(|window| window.from >= window.until) {
        return fault(at("window/until"), "a time after `from`");
    }
    if let (Some(created), Some(changed)) = (record.created, record.changed)
        && changed < created
    {
        return fault(at("changed"), "a time that is not before `created`");
    }
    let name = record.prepared_by.as_ref().map(|by| ("prepared_by/name".to_owned(), &by.name));
    let build = record.build.as_ref().map(|build| ("build".to_owned(), build));
    let artifact = record.artifact.as_ref().map(|artifact| ("artifact".to_owned(), artifact));
    let links = record.links.iter().map(|(link, place)| (format!("links/{link}"), place));
    let mut texts = name.into_iter().chain(build).chain(artifact).chain(links);
    match texts.find(|(_, text)| text.trim().is_empty()) {
        Some((field, _)) => fault(at(&field), "a text, or omit it"),
        None => Ok(()),
    }
}
