//! The scenes: what is tried, and how each must end.

use hotfix_core::grade::Strategy;

use crate::checks::{self, Found};
use crate::record::RunRecord;

/// How a scene must end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// The fix has all the traffic, is shown to work, and was watched to the end.
    Closed,
    /// The old version has all the traffic.
    RolledBack,
    /// It did not get as far as any traffic.
    Failed,
}

/// How the fix goes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// Beside the old version, by a growing share of the traffic.
    Canary,
    /// On the idle one of two sides, then at once.
    BlueGreen,
    /// Instance after instance.
    Rolling {
        /// How many there are.
        instances: u32,
        /// How many at a time.
        batch: u32,
    },
    /// By a flag inside the process that serves everybody.
    Flag,
}

impl Way {
    /// The strategy that the release chooses; nothing where it is the policy's own.
    pub(crate) fn strategy(self) -> Option<Strategy> {
        match self {
            Self::Canary => None,
            Self::BlueGreen => Some(Strategy::BlueGreen),
            Self::Rolling { .. } => Some(Strategy::Rolling),
            Self::Flag => Some(Strategy::FeatureFlag),
        }
    }
}

/// What a person says when the rollout is in a state and phase.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Word {
    /// The state.
    pub(crate) state: &'static str,
    /// The phase.
    pub(crate) phase: &'static str,
    /// So many seconds after the rollout was seen there and the word before was said.
    pub(crate) after: f64,
    /// The kind of input.
    pub(crate) says: &'static str,
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
    /// What is tried.
    pub(crate) story: &'static str,
    /// How the fix goes out.
    pub(crate) way: Way,
    /// The policy beside the demo's, where the scene has one of its own.
    pub(crate) policy: Option<&'static str>,
    /// Fault flags of the fix.
    pub(crate) fault: &'static [&'static str],
    /// A fault of both versions: seconds after the scene's start, seconds that it lasts.
    pub(crate) shock: Option<(f64, f64)>,
    /// Kill the driver while it carries out this many-th action.
    pub(crate) kill_at_action: Option<usize>,
    /// What people say, in order.
    pub(crate) people: &'static [Word],
    /// Whether HAProxy and a Prometheus server can play in it.
    pub(crate) real: bool,
    /// How it must end.
    pub(crate) ending: Ending,
    /// What it has to show beyond that.
    pub(crate) shows: fn(&mut RunRecord, &Found),
}

/// A rollout by the policy's own strategy without any trouble.
const USUAL: Scene = Scene {
    id: "",
    title: "",
    story: "",
    way: Way::Canary,
    policy: None,
    fault: &[],
    shock: None,
    kill_at_action: None,
    people: &[],
    real: true,
    ending: Ending::Closed,
    shows: |_, _| {},
};

/// The scenes of `demo`.
pub(crate) const SCENES: [Scene; 15] = [
    Scene {
        id: "good",
        title: "A good fix goes out",
        story: "The fix has no fault. It goes to 10, 50 and 100% and is shown to work.",
        ..USUAL
    },
    Scene {
        id: "shock",
        title: "A shock in both versions is no reason to go back",
        story: "For 3 s the database is slow to answer and 7% of requests fail in both versions.",
        fault: &["--fault=errors", "--fault-level=0.07"],
        shock: Some((17.0, 3.0)),
        shows: checks::both_failed,
        ..USUAL
    },
    Scene {
        id: "killed",
        title: "The driver is killed and goes on from its log",
        story: "SIGKILL hits the driver while half of the traffic moves: after the promotion is \
                on record, before its confirmation. A new driver resumes.",
        kill_at_action: Some(3),
        shows: checks::resumed,
        ..USUAL
    },
    Scene {
        id: "leak",
        title: "A fix that leaks slowly is rolled back",
        story: "Failures of the fix grow from nothing by 0.4% of its requests per second, and each \
                request takes longer likewise.",
        fault: &["--fault=leak", "--fault-level=0.004", "--fault-after=3"],
        ending: Ending::RolledBack,
        ..USUAL
    },
    Scene {
        id: "errors",
        title: "A fix that brings errors is rolled back",
        story: "From 16 s on, in the second phase, 6% of the fix's requests fail for a new reason.",
        fault: &["--fault=errors", "--fault-level=0.06", "--fault-after=14"],
        ending: Ending::RolledBack,
        ..USUAL
    },
    Scene {
        id: "tail",
        title: "A fix with a slow tail is rolled back",
        story: "Two requests in a hundred of the fix take 0.7 s longer. The 95th percentile hardly \
                moves, so a bound on it is blind.",
        fault: &["--fault=tail", "--fault-level=0.02", "--fault-after=3"],
        ending: Ending::RolledBack,
        ..USUAL
    },
    Scene {
        id: "latency",
        title: "A slower fix is rolled back",
        story: "Every request of the fix takes 1.6 times as long: the 95th percentile lies between \
                the alert and the rollback bound.",
        fault: &["--fault=latency", "--fault-level=1.6", "--fault-after=3"],
        ending: Ending::RolledBack,
        ..USUAL
    },
    Scene {
        id: "crash",
        title: "A fix that crashes is rolled back",
        story: "The fix's process exits in the second phase. Its metrics are gone; the splitter \
                still counts what its callers lose.",
        fault: &["--fault=crash", "--fault-after=15"],
        ending: Ending::RolledBack,
        ..USUAL
    },
    Scene {
        id: "blue_green",
        title: "Blue-green: checked on the idle side, then switched at once",
        story: "Blue is live. The fix is deployed to green, passes health and 40 test payments there, \
                and then gets all the traffic at once. There is nothing to compare with; bands watch it.",
        way: Way::BlueGreen,
        shows: checks::green_is_live,
        ..USUAL
    },
    Scene {
        id: "switch_back",
        title: "Blue-green: a fault that only real traffic shows",
        story: "The fix has 25 connections to its database. That is enough for the test payments on \
                the idle side and too few for the customers: after the switch requests fail.",
        way: Way::BlueGreen,
        fault: &["--fault=pool", "--fault-level=25"],
        ending: Ending::RolledBack,
        shows: checks::switched_back,
        ..USUAL
    },
    Scene {
        id: "unfit",
        title: "Blue-green: the idle side does not pass",
        story: "Half of the test payments on the idle side fail. The deployment is reported as failed \
                and no customer meets the fix.",
        way: Way::BlueGreen,
        fault: &["--fault=errors", "--fault-level=0.5"],
        ending: Ending::Failed,
        shows: checks::nobody_met_it,
        ..USUAL
    },
    Scene {
        id: "rolling",
        title: "Rolling: six instances, two at a time",
        story: "Batch by batch, instances get no new request, answer those that they have, and are \
                started anew with the fix.",
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
        fault: &["--fault=errors", "--fault-level=0.06", "--fault-after=17"],
        real: false,
        ending: Ending::RolledBack,
        shows: checks::flag_alone,
        ..USUAL
    },
    Scene {
        id: "veto",
        title: "A person holds a promotion, and lets it pass later",
        story: "Each of the first two phases has a gate that lets pass unless somebody objects within \
                5 s. In the first somebody does, and says go later; in the second nobody does.",
        policy: Some("lab-veto"),
        people: &[
            Word {
                state: "gate",
                phase: "canary",
                after: 1.0,
                says: "hold",
                why: "support is looking at a complaint",
            },
            Word {
                state: "gate",
                phase: "canary",
                after: 7.0,
                says: "promote",
                why: "the complaint was about something else",
            },
        ],
        shows: checks::vetoed,
        ..USUAL
    },
    Scene {
        id: "lost_metrics",
        title: "The fix's metrics are gone for a while",
        story: "For 9 s in the first phase the fix serves its customers and does not answer scrapes. \
                The rollout waits, asks, and goes on by itself when data return.",
        fault: &["--fault=mute", "--fault-after=6", "--fault-for=9"],
        shows: checks::waited_for_metrics,
        ..USUAL
    },
];

impl Scene {
    /// A figure among the fault flags of the fix.
    fn fault_flag(&self, name: &str) -> Option<f64> {
        self.fault.iter().find_map(|flag| flag.strip_prefix(name)?.parse().ok())
    }

    /// Seconds from the start of the fix's process to its own fault.
    pub(crate) fn fault_after(&self) -> Option<f64> {
        self.fault_flag("--fault-after=")
    }

    /// Seconds that the fix's own fault lasts; nothing where it is there for good.
    pub(crate) fn fault_for(&self) -> Option<f64> {
        self.fault_flag("--fault-for=")
    }
}
