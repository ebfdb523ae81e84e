//! What a hot-fix may change.

use super::list::{Once, none};
use crate::document::Node;
use crate::grade::Refactoring;
use crate::policy::error::{Problem, shown};
use crate::policy::field::{HowMany, List, TextOrNone};
use crate::policy::reader::{Narrowed, PolicyReader, section};
use crate::policy::schema::{Definitions, Schema};
use serde_json::json;

impl Scope {
    /// Manifests and lock files, with the names in the documentation of each tool: a line an ecosystem.
    ///
    /// A pattern without a slash is a file name in any folder; one with a slash is a path from the
    /// root of the repository. `*` and `?` stop at a slash, `**` does not.
    pub const DEPENDENCY_FILES: &'static str = "
        Rust: Cargo.toml Cargo.lock
        JavaScript: package.json package-lock.json npm-shrinkwrap.json yarn.lock pnpm-lock.yaml \
            pnpm-workspace.yaml bun.lock bun.lockb deno.json deno.lock
        Python: requirements*.txt **/requirements/*.txt constraints*.txt pyproject.toml setup.py setup.cfg \
            pylock*.toml Pipfile Pipfile.lock poetry.lock uv.lock pdm.lock environment.yml
        Go: go.mod go.sum go.work go.work.sum
        JVM: pom.xml build.gradle build.gradle.kts gradle.lockfile libs.versions.toml build.sbt project.clj deps.edn
        .NET: *.csproj *.fsproj *.vbproj packages.config packages.lock.json Directory.Packages.props
        Ruby: Gemfile Gemfile.lock *.gemspec
        PHP: composer.json composer.lock
        Apple: Package.swift Package.resolved Podfile Podfile.lock Cartfile Cartfile.resolved
        Dart, Elixir, Erlang: pubspec.yaml pubspec.lock mix.exs mix.lock rebar.config rebar.lock
        Haskell, R: *.cabal cabal.project.freeze stack.yaml.lock renv.lock
        C, C++: vcpkg.json conanfile.txt conanfile.py conan.lock
        Terraform, Nix, Helm, git: .terraform.lock.hcl flake.lock Chart.lock .gitmodules";

    /// Migrations, with the folders and names in the documentation of each tool.
    pub const MIGRATION_FILES: &'static str = "
        Django, Laravel, Prisma, TypeORM, Sequelize, Ecto, sqlx, Diesel: **/migrations/**
        Entity Framework: **/Migrations/**
        Rails: **/db/migrate/** **/db/schema.rb **/db/structure.sql
        Alembic: **/alembic/versions/**
        Flyway: **/db/migration/** V*__*.sql U*__*.sql R__*.sql
        Liquibase: **/db/changelog/**
        golang-migrate: *.up.sql *.down.sql";

    /// Tests, with the names that the common test runners look for, or other common names.
    pub const TEST_FILES: &'static str = "
        folders: **/test/** **/tests/** **/spec/** **/__tests__/**
        files: test_*.py *_test.* *.test.* *.spec.* *_spec.rb *Test.* *Tests.*";

    /// The patterns of such a list.
    pub fn patterns(list: &'static str) -> impl Iterator<Item = &'static str> {
        list.lines()
            .filter_map(|line| line.split_once(": "))
            .flat_map(|(_, files)| files.split_whitespace())
    }
}

section! {
    plain
    /// What a hot-fix may change. A change beyond it takes the normal process.
    pub Scope: Eq from ScopeDraft {
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
        files_most: u32 as HowMany, [optional];
        /// The most lines that it may add and remove together. Without this key there is no limit.
        lines_most: u32 as HowMany, [optional];
        /// The files that declare dependencies, as patterns: file names or whole paths, with `*`,
        /// `?`, `[…]` and `**` for any folders. Default: the manifests and lock files of the common
        /// package managers.
        dependency_files: Vec<String> as Once<Pattern>, [optional];
        /// The files of database migrations, as patterns. Default: the folders and names of the
        /// common tools.
        migration_files: Vec<String> as Once<Pattern>, [optional];
        /// The files of tests, as patterns. Default: the common folders and names.
        test_files: Vec<String> as Once<Pattern>, [optional];
        /// What the change should also contain, for reviewers.
        wanted: Vec<String> as List<String>, [default none()];
    }
}

/// A pattern of paths.
pub(super) struct Pattern;

impl Pattern {
    /// The longest pattern, in bytes.
    const MOST: usize = 200;

    /// Whether this is a valid pattern, without alternatives in braces: matched in one pass.
    fn fits(text: &str) -> bool {
        let length = (1..=Self::MOST).contains(&text.len());
        let refused = text.starts_with(['!', '/'])
            || text.ends_with('/')
            || text.chars().any(|c| c.is_control() || matches!(c, '{' | '}' | '\\'));
        length && !refused && fast_glob::validate(text).is_ok()
    }
}

impl Narrowed for Pattern {
    type Of = TextOrNone;

    fn check(text: String, _: &Node, reader: &mut PolicyReader) -> Option<String> {
        if Self::fits(&text) {
            return Some(text);
        }
        reader.fail(Problem::Pattern { got: shown(&text) })
    }

    fn schema_of(_: &mut Definitions) -> Schema {
        json!({
            "description": "a file's name, or a path from the root of the repository, with `*`, `?`, `[…]` and `**`",
            "type": "string",
            "minLength": 1,
            "maxLength": Self::MOST,
            "pattern": r"^[^!/{}\\\x00-\x1f]([^{}\\\x00-\x1f]*[^/{}\\\x00-\x1f])?$"
        })
    }
}
