//! The scenario of all examples, as far as the benches need it.

use hotfix_core::metric::Observation;
use hotfix_core::plan::Plan;
use hotfix_core::policy::Policy;
use hotfix_core::rollout::{Input, Recording, Rollout, State};
use hotfix_core::stats::bernoulli::{Bernoulli, BernoulliDesign, BernoulliSettings};
use hotfix_core::stats::rate_ratio::{RateRatio, RateRatioDesign, RateRatioSettings};
use hotfix_core::unit::{Span, Timestamp};
use std::error::Error;
use std::sync::Arc;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Gives every approval and checks every item that the start waits for.
///
/// # Errors
/// If anything else blocks the start.
pub fn make_ready(rollout: &mut Rollout, at: Timestamp) -> Result<()> {
    for blocker in rollout.blockers() {
        let input = match (blocker.item, blocker.roles.first()) {
            (Some(item), _) => check_item(item.as_str()),
            (None, Some(role)) => {
                format!(r#"{{"kind":"approve","by":"iris as {role}","role":"{role}"}}"#)
            }
            (None, None) => return Err(blocker.sentence.into()),
        };
        let input = Input::from_json(&input)?;
        rollout.handle(at, &input).map_err(|refusal| refusal.reason.to_string())?;
    }
    Ok(())
}

fn check_item(item: &str) -> String {
    format!(r#"{{"kind":"check_item","by":"omar","item":"{item}"}}"#)
}

/// A rollout, and its current time.
#[derive(Clone)]
pub struct Story {
    /// The rollout.
    pub rollout: Rollout,
    /// Its current time.
    pub at: Timestamp,
}

impl Story {
    /// Deployed to 10 % and watched for three minutes without a fault: the next tick decides
    /// nothing.
    ///
    /// # Errors
    /// If the library no longer accepts the story.
    pub fn monitoring(recording: Recording) -> Result<Self> {
        let plan = Plan::from_json(
            Arc::new(Policy::preset("phased-canary")?),
            r#"{"id":"INC-2041","service":"payments","severity":"P1"}"#,
            r#"{"version":"2.3.1","previous":"2.3.0","methods":[{"kind":"feature_flag","seconds":5}]}"#,
            r#"{"requests_per_minute":1000}"#,
        )?;
        let rollout = Rollout::try_new(plan, recording, "pepper")?;
        let mut story = Self { rollout, at: "2026-03-03T14:40:00Z".parse()? };
        make_ready(&mut story.rollout, story.at)?;
        story.input(r#"{"kind":"start","by":"lena"}"#)?;
        story.confirm_all()?;
        for _ in 0..18 {
            story.tick(&quiet(0.1)?)?;
        }
        Ok(story)
    }

    fn input(&mut self, text: &str) -> Result<()> {
        let input = Input::from_json(text)?;
        self.rollout.handle(self.at, &input).map_err(|refusal| refusal.reason.to_string())?;
        Ok(())
    }

    fn confirm_all(&mut self) -> Result<()> {
        loop {
            let Some(id) = self.rollout.pending_actions().first().map(|action| action.id) else {
                return Ok(());
            };
            self.input(&format!(r#"{{"kind":"confirm","by":"tool","action":"{id}"}}"#))?;
        }
    }

    /// Sends the observation `input` ten seconds later. Returns the number of logged bytes.
    ///
    /// # Errors
    /// If the rollout refuses it.
    #[inline]
    pub fn tick(&mut self, input: &Input) -> Result<usize> {
        self.at = self.at + Span::from_seconds(10);
        let outcome = self.rollout.handle(self.at, input).map_err(|r| r.reason.to_string())?;
        Ok(outcome.events.len())
    }

    /// A log of about this many observations of five metrics, in a paused rollout that is still
    /// observed.
    ///
    /// # Errors
    /// If the rollout ends.
    pub fn long_log(ticks: usize) -> Result<String> {
        let mut story = Self::monitoring(Recording::Keep)?;
        story.input(r#"{"kind":"pause","by":"lena","why":"another team deploys"}"#)?;
        let look = quiet(0.1)?;
        for _ in 0..ticks {
            story.tick(&look)?;
        }
        if story.rollout.state() != State::Paused {
            return Err(format!("ended {}", story.rollout.state()).into());
        }
        Ok(story.rollout.log().to_owned())
    }

    /// The log of a good fix from start to complete, about three hundred lines.
    ///
    /// # Errors
    /// If the rollout does not complete.
    pub fn log() -> Result<String> {
        let mut story = Self::monitoring(Recording::Keep)?;
        let lists = story.rollout.plan().policy().checklists().iter();
        let items = lists.filter(|list| list.holds_completion()).flat_map(|list| &list.items);
        let mut open: Vec<_> = items.map(|item| check_item(item.id.as_str())).collect();
        for _ in 0..400 {
            let share = story.rollout.share().as_fraction();
            story.tick(&quiet(share)?)?;
            story.confirm_all()?;
            match story.rollout.state() {
                State::Complete => return Ok(story.rollout.log().to_owned()),
                State::FinalValidation => {
                    for item in open.drain(..) {
                        story.input(&item)?;
                    }
                }
                _ => {}
            }
        }
        Err(format!("ended {}", story.rollout.state()).into())
    }
}

/// A healthy observation of the preset's five metrics at this traffic share.
///
/// # Errors
/// If it is not a valid observation.
pub fn quiet(share: f64) -> Result<Input> {
    let arm = |trials: f64, error: f64, bug: u32| {
        let errors = (trials * error).floor();
        let at = |quantile: f64| (trials * quantile).floor();
        [
            format!("[{errors},{trials}]"),
            format!("[{},{trials}]", trials - errors),
            format!(
                r#"{{"le":[0.1,0.2,0.25,0.3,0.5,1.0],"counts":[{},{},{},{},{},{trials}],"count":{trials}}}"#,
                at(0.7),
                at(0.9),
                at(0.97),
                at(0.98),
                at(0.99),
            ),
            format!("[{bug},10]"),
            format!("{}", trials / 2.0),
        ]
    };
    let canary = arm((2000.0 * share).round(), 0.002, 0);
    let baseline = arm((2000.0 * (1.0 - share)).round(), 0.003, 12);
    let ids = ["error_rate", "payment_success", "latency_p95", "bug", "request_volume"];
    let metrics = ids.iter().zip(canary.iter().zip(&baseline)).map(|(id, (canary, baseline))| {
        if share < 1.0 {
            format!(r#""{id}":{{"canary":{canary},"baseline":{baseline}}}"#)
        } else {
            format!(r#""{id}":{{"canary":{canary}}}"#)
        }
    });
    let text = format!("{{{}}}", metrics.collect::<Vec<_>>().join(","));
    Ok(Input::observe(serde_json::from_str::<Observation>(&text)?))
}

/// A count test with its design.
///
/// # Errors
/// If the settings are refused.
pub fn count_test(settings: &RateRatioSettings) -> Result<(RateRatioDesign, RateRatio)> {
    let design = RateRatioDesign::try_new(settings)?;
    let state = RateRatio::new(&design);
    Ok((design, state))
}

/// A test of a proportion with its design, eight points.
///
/// # Errors
/// If the tolerated ratio is refused.
pub fn proportion_test(tolerated: f64) -> Result<(BernoulliDesign, Bernoulli)> {
    let design =
        BernoulliDesign::try_new(&BernoulliSettings { tolerated, ..BernoulliSettings::default() })?;
    let state = Bernoulli::new(&design);
    Ok((design, state))
}
