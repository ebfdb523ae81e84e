//! Commands of an organisation: shell lines with placeholders.

use crate::document::Node;
use crate::grade::closed_set;
use crate::policy::command::parts;
use crate::policy::field::TextOrNone;
use crate::policy::reader::{Narrowed, PolicyReader};

closed_set! {
    /// A value that a command can name in double braces, as in `{{ version }}`.
    CommandField {
        /// The version of the fix.
        Version = "version",
        /// The version to roll back to.
        Previous = "previous",
        /// The tag of the fix, where tags are named after versions.
        Tag = "tag",
        /// The branch of the fix.
        Branch = "branch",
        /// The commit of the fix.
        Commit = "commit",
        /// The service of the incident.
        Service = "service",
        /// The id of the incident.
        Incident = "incident",
        /// The name of the phase.
        Phase = "phase",
        /// The share of the traffic in the phase, in percent and without a sign: `10`.
        Share = "share",
        /// How many instances a phase of a rolling deployment updates; no value with another strategy.
        Batch = "batch",
    }
}

impl CommandField {
    /// Whether only the commands of a phase have a value for it.
    pub const fn is_of_a_phase(self) -> bool {
        match self {
            Self::Phase | Self::Share | Self::Batch => true,
            Self::Version
            | Self::Previous
            | Self::Tag
            | Self::Branch
            | Self::Commit
            | Self::Service
            | Self::Incident => false,
        }
    }
}

/// A command; `PHASE`: it may name the phase and its share.
pub(super) struct CommandLine<const PHASE: bool>;

impl<const PHASE: bool> Narrowed for CommandLine<PHASE> {
    type Of = TextOrNone;

    fn check(text: String, _: &Node, reader: &mut PolicyReader) -> Option<String> {
        let read = parts(&text, PHASE).map(|_| ());
        read.map_or_else(|problem| reader.fail(problem), |()| Some(text))
    }
}
