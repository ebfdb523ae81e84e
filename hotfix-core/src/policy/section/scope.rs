//! What a hot-fix may change (GATE-4).

use crate::grade::Refactoring;

/// How far a hot-fix may go; what is not allowed belongs in a normal release.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "a yes or no for each thing that a change may do"
)]
pub struct Scope {
    /// Whether it is one fix and no more. Default true.
    pub one_fix: bool,
    /// Whether it may bring features. Default false.
    pub features: bool,
    /// How far it may tidy the code around the fix. Default never.
    pub refactoring: Refactoring,
    /// Whether it may update dependencies that are not themselves the fix. Default false.
    pub dependencies: bool,
    /// Whether it may migrate a database. Default false.
    pub migrations: bool,
    /// The most files that it may touch. None: no limit.
    pub files_most: Option<u32>,
    /// The most lines that it may add and take out together. None: no limit.
    pub lines_most: Option<u32>,
    /// The files that name dependencies, as patterns. None: [`DEPENDENCY_FILES`](Self::DEPENDENCY_FILES).
    pub dependency_files: Option<Vec<String>>,
    /// The files that migrate a database, as patterns. None: [`MIGRATION_FILES`](Self::MIGRATION_FILES).
    pub migration_files: Option<Vec<String>>,
    /// The files that are tests, as patterns. None: [`TEST_FILES`](Self::TEST_FILES).
    pub test_files: Option<Vec<String>>,
    /// What the change should have besides, for those who review it.
    pub wanted: Vec<String>,
}

impl Scope {
    /// Manifests and lock files, by the names that each tool's own documentation gives them.
    ///
    /// A pattern without a slash is the file's name in any folder; one with a slash is the whole path from the root of the
    /// repository. `*` and `?` stop at a slash, `**` does not.
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

    /// Migrations, by the folders and names that each tool's own documentation gives them.
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

    /// Tests, by the names that the common test runners look for, or that are commonly given.
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
