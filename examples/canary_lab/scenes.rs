//! The scenes and their required ends. Times are those of the script, which a [`Pace`] stretches.

use clap::ValueEnum as _;
use hotfix_core::grade::Strategy;

use crate::checks::{self, Found};
use crate::pace::Pace;
use crate::record::RunRecord;
use crate::service::FaultKind;

/// The required end of a scene.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// The fix has all the traffic, is shown to work, and was watched to the end.
    Closed,
    /// The old version has all the traffic.
    RolledBack,
    /// The fix never got any traffic.
    Failed,
}

/// How the fix is rolled out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// Next to the old version, with an increasing share of the traffic.
    Canary,
    /// On the idle one of two sides, then with all traffic at once.
    BlueGreen,
    /// Instance after instance.
    Rolling {
        /// Number of instances.
        instances: u32,
        /// Instances per batch.
        batch: u32,
    },
    /// By a flag inside the process that serves everybody.
    Flag,
}

impl Way {
    /// The strategy that the release chooses; None for the policy's own.
    pub(crate) fn strategy(self) -> Option<Strategy> {
        match self {
            Self::Canary => None,
            Self::BlueGreen => Some(Strategy::BlueGreen),
            Self::Rolling { .. } => Some(Strategy::Rolling),
            Self::Flag => Some(Strategy::FeatureFlag),
        }
    }
}

/// What is wrong with the fix.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fault {
    /// Kind of fault.
    pub(crate) kind: FaultKind,
    /// How bad it is; see the kind.
    pub(crate) level: f64,
    /// Seconds from the start of the fix's process to the fault.
    pub(crate) after: f64,
    /// Seconds that it lasts, or in which it decays; None if it is permanent.
    pub(crate) lasts: Option<f64>,
}

impl Fault {
    /// A permanent fault from the start of the process.
    const fn new(kind: FaultKind, level: f64) -> Self {
        Self { kind, level, after: 0.0, lasts: None }
    }

    /// The fault `after` seconds after the start of the process.
    const fn after(self, after: f64) -> Self {
        Self { after, ..self }
    }

    /// The fault for `lasts` seconds.
    const fn lasting(self, lasts: f64) -> Self {
        Self { lasts: Some(lasts), ..self }
    }

    /// The level at this pace: a leak grows more slowly in a stretched scene, and fewer requests
    /// need fewer connections.
    pub(crate) fn level_at(&self, pace: Pace) -> f64 {
        match self.kind {
            FaultKind::Leak | FaultKind::Pool => self.level / pace.stretch(),
            FaultKind::Errors
            | FaultKind::Latency
            | FaultKind::Tail
            | FaultKind::Crash
            | FaultKind::Mute
            | FaultKind::Cold
            | FaultKind::Wander => self.level,
        }
    }

    /// Its name among the flags of the service.
    pub(crate) fn name(&self) -> String {
        self.kind.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
    }
}

/// An input of a person in a state and phase of the rollout.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ScriptedInput {
    /// The state.
    pub(crate) state: &'static str,
    /// The phase.
    pub(crate) phase: &'static str,
    /// Seconds after the rollout reached this state and the previous input was sent.
    pub(crate) after: f64,
    /// The kind of input.
    pub(crate) kind: &'static str,
    /// Why.
    pub(crate) why: &'static str,
}

/// One scene.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scene {
    /// Short name.
    pub(crate) id: &'static str,
    /// Title in the report.
    pub(crate) title: &'static str,
    /// The description.
    pub(crate) story: &'static str,
    /// How the fix is rolled out.
    pub(crate) way: Way,
    /// Name of the scene's own policy, in the folder of the demo's; None for the demo's.
    pub(crate) policy: Option<&'static str>,
    /// What is wrong with the fix.
    pub(crate) fault: Option<Fault>,
    /// Whether both versions have the fault; its time then counts from the scene's start.
    pub(crate) shared: bool,
    /// Whether each arm is scraped every [`SCRAPED_EVERY`] seconds, at different times.
    pub(crate) apart: bool,
    /// Kill the driver while it carries out this many-th action.
    pub(crate) kill_at_action: Option<usize>,
    /// The inputs of people, in order.
    pub(crate) people: &'static [ScriptedInput],
    /// Whether it can run with HAProxy and a Prometheus server.
    pub(crate) real: bool,
    /// The required end.
    pub(crate) ending: Ending,
    /// Further checks.
    pub(crate) shows: fn(&mut RunRecord, &Found),
}

/// Seconds between two scrapes of an arm in scenes with [`Scene::apart`].
pub(crate) const SCRAPED_EVERY: f64 = 2.0;

/// Changes of the policy in scenes with [`Scene::apart`].
pub(crate) const APART: &str =
    "[watch]\nscrape = \"2s\"\nstale = \"5s\"\nno_data = { after = \"6s\", then = \"ask\" }\n";

/// A rollout by the policy's own strategy without any trouble.
const USUAL: Scene = Scene {
    id: "",
    title: "",
    story: "",
    way: Way::Canary,
    policy: None,
    fault: None,
    shared: false,
    apart: false,
    kill_at_action: None,
    people: &[],
    real: true,
    ending: Ending::Closed,
    shows: |_, _| {},
};

/// The scenes of `demo`.
pub(crate) const SCENES: [Scene; 19] = [
    Scene {
        id: "good",
        title: "A good fix is rolled out",
        story: "The fix has no fault. It goes to 10, 50 and 100% and is shown to work.",
        ..USUAL
    },
    Scene {
        id: "shock",
        title: "A shock in both versions causes no rollback",
        story: "For 3 s the database is slow to answer and 7% of requests fail in both versions.",
        fault: Some(Fault::new(FaultKind::Errors, 0.07).after(17.0).lasting(3.0)),
        shared: true,
        shows: checks::both_failed,
        ..USUAL
    },
    Scene {
        id: "killed",
        title: "The driver is killed and resumes from its log",
        story: "The driver gets SIGKILL while half of the traffic is moved: after the promotion is \
                logged, before its confirmation. A new driver resumes.",
        kill_at_action: Some(3),
        shows: checks::resumed,
        ..USUAL
    },
    Scene {
        id: "leak",
        title: "A fix that degrades slowly is rolled back",
        story: "The failures of the fix increase by 0.4% of its requests per second, and its requests \
                take longer and longer.",
        fault: Some(Fault::new(FaultKind::Leak, 0.004).after(3.0)),
        ending: Ending::RolledBack,
        ..USUAL
    },
    Scene {
        id: "errors",
        title: "A fix that brings errors is rolled back",
        story: "From 18 s on, in the second phase, 6% of the fix's requests fail for a new reason.",
        fault: Some(Fault::new(FaultKind::Errors, 0.06).after(16.0)),
        ending: Ending::RolledBack,
        ..USUAL
    },
    Scene {
        id: "tail",
        title: "A fix with a slow tail is rolled back",
        story: "Two requests in a hundred of the fix take 0.7 s longer. The 95th percentile hardly \
                changes, so a bound on it does not detect the fault.",
        fault: Some(Fault::new(FaultKind::Tail, 0.02).after(3.0)),
        ending: Ending::RolledBack,
        ..USUAL
    },
    Scene {
        id: "latency",
        title: "A slower fix is rolled back",
        story: "Every request of the fix takes 1.6 times as long: the 95th percentile is between \
                the alert bound and the rollback bound.",
        fault: Some(Fault::new(FaultKind::Latency, 1.6).after(3.0)),
        ending: Ending::RolledBack,
        ..USUAL
    },
    Scene {
        id: "crash",
        title: "A fix that crashes is rolled back",
        story: "The fix's process exits in the second phase. Its metrics are missing; the \
                splitter still counts the failed requests.",
        fault: Some(Fault::new(FaultKind::Crash, 1.0).after(16.0)),
        ending: Ending::RolledBack,
        ..USUAL
    },
    Scene {
        id: "blue_green",
        title: "Blue-green: checked on the idle side, then switched at once",
        story: "Blue is live. The fix is deployed to green, passes health and 40 test payments there, \
                and then gets all the traffic at once. There is no baseline to compare with, so bands watch it.",
        way: Way::BlueGreen,
        shows: checks::green_is_live,
        ..USUAL
    },
    Scene {
        id: "switch_back",
        title: "Blue-green: a fault that only real traffic shows",
        story: "The fix has two thirds of the database connections that it needs. They are enough for \
                the test payments on the idle side; after the switch customers' requests fail.",
        way: Way::BlueGreen,
        fault: Some(Fault::new(FaultKind::Pool, 25.0)), // at 300 a second and 0.13 s each, 39 are needed,
        ending: Ending::RolledBack,
        shows: checks::switched_back,
        ..USUAL
    },
    Scene {
        id: "unfit",
        title: "Blue-green: the idle side does not pass",
        story: "Half of the test payments on the idle side fail. The deployment is reported as failed \
                and the fix gets no traffic.",
        way: Way::BlueGreen,
        fault: Some(Fault::new(FaultKind::Errors, 0.5)),
        ending: Ending::Failed,
        shows: checks::nobody_met_it,
        ..USUAL
    },
    Scene {
        id: "rolling",
        title: "Rolling: six instances, two at a time",
        story: "Batch by batch, instances get no new requests, answer the open ones, and are restarted \
                with the fix.",
        way: Way::Rolling { instances: 6, batch: 2 },
        real: false,
        shows: checks::batch_by_batch,
        ..USUAL
    },
    Scene {
        id: "flag",
        title: "Flag: one process, switched off within a second",
        story: "The build with both behaviours is live; a flag sends 10 and 50% of the payments to the \
                new one. From 17 s on 6% of those fail. The flag is switched off.",
        way: Way::Flag,
        fault: Some(Fault::new(FaultKind::Errors, 0.06).after(17.0)),
        real: false,
        ending: Ending::RolledBack,
        shows: checks::flag_alone,
        ..USUAL
    },
    Scene {
        id: "veto",
        title: "A person holds a promotion and promotes later",
        story: "Each of the first two phases has a gate that promotes unless a person objects within \
                5 s. In the first phase a person objects and promotes later; in the second nobody objects.",
        policy: Some("lab-veto"),
        people: &[
            ScriptedInput {
                state: "gate",
                phase: "canary",
                after: 1.0,
                kind: "hold",
                why: "support is investigating a complaint",
            },
            ScriptedInput {
                state: "gate",
                phase: "canary",
                after: 7.0,
                kind: "promote",
                why: "the complaint was about something else",
            },
        ],
        shows: checks::vetoed,
        ..USUAL
    },
    Scene {
        id: "lost_metrics",
        title: "The fix's metrics are missing for a while",
        story: "For 9 s in the first phase the fix serves its customers but does not answer scrapes. \
                The rollout waits, asks, and continues automatically when the data return.",
        fault: Some(Fault::new(FaultKind::Mute, 1.0).after(6.0).lasting(9.0)),
        shows: checks::waited_for_metrics,
        ..USUAL
    },
    Scene {
        id: "apart",
        title: "Scrapes out of step do not look like a wrong split",
        story: "Each version is scraped every 2 s, the fix a second after the old version. The fix has \
                no fault.",
        apart: true,
        real: false,
        shows: checks::read_apart,
        ..USUAL
    },
    Scene {
        id: "apart_errors",
        title: "A fault is found although scrapes are out of step",
        story: "Each version is scraped every 2 s, the fix a second after the old version. From 18 s on \
                6% of the fix's requests fail.",
        fault: Some(Fault::new(FaultKind::Errors, 0.06).after(16.0)),
        apart: true,
        real: false,
        ending: Ending::RolledBack,
        shows: checks::read_apart,
        ..USUAL
    },
    Scene {
        id: "cold",
        title: "A cold start is not a fault",
        story: "A fifth of the first requests of the fix fail and they take 1.6 times as long; both fall \
                to 37% every 2 s. The policy knows that new instances do that.",
        policy: Some("lab-new"),
        fault: Some(Fault::new(FaultKind::Cold, 0.2).lasting(2.0)),
        real: false, // over before the second scrape
        shows: checks::started_cold,
        ..USUAL
    },
    Scene {
        id: "wander",
        title: "Instances that are never equally fast cause no rollback",
        story: "The response times of both versions wander by 10% in 40 s, those of the fix up while \
                those of the old version go down. The policy tolerates 1.3 times the response times.",
        policy: Some("lab-wander"),
        fault: Some(Fault::new(FaultKind::Wander, 0.1).lasting(40.0)),
        shared: true,
        shows: checks::wandered,
        ..USUAL
    },
];
