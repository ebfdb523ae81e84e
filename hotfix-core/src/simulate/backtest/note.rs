//! The notes of a rollout during a backtest.

use std::collections::{BTreeMap, BTreeSet};

use crate::grade::{OnFailure, Role};
use crate::judge::{Cause, Decision, MetricVerdict, Reason, Verdict};
use crate::metric::{Band, ReadingError};
use crate::plan::{ErrorBudget, Plan};
use crate::policy::Policy;
use crate::policy::section::Metric;
use crate::rollout::{Refusal, RefusalReason, Rollout};
use crate::simulate::recorded::{Anomaly, RecordedFinding};
use crate::sorting::{map_of, sort_by_key};
use crate::stats::numeric::ln;
use crate::text::joined;
use crate::unit::{MetricName, Timestamp};

use super::{Backtest, BandChange, Ended, MetricTrace, Rests, Stood, What, Would};

pub(super) struct Notes {
    /// The result so far. Its end has the last phase.
    pub(super) found: Backtest,
    /// The metrics that had a live version to compare with, also one from before the start.
    pub(super) compared: BTreeSet<MetricName>,
    /// Readings that were refused, by code and metric.
    refused: BTreeMap<(&'static str, MetricName), (ReadingError, usize, Timestamp)>,
    /// The last verdict that was listed.
    last: Option<(Decision, Vec<Cause>)>,
    /// Entries that were not listed.
    cut: usize,
    /// Log e-values at which the policy holds and rolls back.
    hold: f64,
    threshold: f64,
}

impl Notes {
    pub(super) fn new(policy: &Policy, left_out: &[MetricName]) -> Self {
        let trace = |metric: &Metric| {
            let left_out = left_out.contains(&metric.id);
            let role = if left_out { Role::Decide } else { metric.role };
            (metric.id, MetricTrace { role, left_out, ..MetricTrace::default() })
        };
        let found = Backtest {
            policy: policy.name(),
            would: Vec::new(),
            first_alert: None,
            first_ask: None,
            first_rollback: None,
            crossed_at: None,
            ended: Ended::default(),
            metrics: map_of(policy.metrics().iter().map(trace)),
            findings: Vec::new(),
        };
        let (hold, threshold) =
            (ln(policy.evidence().hold.value()), ErrorBudget::new(policy).threshold());
        let (compared, refused) = (BTreeSet::new(), BTreeMap::new());
        Self { found, compared, refused, last: None, cut: 0, hold, threshold }
    }

    /// Notes the verdict after an input.
    pub(super) fn judged(&mut self, rollout: &Rollout, at: Timestamp) {
        let verdict = rollout.verdict();
        if self.found.first_rollback.is_some() || verdict.metrics.is_empty() {
            return;
        }
        self.follow(verdict, at);
        let news = self.last.as_ref().is_none_or(|(decision, causes)| {
            *decision != verdict.decision || *causes != verdict.causes
        });
        if news {
            // A first verdict without a problem is not listed.
            if self.last.is_some() || verdict.decision != Decision::Continue {
                self.list(rollout.plan(), verdict, at);
            }
            self.last = Some((verdict.decision, verdict.causes.clone()));
        }
        let before = self.found.ended.phase.filter(|_| verdict.decision == Decision::RollBack);
        self.found.ended.phase = rollout.phase().or(before);
    }

    /// Notes a question to a person, unless the verdict asks it.
    pub(super) fn asked(&mut self, question: &str, rollout: &Rollout, at: Timestamp) {
        if matches!(rollout.verdict().decision, Decision::Ask | Decision::RollBack) {
            return;
        }
        self.found.first_ask.get_or_insert(at);
        self.push(Would {
            at,
            what: What::Ask,
            phase: self.found.ended.phase,
            reason: question.to_owned(),
            metrics: Vec::new(),
            evidence: Rests { log_e: rollout.verdict().log_e, metrics: BTreeMap::new() },
        });
    }

    pub(super) fn refused(&mut self, refusal: &Refusal, at: Timestamp) {
        if let RefusalReason::Reading(error) = &refusal.reason {
            let known = self.refused.entry((error.code(), error.metric()));
            known.or_insert_with(|| (error.clone(), 0, at)).1 += 1;
        }
    }

    pub(super) fn findings(&self) -> Vec<RecordedFinding> {
        let refused = self.refused.values();
        let mut findings: Vec<_> = refused
            .map(|(error, count, at)| RecordedFinding::refused(error, *count, *at))
            .collect();
        if self.cut > 0 {
            findings.push(Anomaly::Cut(Backtest::MOST_LISTED).finding(self.cut, None, None));
        }
        findings
    }

    /// Notes the bands of each metric, and when each limit was first reached.
    fn follow(&mut self, verdict: &Verdict, at: Timestamp) {
        if verdict.log_e >= self.threshold {
            self.found.crossed_at.get_or_insert(at);
        }
        for (id, seen) in &verdict.metrics {
            let Some(trace) = self.found.metrics.get_mut(id) else { continue };
            if trace.bands.last().is_none_or(|last| last.band != seen.band) {
                if trace.bands.len() < Backtest::MOST_LISTED {
                    trace.bands.push(BandChange { at, band: seen.band });
                } else {
                    self.cut += 1;
                }
            }
            let alerts = matches!(seen.band, Band::Alert | Band::Rollback);
            let log_e = seen.log_e.unwrap_or(0.0);
            if seen.baseline.is_some() || log_e != 0.0 {
                self.compared.insert(*id);
            }
            let decides = trace.role == Role::Decide && !trace.left_out;
            for (is_so, first) in [
                (alerts, &mut trace.alert_at),
                (alerts && decides, &mut self.found.first_alert),
                (seen.band == Band::Rollback, &mut trace.rollback_at),
                (log_e >= self.hold, &mut trace.held_at),
                (log_e >= self.threshold, &mut trace.crossed_at),
            ] {
                if is_so {
                    first.get_or_insert(at);
                }
            }
        }
    }

    fn list(&mut self, plan: &Plan, verdict: &Verdict, at: Timestamp) {
        let alerts =
            |cause: &Cause| matches!(cause.reason, Reason::AlertBand | Reason::RollbackBand);
        let what = match verdict.decision {
            Decision::RollBack => match plan.on_failure() {
                OnFailure::RollBack => What::RollBack,
                OnFailure::Freeze => What::Freeze,
                OnFailure::Ask => What::Ask,
            },
            Decision::Ask => What::Ask,
            Decision::Promote => What::Promote,
            Decision::Hold | Decision::Continue if verdict.causes.iter().any(alerts) => What::Alert,
            Decision::Hold => What::Hold,
            Decision::Continue => What::Continue,
        };
        match what {
            What::RollBack => _ = self.found.first_rollback.get_or_insert(at),
            What::Ask => _ = self.found.first_ask.get_or_insert(at),
            What::Continue | What::Alert | What::Hold | What::Promote | What::Freeze => {}
        }
        let mut metrics: Vec<MetricName> =
            verdict.causes.iter().filter_map(|cause| cause.metric).collect();
        sort_by_key(&mut metrics, |metric| *metric);
        metrics.dedup();
        let stood = |id: &MetricName| {
            let MetricVerdict { band, canary, baseline, log_e, .. } = *verdict.metric(*id)?;
            Some((*id, Stood { band, canary, baseline, log_e }))
        };
        let evidence =
            Rests { log_e: verdict.log_e, metrics: map_of(metrics.iter().filter_map(stood)) };
        let words = |cause: &Cause| match cause.metric {
            Some(metric) => format!("{metric}: {}", cause.reason),
            None => cause.reason.to_string(),
        };
        let reason = joined(verdict.led_by().iter().map(words), ", ");
        self.push(Would { at, what, phase: self.found.ended.phase, reason, metrics, evidence });
    }

    fn push(&mut self, would: Would) {
        // A rollback is listed in any case: it is the last decision.
        if self.found.would.len() < Backtest::MOST_LISTED || would.what == What::RollBack {
            self.found.would.push(would);
        } else {
            self.cut += 1;
        }
    }
}
