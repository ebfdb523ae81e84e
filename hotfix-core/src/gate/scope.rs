//! The scope guard: whether a change is as small as the policy wants a hot-fix.

use std::collections::BTreeSet;

use serde::Serialize;

use super::change::{Change, Tidying};
use super::numstat::Numstat;
use crate::code::code;
use crate::fact::Truth;
use crate::grade::{Refactoring, closed_set};
use crate::policy::section::Scope;
use crate::sorting::set_of;

closed_set! {
    /// A rule of a policy's scope, by the key that has it.
    ScopeRule {
        OneFix = "one_fix",
        Features = "features",
        /// No tidying, or not more than is allowed.
        Refactoring = "refactoring",
        /// No dependencies but those that are the fix.
        Dependencies = "dependencies",
        Migrations = "migrations",
        FilesMost = "files_most",
        LinesMost = "lines_most",
    }
}

/// The report of the scope guard on a change.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ScopeReport {
    /// Whether the change keeps every rule: no with one that it breaks, unknown while one cannot be
    /// judged. Absent where the policy has no `[scope]`.
    pub content: Option<Truth>,
    /// The figures of the diff, where they are known.
    pub figures: Option<ScopeFigures>,
    /// The rules that it breaks, in the order of [`ScopeRule`].
    pub breaches: Vec<ScopeBreach>,
    /// The rules that cannot be judged, in the same order.
    pub unknown: Vec<ScopeUnknown>,
    /// What else the policy wants in the change; a reviewer checks it.
    pub wanted: Vec<String>,
}

/// The summed figures of a diff.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ScopeFigures {
    /// Files that it touches; a renamed one once.
    pub files: u64,
    /// Lines that it adds, binary files apart.
    pub added: u64,
    /// Lines that it removes, binary files apart.
    pub deleted: u64,
    /// Both together.
    pub lines: u64,
    /// Binary files, whose lines are not counted.
    pub binary: u64,
    /// The files that name dependencies.
    pub dependencies: Vec<String>,
    /// The files that migrate a database.
    pub migrations: Vec<String>,
    /// The files that are tests.
    pub tests: Vec<String>,
}

/// A rule that the change breaks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ScopeBreach {
    /// Which.
    pub rule: ScopeRule,
    /// Its stable code.
    pub code: &'static str,
    /// What breaks it.
    pub message: String,
    /// The remedy.
    pub remedy: &'static str,
    /// The files that break it, where they can be named.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub paths: Vec<String>,
}

/// A rule that cannot be judged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ScopeUnknown {
    /// Which.
    pub rule: ScopeRule,
    /// Why.
    pub message: String,
    /// What would decide it: JSON Pointers into the plan's documents.
    pub would_tell: Vec<&'static str>,
}

/// The input of the scope guard; all of it may be unknown.
#[derive(Clone, Copy, Debug, Default)]
pub struct ScopeInput<'a> {
    /// The diff's figures.
    pub diff: Option<&'a Numstat>,
    /// The author's statements about the change.
    pub change: Option<&'a Change>,
    /// The release changes a schema, as its traffic's document says.
    pub schema_change: Option<bool>,
}

const NUMSTAT: &str = "/release/numstat";
const FIXES: &str = "/release/change/fixes";
const FEATURES: &str = "/release/change/features";
const TIDYING: &str = "/release/change/tidying";
const UPDATES: &str = "/release/change/updates_dependencies";
const THE_FIX: &str = "/release/change/dependencies_are_the_fix";

impl ScopeReport {
    /// Judges a change by a policy's scope; without one there are figures only.
    ///
    /// Unknown is not accepted: a rule that depends on it is in `unknown`, with what would decide
    /// it. A diff without a file is unknown, too: it may be of the wrong branch.
    ///
    /// ```
    /// use hotfix_core::fact::Truth;
    /// use hotfix_core::gate::{Change, Numstat, ScopeInput, ScopeReport, ScopeRule, Tidying};
    /// use hotfix_core::policy::Policy;
    ///
    /// let policy = Policy::preset("standard")?;
    /// let diff = Numstat::parse("6\t2\tsrc/pay.rs\n900\t0\tsrc/report.rs\n")?;
    /// let change = Change {
    ///     fixes: Some(1),
    ///     features: Some(false),
    ///     tidying: Some(Tidying::None),
    ///     ..Change::default()
    /// };
    /// let input =
    ///     ScopeInput { diff: Some(&diff), change: Some(&change), ..ScopeInput::default() };
    /// let report = ScopeReport::new(policy.scope(), input);
    /// assert_eq!(report.content, Some(Truth::No));
    /// assert_eq!(report.breaches[0].rule, ScopeRule::LinesMost);
    /// assert_eq!(report.breaches[0].message, "it changes 908 lines, and the policy allows 200");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn new(scope: Option<&Scope>, input: ScopeInput<'_>) -> Self {
        let diff = input.diff.filter(|diff| !diff.files.is_empty());
        let figures = diff.map(|diff| ScopeFigures::new(diff, scope));
        let Some(scope) = scope else {
            return Self { figures, ..Self::default() };
        };
        let mut guard = Guard {
            scope,
            figures: figures.as_ref(),
            change: input.change.cloned().unwrap_or_default(),
            schema_change: input.schema_change,
            breaches: Vec::new(),
            unknown: Vec::new(),
        };
        for &rule in ScopeRule::ALL {
            guard.judge(rule);
        }
        let Guard { breaches, unknown, .. } = guard;
        let content = match (breaches.is_empty(), unknown.is_empty()) {
            (false, _) => Truth::No,
            (true, false) => Truth::Unknown,
            (true, true) => Truth::Yes,
        };
        Self { content: Some(content), figures, breaches, unknown, wanted: scope.wanted.clone() }
    }
}

struct Guard<'a> {
    scope: &'a Scope,
    figures: Option<&'a ScopeFigures>,
    change: Change,
    schema_change: Option<bool>,
    breaches: Vec<ScopeBreach>,
    unknown: Vec<ScopeUnknown>,
}

impl Guard<'_> {
    /// Adds what breaks a rule, or what is unknown about it.
    fn judge(&mut self, rule: ScopeRule) {
        match rule {
            ScopeRule::OneFix => self.one_fix(rule),
            ScopeRule::Features => self.features(rule),
            ScopeRule::Refactoring => self.refactoring(rule),
            ScopeRule::Dependencies => self.dependencies(rule),
            ScopeRule::Migrations => self.migrations(rule),
            ScopeRule::FilesMost => self.files(rule),
            ScopeRule::LinesMost => self.lines(rule),
        }
    }

    fn broken(
        &mut self,
        (rule, code): (ScopeRule, &'static str),
        message: impl Into<String>,
        remedy: &'static str,
        paths: &[String],
    ) {
        let (message, paths) = (message.into(), paths.to_vec());
        self.breaches.push(ScopeBreach { rule, code, message, remedy, paths });
    }

    fn unknown(&mut self, rule: ScopeRule, message: &str, would_tell: &[&'static str]) {
        let (message, would_tell) = (message.to_owned(), would_tell.to_vec());
        self.unknown.push(ScopeUnknown { rule, message, would_tell });
    }

    fn one_fix(&mut self, rule: ScopeRule) {
        match self.change.fixes {
            _ if !self.scope.one_fix => {}
            None => self.unknown(rule, "it is not stated how many faults it fixes", &[FIXES]),
            Some(0 | 1) => {}
            Some(fixes) => self.broken(
                (rule, code! {HF-GATE-001}),
                format!("it fixes {fixes} faults, and the policy allows one"),
                "make a hot-fix of each, or keep those that can wait for the next release",
                &[],
            ),
        }
    }

    fn features(&mut self, rule: ScopeRule) {
        match self.change.features {
            _ if self.scope.features => {}
            None => self.unknown(rule, "it is not stated whether it adds a feature", &[FEATURES]),
            Some(false) => {}
            Some(true) => self.broken(
                (rule, code! {HF-GATE-002}),
                "it adds a feature, which the policy does not allow",
                "remove the feature; ship it with the next release",
                &[],
            ),
        }
    }

    fn refactoring(&mut self, rule: ScopeRule) {
        let Some(tidying) = self.change.tidying else {
            let message = "it is not stated how far it tidies the code around the fix";
            return self.unknown(rule, message, &[TIDYING]);
        };
        let (allowed, allows) = match self.scope.refactoring {
            Refactoring::Never => (tidying == Tidying::None, "none"),
            Refactoring::IfNeeded => {
                (matches!(tidying, Tidying::None | Tidying::Needed), "what the fix needs")
            }
            Refactoring::NotLarge => (tidying != Tidying::Large, "a little"),
        };
        if !allowed {
            self.broken(
                (rule, code! {HF-GATE-003}),
                format!("its tidying is `{tidying}`, and the policy allows {allows}"),
                "remove the tidying; ship it with the next release",
                &[],
            );
        }
    }

    /// Adds a breach where it updates dependencies that are not the fix.
    fn dependencies(&mut self, rule: ScopeRule) {
        if self.scope.dependencies {
            return;
        }
        let touched = self.figures.map(|figures| figures.dependencies.as_slice());
        let updates = match (self.change.updates_dependencies, touched) {
            (Some(said), _) => Truth::from(said),
            (None, Some(files)) => Truth::from(!files.is_empty()),
            (None, None) => Truth::Unknown,
        };
        match (updates, self.change.dependencies_are_the_fix) {
            (Truth::No, _) | (_, Some(true)) => {}
            (Truth::Yes, Some(false)) => self.broken(
                (rule, code! {HF-GATE-004}),
                "it updates dependencies that are not the fix",
                "remove the update; if the files change for another reason, set \
                 `updates_dependencies` to `false`",
                touched.unwrap_or_default(),
            ),
            (Truth::Yes, None) if self.change.updates_dependencies.is_some() => self.unknown(
                rule,
                "it is not stated whether the dependencies that it updates are the fix",
                &[THE_FIX],
            ),
            (Truth::Yes, None) => self.unknown(
                rule,
                "it changes files that name dependencies, and it is not stated whether they are \
                 the fix",
                &[THE_FIX, UPDATES],
            ),
            (Truth::Unknown, _) => {
                let message = "it is not known whether it updates dependencies";
                self.unknown(rule, message, &[NUMSTAT, UPDATES]);
            }
        }
    }

    fn migrations(&mut self, rule: ScopeRule) {
        if self.scope.migrations {
            return;
        }
        let files = self.figures.map(|figures| figures.migrations.as_slice());
        let message = match (files, self.schema_change) {
            (Some(files), _) if !files.is_empty() => "it migrates a database",
            (_, Some(true)) => "it changes a schema",
            (Some(_), _) => return,
            // That no schema changes does not say that no data are moved.
            (None, _) => {
                let message = "it is not known whether it migrates a database";
                return self.unknown(rule, message, &[NUMSTAT]);
            }
        };
        let remedy = "remove the migration, or deploy it separately if the previous version runs with it, too";
        self.broken((rule, code! {HF-GATE-005}), message, remedy, files.unwrap_or_default());
    }

    fn files(&mut self, rule: ScopeRule) {
        let Some(most) = self.scope.files_most else { return };
        match self.figures.map(|figures| figures.files) {
            None => self.unknown(rule, "it is not known how many files it changes", &[NUMSTAT]),
            Some(files) if files > u64::from(most) => self.broken(
                (rule, code! {HF-GATE-006}),
                format!("it changes {files} files, and the policy allows {most}"),
                "keep to the files that the fix needs",
                &[],
            ),
            Some(_) => {}
        }
    }

    fn lines(&mut self, rule: ScopeRule) {
        let Some(most) = self.scope.lines_most else { return };
        match self.figures.map(|figures| (figures.lines, figures.binary)) {
            None => self.unknown(rule, "it is not known how many lines it changes", &[NUMSTAT]),
            Some((lines, _)) if lines > u64::from(most) => self.broken(
                (rule, code! {HF-GATE-007}),
                format!("it changes {lines} lines, and the policy allows {most}"),
                "keep to the lines that the fix needs",
                &[],
            ),
            Some((_, 0)) => {}
            Some(_) => {
                self.unknown(rule, "it changes binary files, whose lines are not counted", &[]);
            }
        }
    }
}

impl ScopeFigures {
    /// Counts a diff's files and lines, and finds those of a kind by the scope's patterns or by the
    /// built-in ones. Where a file was renamed, both its names count.
    pub fn new(diff: &Numstat, scope: Option<&Scope>) -> Self {
        let mut paths = BTreeSet::new();
        let (mut added, mut deleted, mut binary) = (0, 0, 0);
        for file in &diff.files {
            paths.insert(file.path.as_str());
            match file.lines {
                Some(lines) => {
                    added += u64::from(lines.added);
                    deleted += u64::from(lines.deleted);
                }
                None => binary += 1,
            }
        }
        let of_kind = |own: Option<&Vec<String>>, built_in: &'static str| {
            let patterns: Vec<&str> = match own {
                Some(own) => own.iter().map(String::as_str).collect(),
                None => Scope::patterns(built_in).collect(),
            };
            let has = |path: &&String| patterns.iter().any(|pattern| fits(pattern, path));
            let named = diff.files.iter().flat_map(|file| file.before.iter().chain([&file.path]));
            set_of(named.filter(has)).into_iter().cloned().collect()
        };
        let own =
            |list: fn(&Scope) -> &Option<Vec<String>>| scope.and_then(|scope| list(scope).as_ref());
        Self {
            files: paths.len() as u64,
            added,
            deleted,
            lines: added + deleted,
            binary,
            dependencies: of_kind(own(|scope| &scope.dependency_files), Scope::DEPENDENCY_FILES),
            migrations: of_kind(own(|scope| &scope.migration_files), Scope::MIGRATION_FILES),
            tests: of_kind(own(|scope| &scope.test_files), Scope::TEST_FILES),
        }
    }
}

/// Whether a path matches a pattern: one with a slash by the whole path, another by its last part.
fn fits(pattern: &str, path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    if pattern.contains('/') {
        fast_glob::glob_match(pattern, path)
    } else {
        // Most patterns are just a file's name, and a diff may be long.
        pattern == name
            || (pattern.contains(['*', '?', '[']) && fast_glob::glob_match(pattern, name))
    }
}
