//! A judge that decides as Kayenta's does, for users who move over and for comparisons (FIELD-1).
//!
//! Same preparation, classifications, groups, weights and score from the same samples and Kayenta's own
//! JSON configuration. It differs in three things, and a result says so where they matter:
//!
//! - where both samples are constant the difference decides, without the noise that the original adds;
//! - the original solves for its interval to within 1e-4 of the metric's unit, which decides metrics as
//!   small as error ratios; a result holds that interval *and* the exact one, with both classifications;
//! - unknown keys, words that fall back to a default, and weights that do not sum to 100 are findings.
//!
//! It is a fixed-horizon judge: looking again and again makes false alarms (see [`stats`](crate::stats)).
//!
//! | module | what |
//! |---|---|
//! | `settings` | what a metric is asked, by the original's words |
//! | `sample` | missing points and outliers |
//! | `ranks` | the rank statistic as a function of the shift |
//! | `root` | where it crosses a quantile, as the original finds it |
//! | `exact` | where it crosses, exactly |
//! | `classify` | one metric |
//! | `config`, `judge` | the configuration, the score |

mod classify;
mod config;
mod error;
mod exact;
mod judge;
mod ranks;
mod root;
mod sample;
mod settings;

pub use classify::{Classification, MetricResult, classify};
pub use config::{Config, MetricConfig};
pub use error::{Finding, KayentaError};
pub use judge::{GroupScore, Judgement, Outcome, Samples, Thresholds, judge, passes, read_samples};
pub use sample::{Arm, Arms};
pub use settings::{Direction, EffectSize, Measure, MetricSettings, NanStrategy, Outliers};
