//! What a hot-fix may change.

use super::list::Once;
use super::phase::no_rules;
use crate::grade::Refactoring;
use crate::policy::error::{Problem, shown};
use crate::policy::field::{HowMany, List};
use crate::policy::node::PolicyNode;
use crate::policy::reader::{Field, PolicyReader, Style, section};
use crate::policy::section::Scope;
use schemars::{Schema, SchemaGenerator, json_schema};

section! {
    plain
    /// What a hot-fix may change. A change beyond it belongs in a normal release.
    Scope from ScopeDraft, no_rules {
        /// Whether it may contain only one fix.
        one_fix: bool, [default true];
        /// Whether it may add features.
        features: bool, [default false];
        /// How far it may refactor the code around the fix.
        refactoring: Refactoring, [default "never"];
        /// Whether it may update dependencies, unless that is the fix.
        dependencies: bool, [default false];
        /// Whether it may contain a database migration.
        migrations: bool, [default false];
        /// The most files that it may change. Without this key there is no limit.
        files_most: HowMany, [optional];
        /// The most lines that it may add and remove together. Without this key there is no limit.
        lines_most: HowMany, [optional];
        /// The files that declare dependencies, as patterns: file names or whole paths, with `*`,
        /// `?`, `[…]` and `**` for any folders. Default: the manifests and lock files of the common
        /// package managers.
        dependency_files: Once<Pattern>, [optional];
        /// The files of database migrations, as patterns. Default: the folders and names of the
        /// common tools.
        migration_files: Once<Pattern>, [optional];
        /// The files of tests, as patterns. Default: the common folders and names.
        test_files: Once<Pattern>, [optional];
        /// What the change should also contain, for reviewers.
        wanted: List<String>, [default PolicyNode::List(Vec::new())];
    }
}

/// A pattern of paths.
pub(super) struct Pattern;

impl Pattern {
    /// The longest pattern, in bytes.
    const MOST: usize = 200;

    /// Whether this is a valid pattern. Alternatives in braces are refused, so that each pattern is
    /// matched in one pass.
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

    fn read(node: &PolicyNode, reader: &mut PolicyReader) -> Option<String> {
        match node {
            PolicyNode::Text(text) if Self::fits(text) => Some(text.clone()),
            PolicyNode::Text(text) => reader.fail(Problem::Pattern { got: shown(text) }),
            _ => reader.wrong_type("a text", node),
        }
    }
    fn write(value: &String, _: Style) -> PolicyNode {
        PolicyNode::Text(value.clone())
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
