//! A judge that decides as Kayenta's does, for migration and for comparisons.
//!
//! Same preparation, classifications, groups, weights and score from the same samples and Kayenta's
//! own JSON configuration. It differs in three points, and a result shows where they matter:
//!
//! - where both samples are constant the difference decides, without the noise that Kayenta adds;
//! - Kayenta solves for its interval to within 1e-4 of the metric's unit, which decides metrics as
//!   small as error ratios; a result holds that interval *and* the exact one, with both
//!   classifications;
//! - unknown keys, values that fall back to a default, and weights that do not sum to 100 are
//!   findings.
//!
//! It is a fixed-horizon test: repeated interim analyses raise the false-alarm rate (see
//! [`stats`](crate::stats)).
//!
//! | module | what |
//! |---|---|
//! | `settings` | settings of a metric, in Kayenta's terms |
//! | `sample` | missing points and outliers |
//! | `ranks` | the rank statistic as a function of the shift |
//! | `root` | where it crosses a quantile, as Kayenta computes it |
//! | `exact` | where it crosses, exactly |
//! | `classify` | one metric |
//! | `config`, `judge` | the configuration, the score |

/// Name of the judge that is reproduced.
const JUDGE: &str = "NetflixACAJudge-v1.0";

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
pub use error::{Finding, KayentaErrors, KayentaFault};
pub use judge::{
    GroupScore, Judgement, Samples, ScoreClassification, Thresholds, judge, read_samples,
};
pub use sample::{Arms, Series};
pub use settings::{Direction, EffectSize, Measure, MetricSettings, NanStrategy, Outliers};
