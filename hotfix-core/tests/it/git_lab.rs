//! A repository with a bare remote, in a folder of its own and with nothing of the machine's configuration.

use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::process::{Command as Process, Output};

use hotfix_core::vcs::Command;

/// The tag of the live version where tags are named by time.
pub(crate) const PREVIOUS_BY_TIME: &str = "hotfix-20240101-0000";

/// What is live: three lines, and a version.
const SETUP: &str = r#"
set -e
git init -q --bare -b main ../remote.git
git init -q -b main .
git remote add origin ../remote.git
printf 'first\nbroken\nthird\n' >app.txt
printf '1.2.3' >VERSION
git add --all
git commit -q -m 'what is live'
git tag -a -m 'Version 1.2.3' v1.2.3
git tag -a -m 'Version 1.2.3' hotfix-20240101-0000
git switch -q -c develop
echo next >next.txt
git add --all
git commit -q -m 'what comes next'
git switch -q main
if test "$MOVED_ON" = yes; then
    echo merged >merged.txt
    git add --all
    git commit -q -m 'what others merged'
fi
git push -q origin main develop --tags
"#;

/// A host's command line: it merges on the host, as people there do, and says so to nobody.
const HOST: &str = r#"#!/bin/sh
set -e
test "$1" = pr
case $2 in
create)
    ;;
merge)
    rm -rf "$HOME/host"
    git clone -q "$HOME/remote.git" "$HOME/host"
    cd "$HOME/host"
    way=$3
    test -f "$HOME/way" && way=$(cat "$HOME/way")
    case $way in
    --rebase) git switch -q "$4" && git rebase -q main && git switch -q main && git merge -q --ff-only "$4" ;;
    --squash) git merge -q --squash "origin/$4" && git commit -q -m 'by the host (#1)' ;;
    --merge) git merge -q --no-ff -m 'by the host (#1)' "origin/$4" ;;
    *) exit 1 ;;
    esac
    git push -q origin HEAD
    ;;
*) exit 1 ;;
esac
"#;

/// A clone, and the folder that goes with the first of them.
pub(crate) struct Lab {
    folder: PathBuf,
    clone: PathBuf,
    first: bool,
    /// Scripts that were run: one a second. Two commits of the same content at the same time would be one.
    seconds: Cell<u32>,
}

impl Lab {
    /// A fresh repository and its remote. With `moved_on`, main has a commit that is not live.
    pub(crate) fn new(name: &str, moved_on: bool) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"))
            .join(format!("git-{}-{name}", std::process::id()));
        let clone = folder.join("work");
        std::fs::create_dir_all(&clone).unwrap();
        let lab = Self { folder, clone, first: true, seconds: Cell::new(0) };
        let moved_on = if moved_on { "yes" } else { "no" };
        lab.sh(&format!("MOVED_ON={moved_on}\n{SETUP}")).unwrap();
        lab
    }

    /// Puts a host's command line among the programs.
    pub(crate) fn with_host(self) -> Self {
        std::fs::create_dir_all(self.folder.join("bin")).unwrap();
        std::fs::write(self.folder.join("bin/gh"), HOST).unwrap();
        self.sh("chmod +x ../bin/gh").unwrap();
        self
    }

    /// Another clone of the remote, with branches as they are there.
    pub(crate) fn colleague(&self, name: &str) -> Self {
        let clone = self.folder.join(name);
        self.sh(&format!("git clone -q ../remote.git ../{name}")).unwrap();
        Self { folder: self.folder.clone(), clone, first: false, seconds: self.seconds.clone() }
    }

    /// The same clone and remote again, as they are now.
    pub(crate) fn copy(&self, name: &str) -> Self {
        let folder = self.folder.with_file_name(format!("git-{}-{name}", std::process::id()));
        let clone = folder.join(self.clone.file_name().unwrap());
        self.sh(&format!("cp -R .. '{}'", folder.display())).unwrap();
        let lab = Self { folder, clone, first: true, seconds: self.seconds.clone() };
        // A clone has the whole path of its remote.
        lab.sh("git remote set-url origin ../remote.git").unwrap();
        lab
    }

    pub(crate) fn path(&self, file: &str) -> PathBuf {
        self.clone.join(file)
    }

    pub(crate) fn write(&self, file: &str, content: &str) {
        std::fs::write(self.path(file), content).unwrap();
    }

    fn process(&self, script: &str) -> Output {
        let mut shell = Process::new("sh");
        shell.arg("-c").arg(script).current_dir(&self.clone).env_clear();
        let mut path = self.folder.join("bin").into_os_string();
        path.push(":");
        path.push(std::env::var_os("PATH").unwrap_or_default());
        shell.env("PATH", path).env("HOME", &self.folder).env("LC_ALL", "C");
        // No configuration but git's own; what would open an editor or ask fails.
        shell
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_EDITOR", "false")
            .env("GIT_TERMINAL_PROMPT", "0");
        // Nothing here outlives the test: no disk need be waited for, nothing tidied up behind it.
        shell.env("GIT_CONFIG_COUNT", "3");
        let settings = [("core.fsync", "none"), ("gc.auto", "0"), ("maintenance.auto", "false")];
        for (index, (key, value)) in settings.into_iter().enumerate() {
            shell.env(format!("GIT_CONFIG_KEY_{index}"), key);
            shell.env(format!("GIT_CONFIG_VALUE_{index}"), value);
        }
        self.seconds.set(self.seconds.get() + 1);
        let date = format!("{} +0000", 1_705_329_000 + self.seconds.get());
        for who in ["AUTHOR", "COMMITTER"] {
            shell
                .env(format!("GIT_{who}_NAME"), "Ada")
                .env(format!("GIT_{who}_EMAIL"), "ada@example.org");
            shell.env(format!("GIT_{who}_DATE"), &date);
        }
        shell.output().unwrap_or_else(|error| panic!("`sh` cannot be run: {error}"))
    }

    /// What a script prints, or what it complains about.
    pub(crate) fn sh(&self, script: &str) -> Result<String, String> {
        let output = self.process(script);
        if output.status.success() {
            return Ok(String::from_utf8(output.stdout).unwrap());
        }
        let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!complaint.contains("git: not found"), "git is needed: install it");
        Err(complaint)
    }

    /// Runs the lines as they are shown; each must succeed.
    pub(crate) fn run(&self, commands: &[Command]) {
        let lines: Vec<&str> = commands.iter().map(Command::shown).collect();
        if let Err(complaint) = self.sh(&format!("set -ex\n{}", lines.join("\n"))) {
            panic!("{}: {complaint}", self.folder.display());
        }
    }

    pub(crate) fn succeeds(&self, line: &str) -> bool {
        self.process(line).status.success()
    }

    /// A reviewer adds to a branch on the remote.
    pub(crate) fn review(&self, branch: &str) {
        let script = format!(
            "set -e; rm -rf ../reviewer; git clone -q -b {branch} ../remote.git ../reviewer; cd ../reviewer; date +%s%N >>review.log; \
             echo seen >review.txt; git add --all; git commit -q -m 'as the review asks'; git push -q origin {branch}"
        );
        self.sh(&script).unwrap();
    }

    fn remote(&self, arguments: &str) -> Result<String, String> {
        let answer = self.sh(&format!("git --git-dir=../remote.git {arguments}"));
        answer.map(|text| text.trim_end_matches('\n').to_owned())
    }

    /// What a reference of the remote is, where it is there.
    pub(crate) fn on_remote(&self, reference: &str) -> Option<String> {
        self.remote(&format!("rev-parse --verify --quiet {reference}")).ok()
    }

    pub(crate) fn remote_commit(&self, reference: &str) -> String {
        self.remote(&format!("rev-parse {reference}^{{commit}}")).unwrap()
    }

    pub(crate) fn remote_tree(&self, reference: &str) -> String {
        self.remote(&format!("rev-parse {reference}^{{tree}}")).unwrap()
    }

    pub(crate) fn remote_kind(&self, reference: &str) -> String {
        self.remote(&format!("cat-file -t {reference}")).unwrap()
    }

    /// The content of a file on the remote, as it is.
    pub(crate) fn remote_file(&self, reference: &str, file: &str) -> String {
        self.sh(&format!("git --git-dir=../remote.git show {reference}:{file}")).unwrap()
    }

    /// The parents of a branch's newest commit.
    pub(crate) fn parents(&self, branch: &str) -> Vec<String> {
        let line = self.remote(&format!("rev-list --parents -n 1 {branch}")).unwrap();
        line.split(' ').skip(1).map(str::to_owned).collect()
    }

    pub(crate) fn is_ancestor(&self, commit: &str, branch: &str) -> bool {
        self.remote(&format!("merge-base --is-ancestor {commit} {branch}")).is_ok()
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        // What failed is left for a look.
        if self.first && !std::thread::panicking() {
            let _ = std::fs::remove_dir_all(&self.folder);
        }
    }
}
