//! The log file: locked by one driver at a time, and on disk before a line is acted on.

use std::fs::File;
use std::future::Future;
use std::io::{Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;

/// The log file. One driver at a time has its lock.
pub(crate) struct Journal {
    file: Arc<File>,
    path: PathBuf,
    lines: usize,
}

impl Journal {
    /// Opens the log and locks it; returns its content.
    pub(crate) fn open(path: &Path, resume: bool) -> anyhow::Result<(Self, Vec<u8>)> {
        let shown = path.display();
        let mut file = File::options()
            .read(true)
            .append(true)
            .create(true)
            .open(path)
            .with_context(|| format!("cannot open the log {shown}"))?;
        file.try_lock().with_context(|| format!("another driver has locked the log {shown}"))?;
        let mut log = Vec::new();
        file.read_to_end(&mut log).with_context(|| format!("cannot read the log {shown}"))?;
        anyhow::ensure!(
            resume || log.is_empty(),
            "the log {shown} already has a rollout: continue with --resume, or name another file"
        );
        let lines = count(&log);
        Ok((Self { file: Arc::new(file), path: path.to_owned(), lines }, log))
    }

    /// Number of complete lines in the log.
    pub(crate) fn lines(&self) -> usize {
        self.lines
    }

    /// Truncates the log to its first `bytes`.
    pub(crate) fn cut(&mut self, bytes: usize) -> anyhow::Result<()> {
        self.file.set_len(bytes as u64)?;
        self.file.as_ref().seek(std::io::SeekFrom::End(0))?;
        self.file.sync_data()?;
        Ok(())
    }

    /// Appends lines. They survive a crash of this process, but not yet of the machine: see
    /// [`on_disk`](Self::on_disk).
    pub(crate) fn append(&mut self, lines: &str) -> anyhow::Result<()> {
        self.lines += count(lines.as_bytes());
        self.file
            .as_ref()
            .write_all(lines.as_bytes())
            .with_context(|| format!("cannot append to the log {}", self.path.display()))
    }

    /// Writes every line so far to the disk, and resolves when that is done. A busy disk takes
    /// seconds; the caller can do other work in the meantime.
    pub(crate) fn on_disk(&self) -> impl Future<Output = anyhow::Result<()>> + use<> {
        let (file, path) = (Arc::clone(&self.file), self.path.clone());
        let taken = tokio::task::spawn_blocking(move || file.sync_data());
        async move {
            taken
                .await?
                .with_context(|| format!("cannot write the log {} to the disk", path.display()))
        }
    }
}

fn count(log: &[u8]) -> usize {
    log.split_inclusive(|byte| *byte == b'\n').filter(|line| line.ends_with(b"\n")).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_log_is_held_by_one_driver_and_a_torn_line_is_cut() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("log.jsonl");
        let (mut journal, log) = Journal::open(&path, false).expect("a new log");
        assert_eq!(log, b"");
        journal.append("one\n").expect("appends");
        journal.append("tw").expect("appends");
        let held = Journal::open(&path, true).err().expect("it is held");
        assert!(held.to_string().contains("another driver"), "{held}");
        drop(journal);
        let started = Journal::open(&path, false).err().expect("it has lines");
        assert!(started.to_string().contains("--resume"), "{started}");
        let (mut journal, log) = Journal::open(&path, true).expect("goes on");
        assert_eq!((log.as_slice(), journal.lines()), (b"one\ntw".as_slice(), 1));
        journal.cut(4).expect("cuts");
        journal.append("two\n").expect("appends");
        journal.on_disk().await.expect("the disk takes it");
        assert_eq!(journal.lines(), 2);
        assert_eq!(std::fs::read_to_string(&path).expect("text"), "one\ntwo\n");
    }
}
