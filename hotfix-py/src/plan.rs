//! `Plan`: what will be done, agreed before anything is deployed.

use std::sync::Arc;

use hotfix_core::canonical::Digest;
use hotfix_core::grade::Severity;
use hotfix_core::plan::{Plan as Core, PlanError};
use pyo3::prelude::*;
use pyo3::types::PyIterator;
use serde_json::{Error, Value};

use crate::commit;
use crate::convert::{At, object};
use crate::document::{self, each, shown, value};
use crate::error::Result;
use crate::phase::{Method, Phase};
use crate::policy::Policy;
use crate::typed::{Dicts, Findings, Json, Name, Timeline};

shown! {
    /// A plan for one hot-fix: a policy, an incident, a release and its traffic. Immutable.
    ///
    /// Made by `Policy.plan`.
    ///
    /// Examples
    /// --------
    /// >>> import hotfix
    /// >>> plan = hotfix.Policy.preset("phased-canary").plan(
    /// ...     {"id": "INC-2041", "severity": "P1"},
    /// ...     {"version": "2.3.1", "previous": "2.3.0",
    /// ...      "methods": [{"kind": "redeploy", "seconds": 150}, {"kind": "feature_flag", "seconds": 5}]},
    /// ... )
    /// >>> [method.kind for method in plan.methods]
    /// ['feature_flag', 'redeploy']
    Plan(Core) as [mapping, module = "hotfix"] {
        /// The policy that it follows.
        fn policy(this) -> Policy { this.policy().clone().into() }
        /// The phases of this plan's strategy, in order.
        fn phases(this) -> Vec<Phase> { each(&value(this.policy()), "phases", Phase) }
        /// The rollback methods, the fastest first; at least one.
        fn methods(this) -> Vec<Method> { this.methods().iter().copied().map(Method).collect() }
        /// The incident, as a dict.
        fn incident(this) -> Json { Json::of(&this.subject().incident) }
        /// The release, as a dict; None while nobody has named it.
        fn release(this) -> Option<Json> { this.subject().release.as_ref().map(Json::of) }
        /// The traffic, as a dict.
        fn traffic(this) -> Json { Json::of(&this.subject().traffic) }
        /// The calibration of the tests from the service's own history, as a dict by metric; empty
        /// without a history.
        ///
        /// ``{metric: {"history", "phases": [{"phase", "calibration": {"threshold", "cap", …}}, …]}}``;
        /// of a latency ``slow`` has the limits; without limits ``without`` gives the reason.
        fn calibration(this) -> Json { Json::of(this.calibrations()) }
        /// The power analysis of the plan, as a dict: which faults each phase can detect, before
        /// anything is deployed.
        ///
        /// ``phases`` has one entry for each phase for the leading metric, the error rate:
        /// ``expected_events`` of a healthy fix, ``healthy_passes`` (the probability that it meets the
        /// gate with exactly the planned requests), ``false_rollback`` by the sequential test, ``faults`` of
        /// 1.5 to 20 times the reference (``passes``, rolled back by ``plain`` bounds, detected by the
        /// ``sequential`` test, each with ``chance`` and whether it is ``approximate``; ``minutes``
        /// until then and ``requests_affected``), and ``smallest_ratio``, which the test detects with
        /// probability 0.8. ``all_gates`` is the probability that a healthy fix passes all gates by this
        /// metric. Without a reference ``phases`` and ``all_gates`` are absent, and ``missing`` says
        /// what the analysis lacks. ``advice`` lists changes that would improve the power. Each access computes it, which
        /// takes tens of milliseconds: keep the result.
        ///
        /// Examples
        /// --------
        /// >>> import hotfix
        /// >>> policy = hotfix.Policy.preset("phased-canary")
        /// >>> plan = policy.plan({"id": "INC-2041"}, {"version": "2.3.1", "previous": "2.3.0"})
        /// >>> power = plan.power
        /// >>> [round(phase["expected_events"], 9) for phase in power["phases"]]
        /// [3.0, 15.0, 90.0]
        /// >>> [round(100 * (1 - phase["healthy_passes"])) for phase in power["phases"]], round(100 * power["all_gates"])
        /// ([35, 43, 47], 19)
        fn power(this, py) -> Json { Json::of(&py.detach(|| this.power())) }
        /// The strategy of this plan, as a dict: its name, who chose it, and its steps.
        ///
        /// ``{"strategy", "own", "chosen_by", "steps": [{"move", "phase", "share", "side", "lasts", …},
        /// …]}``; ``batches`` for a rolling deployment whose batches follow from the number of
        /// instances. Durations are seconds.
        ///
        /// Examples
        /// --------
        /// >>> import hotfix
        /// >>> plan = hotfix.Policy.preset("phased-canary").plan(
        /// ...     {"id": "INC-2041"}, {"version": "2.3.1", "previous": "2.3.0", "strategy": "rolling"}, {"instances": 4}
        /// ... )
        /// >>> [phase.share for phase in plan.phases]
        /// [0.25, 0.5, 0.75, 1.0]
        /// >>> plan.strategy["own"], plan.strategy["strategy"]
        /// ('canary', 'rolling')
        fn strategy(this) -> Json { Json::of(&this.strategy()) }
        /// The recommended strategy, and the reasons against the others, as a dict.
        ///
        /// ``{"strategy", "own", "chosen", "reasons": [{"code", "weight", "rests_on", "text"}, …],
        /// "alternatives"}``. The recommended strategy can always be planned.
        ///
        /// Examples
        /// --------
        /// >>> import hotfix
        /// >>> plan = hotfix.Policy.preset("phased-canary").plan(
        /// ...     {"id": "INC-2041", "facts": {"service_down": True}}, {"version": "2.3.1", "previous": "2.3.0"}
        /// ... )
        /// >>> plan.recommendation["strategy"]
        /// 'immediate'
        fn recommendation(this) -> Json { Json::of(&this.recommendation()) }
        /// How this release is rolled back, as a dict: methods in the order in which they are tried,
        /// times in seconds, the rollback point, and changes that are not reversible.
        ///
        /// Examples
        /// --------
        /// >>> import hotfix
        /// >>> plan = hotfix.Policy.preset("phased-canary").plan(
        /// ...     {"id": "INC-2041"},
        /// ...     {"version": "2.3.1", "previous": "2.3.0", "methods": [{"kind": "feature_flag", "seconds": 5}]},
        /// ... )
        /// >>> plan.rollback["methods"][0]["kind"], plan.rollback["estimate"]
        /// ('feature_flag', {'least': 5.0, 'most': 5.0})
        fn rollback(this) -> Json { Json::of(&this.rollback()) }
        /// The check of the release's size against the policy's limits for a hot-fix, from its
        /// ``numstat`` and its ``change``.
        ///
        /// ``{"content", "figures", "breaches", "unknown", "wanted"}``: ``content`` is ``"yes"``,
        /// ``"no"`` or ``"unknown"``, and absent where the policy has no ``[scope]``. An unknown value
        /// never passes the check; ``unknown`` names the facts that would settle it.
        ///
        /// Examples
        /// --------
        /// >>> import hotfix
        /// >>> plan = hotfix.Policy.preset("standard").plan(
        /// ...     {"id": "INC-2041"},
        /// ...     {"version": "2.3.1", "previous": "2.3.0", "numstat": "6\t2\tpay.py\n300\t0\treport.py\n",
        /// ...      "change": {"fixes": 1, "features": False, "tidying": "none"}},
        /// ... )
        /// >>> plan.scope["content"], plan.scope["breaches"][0]["message"]
        /// ('no', 'it changes 308 lines, and the policy allows 200')
        fn scope(this) -> Json { Json::of(&this.scope()) }
        /// The requirements of the plan's severity: approvals, review, testing, and whether staging may
        /// be left out.
        ///
        /// ``{"severity", "basis", "would_tell", "in_policy", "label", "hotfix", "process",
        /// "approvals", "review", "testing"}``; ``basis`` is ``"given"``, ``"settled"``, ``"assumed"``
        /// or ``"unknown"``. Times are seconds.
        ///
        /// Examples
        /// --------
        /// >>> import hotfix
        /// >>> policy = hotfix.Policy.preset("severity-matrix")
        /// >>> plan = policy.plan({"id": "INC-2041", "severity": "P0"}, {"version": "2.3.1", "previous": "2.3.0"})
        /// >>> plan.demands["testing"]["staging"]
        /// {'verdict': 'unknown', 'would_tell': ['service_down', 'no_staging']}
        fn demands(this) -> Json { Json::of(&this.demands()) }
        /// SHA-256 of policy, incident, release, traffic and calibration in canonical JSON.
        fn digest(this) -> String { this.digest().to_string() }
        /// The severity that the plan is made for: the incident's if it is given, otherwise the one
        /// that the policy acts on while facts are unknown; None if it cannot be determined.
        fn severity(this) -> Option<Name<Severity>> { this.severity().map(Name::from) }
        /// The severity with its reasons, as a dict: the rules that apply, the facts that are still
        /// unknown, and the policy's name for it.
        fn assessment(this) -> Json { Json::of(&this.assessment()) }
        /// Findings that the person who starts the plan should know, the most important first:
        /// ``[{"kind", "text"}, …]``.
        fn findings(this) -> Json<Findings> { Json::of(&this.findings()) }
        /// The duration, in seconds: ``{"rollout", "until_live", "until_complete", "procedure"}``,
        /// each ``{"least", "most", "parts"}``.
        ///
        /// The rollout counts from the first deployment, the others from the detection; unknown
        /// durations are left out.
        ///
        /// Examples
        /// --------
        /// >>> import hotfix
        /// >>> plan = hotfix.Policy.preset("fast-track").plan({"id": "INC-1"}, {"version": "2", "previous": "1"})
        /// >>> plan.duration["procedure"]["least"], plan.duration["procedure"]["most"]
        /// (1680.0, 2400.0)
        fn duration(this) -> Json { Json::of(&this.duration()) }
        /// The policy's objective, its estimate and the deadlines for the fix, each with the time that
        /// this plan needs, as a dict: ``{"slo", "estimate", "deadlines"}``.
        ///
        /// ``verdict`` is ``kept``, ``may_be_missed`` or ``missed``.
        ///
        /// Examples
        /// --------
        /// >>> import hotfix
        /// >>> plan = hotfix.Policy.preset("fast-track").plan({"id": "INC-1"}, {"version": "2", "previous": "1"})
        /// >>> plan.slo["slo"]["verdict"]
        /// 'may_be_missed'
        fn slo(this) -> Json { Json::of(&this.slo()) }
        /// The steps that people take, in order, and immediate remedies, as a dict: ``{"steps",
        /// "remedies"}``.
        ///
        /// Examples
        /// --------
        /// >>> import hotfix
        /// >>> plan = hotfix.Policy.preset("enterprise").plan({"id": "INC-1"}, {"version": "2", "previous": "1"})
        /// >>> [step["title"] for step in plan.procedure["steps"]][:2]
        /// ['Detection and assessment', 'Team assembly']
        fn procedure(this) -> Json { Json::of(&this.procedure()) }
        /// Dos, don'ts and pitfalls, each with the part of this plan that ensures it: ``[{"id", "kind",
        /// "text", "shown_by", "seen_to_by"}, …]``. Without ``seen_to_by`` nothing checks the advice
        /// automatically.
        fn advice(this) -> Json<Dicts> { Json::of(&this.advice()) }
        /// The risk register, the most severe risk first, and contingencies for other failures, as a
        /// dict: ``{"register", "contingencies"}``.
        fn risks(this) -> Json { Json::of(&this.risks()) }
        /// What has to be done first: ``[{"kind", "text", "holds_start", "within", "who"}, …]``: what
        /// people do at once, then what the start waits for. `Rollout.blockers` is what is still open.
        fn first_steps(this) -> Json<Dicts> { Json::of(&this.first_steps()) }
        /// Whom to call, as a dict: ``{"escalation", "roles", "vendors"}``. A role is ``{"role",
        /// "title", "holders": [{"name", "reach"}], "reach", "stand_in", "stand_ins"}``.
        fn contacts(this) -> Json { Json::of(&this.contacts()) }
        /// The bounds of each metric: ``[{"metric", "title", "role", "scaled", "reference", "success",
        /// "alert", "rollback"}, …]``. A bound is ``{"figure", "text"}``; its text has side and unit.
        ///
        /// Examples
        /// --------
        /// >>> import hotfix
        /// >>> plan = hotfix.Policy.preset("phased-canary").plan({"id": "INC-1"}, {"version": "2", "previous": "1"})
        /// >>> [metric["alert"]["text"] for metric in plan.thresholds if metric["metric"] == "error_rate"]
        /// ['above 2%']
        fn thresholds(this) -> Json<Dicts> { Json::of(&this.thresholds()) }
        /// What happens after the fix is live, as a dict: ``{"validation", "gate", "lists",
        /// "duties"}``.
        fn follow_up(this) -> Json { Json::of(&this.follow_up()) }
        /// The commands that the policy has for checklist items, phases and steps, with this plan's
        /// values: ``[{"of", "id", "title", "commands": [{"line", "missing"}]}, …]``. A value is quoted
        /// for a POSIX shell; one that is not known remains a placeholder and is in ``missing``. Nothing
        /// is run.
        ///
        /// Examples
        /// --------
        /// >>> import hotfix
        /// >>> policy = hotfix.Policy.preset("enterprise")
        /// >>> plan = policy.plan({"id": "INC-1"}, {"version": "2.3.1", "previous": "2.3.0", "branch": "hotfix/a b"})
        /// >>> [owner["commands"][0]["line"] for owner in plan.commands if owner["id"] == "staging_health"]
        /// ["./deploy.sh 'hotfix/a b' staging"]
        fn commands(this) -> Json<Dicts> { Json::of(&this.commands()) }
        /// The plan's change record, as a dict: who made it, when, its change window, links, and what
        /// is ``missing``.
        fn change_record(this) -> Json { Json::of(&this.change_record()) }
    }
    {
        /// The power analysis as Markdown, with a table and advice.
        ///
        /// Examples
        /// --------
        /// >>> import hotfix
        /// >>> policy = hotfix.Policy.preset("phased-canary")
        /// >>> plan = policy.plan({"id": "INC-2041"}, {"version": "2.3.1", "previous": "2.3.0"})
        /// >>> "A healthy fix is expected to have 3, 15 and 90 errors" in plan.power_markdown()
        /// True
        fn power_markdown(&self, py: Python<'_>) -> String {
            py.detach(|| self.0.power().to_markdown())
        }

        /// Compose the commit message of the fix, with summary, issue, severity and impact from the
        /// plan.
        ///
        /// Parameters
        /// ----------
        /// summary : str, optional
        ///     What the fix does; by default the release's description, or the incident's title.
        /// scope, version, fields
        ///     As for `Policy.commit_message`; given values have priority.
        ///
        /// Returns
        /// -------
        /// dict
        ///     As `Policy.commit_message`.
        ///
        /// Raises
        /// ------
        /// PlanError
        ///     As `Policy.commit_message`.
        ///
        /// Examples
        /// --------
        /// >>> import hotfix
        /// >>> plan = hotfix.Policy.preset("standard").plan(
        /// ...     {"id": "INC-2041", "severity": "P1", "facts": {"payments_down": True}},
        /// ...     {"version": "2.3.1", "previous": "2.3.0", "description": "read the secret as UTF-8"},
        /// ... )
        /// >>> message = plan.commit_message(scope="payments")
        /// >>> print(message["text"], end="")
        /// fix(payments): read the secret as UTF-8
        /// <BLANKLINE>
        /// Issue: INC-2041
        /// Severity: P1
        /// Impact: all payments fail
        /// >>> message["missing"]
        /// ['cause', 'solution']
        #[pyo3(signature = (summary="", *, scope=None, version=None, fields: "Mapping[_CommitField, str | None] | None" = None))]
        fn commit_message(
            &self,
            summary: &str,
            scope: Option<&str>,
            version: Option<&str>,
            fields: Option<&Bound<'_, PyAny>>,
        ) -> Result<Json> {
            let parts = commit::parts(summary, scope, version, fields)?;
            Ok(Json::of(&self.0.commit_message(parts)?))
        }

        /// The timeline of a rollout without interruptions.
        ///
        /// Parameters
        /// ----------
        /// start : datetime or str
        ///     When the first deployment starts: an aware `datetime`, or RFC 3339 text.
        ///
        /// Returns
        /// -------
        /// list of dict
        ///     ``{"offset", "at", "step", "phase"}``: seconds after the start, the time, one of
        ///     ``deploy``, ``monitor``, ``gate``, ``final_validation``, ``complete``, and the phase if
        ///     there is one.
        ///
        /// Examples
        /// --------
        /// >>> import hotfix
        /// >>> policy = hotfix.Policy.preset("phased-canary")
        /// >>> plan = policy.plan({"id": "INC-2041"}, {"version": "2.3.1", "previous": "2.3.0"})
        /// >>> plan.timeline("2026-03-03T14:40:00Z")[-1]
        /// {'at': '2026-03-03T15:40:00.000Z', 'offset': 3600.0, 'step': 'complete'}
        fn timeline(&self, start: At) -> Json<Timeline> {
            Json::of(&self.0.timeline(start.0))
        }

        /// The source control steps of the fix: deployment, rollback, and merge back. Nothing is run.
        ///
        /// Parameters
        /// ----------
        /// at : datetime or str
        ///     The time of the tag, for tags that are named by time.
        ///
        /// Returns
        /// -------
        /// dict
        ///     ``flow``, ``base``, ``branch``, ``version``, ``tag``; ``steps``, each with ``kind``,
        ///     ``title``, ``commands`` (each with ``argv``, and ``shown``, quoted for a shell) and
        ///     ``people``; ``rollback`` with its ``steps`` and those for another attempt (``again``);
        ///     ``merge_back`` with the ``branches`` that need the fix in the end; ``findings``.
        ///
        /// Raises
        /// ------
        /// PlanError
        ///     For a flow that the policy does not allow, and for names that git does not accept.
        ///
        /// Examples
        /// --------
        /// >>> import hotfix
        /// >>> plan = hotfix.Policy.preset("emergency-command").plan(
        /// ...     {"id": "INC-1"}, {"version": "1.2.4", "previous": "1.2.3", "description": "critical auth fix"}
        /// ... )
        /// >>> for command in plan.source_control("2026-03-03T14:40:00Z")["steps"][0]["commands"]:
        /// ...     print(command["shown"])
        /// git fetch --tags origin
        /// git switch --create hotfix/critical-auth-fix refs/tags/v1.2.3
        fn source_control(&self, at: At) -> Result<Json> {
            Ok(Json::of(&self.0.source_control(at.0)?))
        }

        /// The plan as a page in Markdown, for the people who carry it out.
        ///
        /// Parameters
        /// ----------
        /// start : datetime or str, optional
        ///     When the first deployment starts: an aware `datetime`, or RFC 3339 text. Without it the
        ///     timeline shows only offsets (T+).
        ///
        /// Returns
        /// -------
        /// str
        ///     Markdown with GitHub's tables. Markup in the caller's texts is escaped.
        ///
        /// Examples
        /// --------
        /// >>> import hotfix
        /// >>> policy = hotfix.Policy.preset("phased-canary")
        /// >>> plan = policy.plan({"id": "INC-2041"}, {"version": "2.3.1", "previous": "2.3.0"})
        /// >>> plan.to_markdown().splitlines()[0]
        /// '# Hot-fix plan for INC-2041'
        #[pyo3(signature = (start=None))]
        fn to_markdown(&self, start: Option<At>) -> String {
            self.0.to_markdown(start.map(|start| start.0))
        }

        /// Rollout and procedure as a Mermaid gantt chart.
        ///
        /// Parameters
        /// ----------
        /// start : datetime or str, optional
        ///     As in `to_markdown`. Without it the axis counts from T+00:00. With it the axis shows
        ///     UTC, and the procedure is drawn if the incident has its time of detection.
        ///
        /// Returns
        /// -------
        /// str
        #[pyo3(signature = (start=None))]
        fn gantt(&self, start: Option<At>) -> String {
            self.0.gantt(start.map(|start| start.0))
        }

        /// The document of `to_dict` as JSON.
        fn to_json(&self) -> String {
            self.0.to_json()
        }

        /// The plan and all its views as a dict, computed for this call.
        ///
        /// ``{"digest", "incident", "release", "traffic", "policy", "phases", "methods", "strategy",
        /// "recommendation", "rollback", "severity", "assessment", "demands", "scope", "findings",
        /// "change_record", "duration", "timeline", "slo", "procedure", "advice", "risks",
        /// "first_steps", "contacts", "thresholds", "follow_up", "commands",
        /// "calibration"}``; ``severity``, ``commands`` and ``calibration`` only where there is one. Each is the
        /// value of the property or method with its name, so ``plan["strategy"] == plan.strategy``, a
        /// dict. `power` and `source_control` are separate.
        fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
            object(py, &self.document())
        }

        fn __getitem__<'py>(
            &self,
            py: Python<'py>,
            key: &Bound<'py, PyAny>,
        ) -> PyResult<Bound<'py, PyAny>> {
            self.to_dict(py)?.get_item(key)
        }

        fn __contains__(&self, key: &str) -> bool {
            self.document().get(key).is_some()
        }

        fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyIterator>> {
            document::iter(py, &self.document())
        }

        /// The members that are present.
        fn keys(&self) -> Vec<String> {
            document::keys(&self.document())
        }

        fn __hash__(&self) -> u64 {
            hash_of(self.0.digest())
        }

        fn __repr__(&self) -> String {
            let release = self.0.release().map(|r| format!("{} to {}", r.previous, r.version));
            let release = release.unwrap_or_else(|| "no release yet".to_owned());
            let (id, policy) = (&self.0.subject().incident.id, self.0.policy().name());
            format!("<Plan {id:?}, {release}, policy {policy:?}>")
        }

        #[staticmethod]
        fn _restored(policy: &Policy, subject: &str, calibration: &str) -> Result<Self> {
            let fault = |e: Error| PlanError::Syntax { document: "plan", fault: e.to_string() };
            let subject = serde_json::from_str(subject).map_err(fault)?;
            let calibrations = serde_json::from_str(calibration).map_err(fault)?;
            Ok(Self(Core::restored(Arc::clone(&policy.0), subject, calibrations)?))
        }

        fn __reduce__<'py>(
            &self,
            py: Python<'py>,
        ) -> PyResult<(Bound<'py, PyAny>, (Policy, String, String))> {
            let make = py.get_type::<Self>().getattr("_restored")?;
            let (subject, calibrations) = (value(self.0.subject()), value(self.0.calibrations()));
            Ok((make, (self.policy(), subject.to_string(), calibrations.to_string())))
        }
    }
}

impl Plan {
    fn document(&self) -> Value {
        value(&self.0.document())
    }
}

/// Half of the digest is enough for a hash.
pub(crate) fn hash_of(digest: Digest) -> u64 {
    digest.as_bytes().iter().take(8).fold(0, |hash, byte| hash << 8 | u64::from(*byte))
}
