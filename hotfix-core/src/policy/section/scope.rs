//! What a hot-fix may change.

use crate::grade::Refactoring;

/// What a hot-fix may change. A change beyond it belongs in a normal release.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "a yes or no for each thing that a change may do"
)]
pub struct Scope {
    /// Whether it may contain only one fix. Default true.
    pub one_fix: bool,
    /// Whether it may add features. Default false.
    pub features: bool,
    /// How far it may refactor the code around the fix. Default never.
    pub refactoring: Refactoring,
    /// Whether it may update dependencies, unless that is the fix. Default false.
    pub dependencies: bool,
    /// Whether it may contain a database migration. Default false.
    pub migrations: bool,
    /// The most files that it may change. None: no limit.
    pub files_most: Option<u32>,
    /// The most lines that it may add and remove together. None: no limit.
    pub lines_most: Option<u32>,
    /// The files that declare dependencies, as patterns. None:
    /// [`DEPENDENCY_FILES`](Self::DEPENDENCY_FILES).
    pub dependency_files: Option<Vec<String>>,
    /// The files of database migrations, as patterns. None:
    /// [`MIGRATION_FILES`](Self::MIGRATION_FILES).
    pub migration_files: Option<Vec<String>>,
    /// The files of tests, as patterns. None: [`TEST_FILES`](Self::TEST_FILES).
    pub test_files: Option<Vec<String>>,
    /// What the change should also contain, for reviewers.
    pub wanted: Vec<String>,
}

impl Scope {
    /// Manifests and lock files, with the names in the documentation of each tool.
    ///
    /// A pattern without a slash is a file name in any folder; one with a slash is a path from the
    /// root of the repository. `*` and `?` stop at a slash, `**` does not.
    pub const DEPENDENCY_FILES: &'static [&'static str] = &[
        // Rust: the Cargo book.
        "Cargo.toml",
        "Cargo.lock",
        // JavaScript: npm, Yarn, pnpm, Bun, Deno.
        "package.json",
        "package-lock.json",
        "npm-shrinkwrap.json",
        "yarn.lock",
        "pnpm-lock.yaml",
        "pnpm-workspace.yaml",
        "bun.lock",
        "bun.lockb",
        "deno.json",
        "deno.lock",
        // Python: pip, the packaging guide with PEP 751, Pipenv, Poetry, uv, PDM, conda.
        "requirements*.txt",
        "**/requirements/*.txt",
        "constraints*.txt",
        "pyproject.toml",
        "setup.py",
        "setup.cfg",
        "pylock*.toml",
        "Pipfile",
        "Pipfile.lock",
        "poetry.lock",
        "uv.lock",
        "pdm.lock",
        "environment.yml",
        // Go: the modules reference.
        "go.mod",
        "go.sum",
        "go.work",
        "go.work.sum",
        // JVM: Maven, Gradle with its version catalogues, sbt, Leiningen, Clojure.
        "pom.xml",
        "build.gradle",
        "build.gradle.kts",
        "gradle.lockfile",
        "libs.versions.toml",
        "build.sbt",
        "project.clj",
        "deps.edn",
        // .NET: NuGet.
        "*.csproj",
        "*.fsproj",
        "*.vbproj",
        "packages.config",
        "packages.lock.json",
        "Directory.Packages.props",
        // Ruby: Bundler.
        "Gemfile",
        "Gemfile.lock",
        "*.gemspec",
        // PHP: Composer.
        "composer.json",
        "composer.lock",
        // Apple: Swift packages, CocoaPods, Carthage.
        "Package.swift",
        "Package.resolved",
        "Podfile",
        "Podfile.lock",
        "Cartfile",
        "Cartfile.resolved",
        // Dart, Elixir, Erlang, Haskell, R.
        "pubspec.yaml",
        "pubspec.lock",
        "mix.exs",
        "mix.lock",
        "rebar.config",
        "rebar.lock",
        "*.cabal",
        "cabal.project.freeze",
        "stack.yaml.lock",
        "renv.lock",
        // C and C++: vcpkg, Conan.
        "vcpkg.json",
        "conanfile.txt",
        "conanfile.py",
        "conan.lock",
        // Terraform, Nix, Helm, git's submodules.
        ".terraform.lock.hcl",
        "flake.lock",
        "Chart.lock",
        ".gitmodules",
    ];

    /// Migrations, with the folders and names in the documentation of each tool.
    pub const MIGRATION_FILES: &'static [&'static str] = &[
        // Django, Laravel, Prisma, TypeORM, Sequelize, Ecto, sqlx, Diesel; Entity Framework.
        "**/migrations/**",
        "**/Migrations/**",
        // Rails, with the schema that it writes beside them.
        "**/db/migrate/**",
        "**/db/schema.rb",
        "**/db/structure.sql",
        // Alembic.
        "**/alembic/versions/**",
        // Flyway: its folder, and its names for versioned, undo and repeatable ones.
        "**/db/migration/**",
        "V*__*.sql",
        "U*__*.sql",
        "R__*.sql",
        // Liquibase.
        "**/db/changelog/**",
        // golang-migrate.
        "*.up.sql",
        "*.down.sql",
    ];

    /// Tests, with the names that the common test runners look for, or other common names.
    pub const TEST_FILES: &'static [&'static str] = &[
        "**/test/**",
        "**/tests/**",
        "**/spec/**",
        "**/__tests__/**",
        "test_*.py",
        "*_test.*",
        "*.test.*",
        "*.spec.*",
        "*_spec.rb",
        "*Test.*",
        "*Tests.*",
    ];
}
