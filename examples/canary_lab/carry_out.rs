//! Carries out the actions that the library asks for.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context as _;
use hotfix_core::grade::RollbackMethod;
use hotfix_core::rollout::{Act, ActionId};
use hotfix_core::unit::Share;
use hyper::Method as Verb;
use serde_json::Value;

use crate::drive::now;
use crate::http;
use crate::idle;
use crate::lines::Line;
use crate::pace::Pace;
use crate::platform::Order;
use crate::switch::{Mover, Switch};

/// Maximum duration of a deployment by the platform.
const DEPLOY_PATIENCE: Duration = Duration::from_secs(20);

/// Seconds of the script for which a new share has to be in effect before it counts as reached, and
/// the minimum time for that: by then nearly all requests that were sent under the old share have
/// been answered.
const SETTLE: f64 = 0.8;
const SETTLE_LEAST: Duration = Duration::from_millis(400);

/// The result of an action.
pub(crate) struct Done {
    /// The action.
    pub(crate) id: ActionId,
    /// The observations during the action, or the reason why it failed.
    pub(crate) done: anyhow::Result<Vec<Line>>,
}

/// How this driver carries out an action.
pub(crate) enum Task {
    /// Notify people; nothing is awaited.
    Tell {
        /// The people.
        audience: String,
        /// The message.
        text: String,
    },
    /// Do the work and report its end.
    Do {
        /// A description.
        what: String,
        /// The steps.
        work: Work,
    },
}

/// The steps of an action, done in this order.
#[derive(Default)]
pub(crate) struct Work {
    /// Deploy this version.
    deploy: Option<String>,
    /// Then check the idle side: it runs this version.
    check: Option<String>,
    /// Send this share of the traffic to the fix.
    share: Option<Share>,
    /// Wait until the share is in effect for all requests.
    settles: bool,
    /// Reason why this driver cannot carry out the action.
    cannot: Option<String>,
}

/// Translates an action for this switch.
pub(crate) fn task(act: &Act, switch: &Switch, instances: Option<u32>) -> Task {
    let tell = |audience: &str, text: String| Task::Tell { audience: audience.to_owned(), text };
    match act {
        Act::Deploy { version, validate } => {
            // The idle side is checked before the deployment is reported as done.
            let check = (!validate.is_empty()).then(|| version.clone());
            let what = match check {
                Some(_) => format!("deploy {version} to the idle side, {}", switch.names[1]),
                None => format!("deploy {version}"),
            };
            Task::Do {
                what,
                work: Work { deploy: Some(version.clone()), check, ..Work::default() },
            }
        }
        Act::SetTraffic { share, .. } => {
            let work = Work { share: Some(*share), settles: true, ..Work::default() };
            Task::Do { what: words(*share, switch, instances), work }
        }
        Act::RollBack { method, version, .. } => {
            // With a flag or a switch the old version is still running.
            let redeploys =
                !matches!(method, RollbackMethod::FeatureFlag | RollbackMethod::BlueGreenSwitch);
            let deploy = redeploys.then(|| version.clone());
            let work = Work { deploy, share: Some(Share::NONE), ..Work::default() };
            Task::Do { what: format!("roll back to {version} by {method}"), work }
        }
        Act::AskDecision { question, .. } => tell("whoever decides", question.clone()),
        Act::Notify { audience, message, .. } => tell(audience.as_str(), message.to_string()),
        Act::Page { role, why, .. } => tell(role.as_str(), why.clone()),
        other => {
            let (kind, rest) = generic(other);
            if other.awaits() {
                let cannot = Some(format!("this driver cannot {kind}"));
                return Task::Do { what: kind, work: Work { cannot, ..Work::default() } };
            }
            Task::Tell { audience: kind, text: rest }
        }
    }
}

/// Kind and fields of an action that this driver does not know, as text.
fn generic(act: &Act) -> (String, String) {
    let mut fields: BTreeMap<String, Value> =
        serde_json::to_value(act).and_then(serde_json::from_value).unwrap_or_default();
    let kind = fields.remove("kind").and_then(|kind| kind.as_str().map(|k| k.replace('_', " ")));
    let rest: Vec<String> = fields
        .iter()
        .map(|(name, value)| match value {
            Value::String(text) => format!("{name}: {text}"),
            other => format!("{name}: {other}"),
        })
        .collect();
    (kind.unwrap_or_default(), rest.join(", "))
}

/// Describes a change of traffic for this switch.
fn words(share: Share, switch: &Switch, instances: Option<u32>) -> String {
    let part = share.as_fraction();
    match (&switch.by, switch.live_side(part), instances) {
        (Mover::Fleet { .. }, _, Some(all)) => {
            format!("give {:.0} of {all} instances the fix", part * f64::from(all))
        }
        (Mover::Flag(_), ..) => format!("switch the flag on for {share}"),
        (_, Some(side), _) => format!("switch all traffic to {side}"),
        _ => format!("send {share} to the fix"),
    }
}

impl Work {
    /// Carries out the action and returns the observations.
    pub(crate) async fn carry_out(
        self,
        platform: SocketAddr,
        switch: &Switch,
        pace: Pace,
        id: ActionId,
    ) -> anyhow::Result<Vec<Line>> {
        let mut noted = Vec::new();
        if let Some(cannot) = self.cannot {
            anyhow::bail!(cannot);
        }
        if let Some(version) = self.deploy {
            let order = serde_json::to_vec(&Order { version, action: id.to_string() })?;
            http::expect_ok(platform, Verb::POST, "/deploy", order, DEPLOY_PATIENCE).await?;
        }
        if let Some(version) = self.check {
            let idle = switch.names[1];
            let seen = check(platform, &version)
                .await
                .with_context(|| format!("{idle}, the idle side, did not pass"))?;
            let what = format!("{idle}, the idle side, passed");
            noted.push(Line::Noted { at: now(), what, why: seen });
        }
        if let Some(share) = self.share {
            switch.set_share(share.as_fraction()).await?;
            if let Some(side) = switch.live_side(switch.canary_share().await?) {
                noted.push(live(side));
            }
        }
        if self.settles {
            tokio::time::sleep(pace.time(SETTLE).max(SETTLE_LEAST)).await;
        }
        Ok(noted)
    }
}

/// Notes which side has the traffic.
pub(crate) fn live(side: &str) -> Line {
    let what = format!("the live side is {side}");
    Line::Noted { at: now(), what, why: "as reported by the switch".to_owned() }
}

/// Checks the side that runs this version.
async fn check(platform: SocketAddr, version: &str) -> anyhow::Result<String> {
    let limit = Duration::from_secs(3);
    let reply = http::expect_ok(platform, Verb::GET, "/services", "", limit).await?;
    let places: BTreeMap<String, Vec<SocketAddr>> = serde_json::from_slice(&reply.body)?;
    let side = places.get(version).and_then(|places| places.first());
    idle::check(*side.context("it is not running anywhere")?, version).await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn what(share: f64, switch: &str, instances: Option<u32>) -> String {
        let share = Share::try_from_fraction(share).expect("a share");
        words(share, &switch.parse().expect("a switch"), instances)
    }

    #[test]
    fn moving_traffic_is_said_as_it_is_done() {
        assert_eq!(what(0.1, "127.0.0.1:1", None), "send 10% to the fix");
        assert_eq!(what(1.0, "sides:127.0.0.1:1", None), "switch all traffic to green");
        let fleet = "fleet:127.0.0.1:1,127.0.0.1:2";
        assert_eq!(what(1.0 / 3.0, fleet, Some(6)), "give 2 of 6 instances the fix");
        assert_eq!(what(0.5, "flag:127.0.0.1:1", None), "switch the flag on for 50%");
    }

    #[test]
    fn an_action_of_a_kind_that_is_not_done_here_is_passed_on_in_its_own_words() {
        let act: Act = serde_json::from_value(
            serde_json::json!({ "kind": "update_status_page", "message": "deployed" }),
        )
        .expect("an action");
        let by_weight = "127.0.0.1:1".parse().expect("a switch");
        let Task::Tell { audience, text } = task(&act, &by_weight, None) else {
            panic!("nothing is done about a status page");
        };
        assert_eq!((audience.as_str(), text.as_str()), ("update status page", "message: deployed"));
    }
}
