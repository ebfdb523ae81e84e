//! What a hot-fix may change (GATE-4).

use super::list::Once;
use super::phase::no_rules;
use crate::grade::Refactoring;
use crate::policy::error::{Problem, shown};
use crate::policy::field::{HowMany, List};
use crate::policy::node::Node;
use crate::policy::reader::{Field, Reader, Style, section};
use crate::policy::section::Scope;
use schemars::{Schema, SchemaGenerator, json_schema};

section! {
    plain
    /// How far a hot-fix may go; what is not allowed belongs in a normal release (GATE-4).
    Scope from ScopeDraft, no_rules {
        /// Whether it is one fix and no more.
        one_fix: bool, [default true];
        /// Whether it may bring features.
        features: bool, [default false];
        /// How far it may tidy the code around the fix.
        refactoring: Refactoring, [default "never"];
        /// Whether it may update dependencies that are not themselves the fix.
        dependencies: bool, [default false];
        /// Whether it may migrate a database.
        migrations: bool, [default false];
        /// The most files that it may touch. Without it there is no limit.
        files_most: HowMany, [optional];
        /// The most lines that it may add and take out together. Without it there is no limit.
        lines_most: HowMany, [optional];
        /// The files that name dependencies: file names or whole paths, with `*`, `?`, `[…]` and, for any folders, `**`.
        /// Without it, the manifests and lock files of the common package managers.
        dependency_files: Once<Pattern>, [optional];
        /// The files that migrate a database, as patterns. Without it, the folders and names of the common tools.
        migration_files: Once<Pattern>, [optional];
        /// The files that are tests, as patterns. Without it, the common folders and names.
        test_files: Once<Pattern>, [optional];
        /// What the change should have besides, for those who review it.
        wanted: List<String>, [default Node::List(Vec::new())];
    }
}

/// A pattern of paths.
pub(super) struct Pattern;

impl Pattern {
    /// No path is longer to any purpose.
    const MOST: usize = 200;

    /// Alternatives are entries of their own: then a pattern is matched in one pass, whatever it is.
    fn fits(text: &str) -> bool {
        let length = (1..=Self::MOST).contains(&text.len());
        let refused = text.starts_with(['!', '/'])
            || text.ends_with('/')
            || text.chars().any(|c| c.is_control() || matches!(c, '{' | '}' | '\\'));
        length && !refused && fast_glob::validate(text).is_ok()
    }
}

impl Field for Pattern {
    type Out = String;

    fn read(node: &Node, reader: &mut Reader) -> Option<String> {
        match node {
            Node::Text(text) if Self::fits(text) => Some(text.clone()),
            Node::Text(text) => reader.fail(Problem::Pattern { got: shown(text) }),
            _ => reader.wrong_type("a text", node),
        }
    }
    fn write(value: &String, _: Style) -> Node {
        Node::Text(value.clone())
    }
    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "a file's name, or a path from the root of the repository, with `*`, `?`, `[…]` and `**`",
            "type": "string",
            "minLength": 1,
            "maxLength": Self::MOST,
            "pattern": r"^[^!/{}\\\x00-\x1f]([^{}\\\x00-\x1f]*[^/{}\\\x00-\x1f])?$"
        })
    }
    fn example() -> &'static str {
        "\"Cargo.lock\""
    }
}
