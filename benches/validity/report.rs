//! The page: tables, claims and their results, and how to reproduce it.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use crate::missed;
use crate::tally::{Delays, Estimate};

/// The limit that a figure must keep for a claim to hold.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Limit {
    /// A guarantee: at most this, by twice the standard error.
    Guaranteed(f64),
    /// A bound that the method may reach exactly: not above this by more than two standard errors.
    Reached(f64),
    /// A calibrated figure: not above this by more than two standard errors.
    Calibrated(f64),
    /// A delay of at most this, plus two standard errors.
    AtMost(f64),
    /// Near a figure stated elsewhere, within a tolerance and two standard errors.
    Near(f64, f64),
}

impl Limit {
    /// Near a stated number of ticks: a tenth or a tick.
    pub(crate) fn ticks(stated: f64) -> Self {
        Self::Near(stated, (0.1 * stated).max(1.0))
    }

    fn words(self) -> String {
        match self {
            Self::Guaranteed(most) => format!("≤ {most} by 2 SE"),
            Self::Reached(most) => format!("exact bound {most}: not over it by more than 2 SE"),
            Self::Calibrated(most) => format!("not over {most} by more than 2 SE"),
            Self::AtMost(most) => format!("≤ {most}"),
            Self::Near(stated, tolerance) => {
                let stated = (1e4 * stated).round() / 1e4;
                format!("{stated} ± {tolerance:.3} ± 2 SE")
            }
        }
    }

    /// Whether the figure keeps the limit; with few runs three standard errors are tolerated.
    fn holds(self, figure: Estimate, quick: bool) -> bool {
        let Estimate { value, error } = figure;
        match self {
            Self::Guaranteed(most) if quick => value - 3.0 * error <= most,
            Self::Guaranteed(most) => value + 2.0 * error <= most,
            Self::Reached(most) | Self::Calibrated(most) | Self::AtMost(most) => {
                value - if quick { 3.0 } else { 2.0 } * error <= most
            }
            Self::Near(stated, tolerance) => {
                let grace = if quick { 4.0 } else { 2.0 };
                (value - stated).abs() <= tolerance + grace * error
            }
        }
    }
}

/// A claim and the figure that decides it.
#[derive(Clone, Debug)]
struct Claim {
    of: String,
    figure: Estimate,
    limit: Limit,
    digits: usize,
    held: bool,
}

impl Claim {
    /// Why it is known not to hold, if so.
    fn reason(&self) -> Option<&'static str> {
        missed::why(&self.of)
    }

    fn words(&self) -> String {
        format!("{}: {:.4}, wanted {}", self.of, self.figure, self.limit.words())
    }
}

/// A table under construction.
pub(crate) struct Sheet {
    text: String,
}

impl Sheet {
    pub(crate) fn new(heads: &[&str]) -> Self {
        let mut text = format!("| {} |\n|", heads.join(" | "));
        for _ in heads {
            text.push_str("---|");
        }
        text.push('\n');
        Self { text }
    }

    pub(crate) fn row(&mut self, cells: &[String]) {
        // Writing to a string cannot fail.
        let _ = writeln!(self.text, "| {} |", cells.join(" | "));
    }
}

/// What a page begins with: what it is, and notes that follow the number of claims.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Head {
    pub(crate) title: &'static str,
    pub(crate) words: &'static str,
    pub(crate) notes: &'static str,
}

/// The whole report, in order.
pub(crate) struct Report {
    head: Head,
    quick: bool,
    /// Only worlds whose name contains this are tried.
    world: String,
    text: String,
    claims: Vec<Claim>,
    plots: Vec<(String, Result<String, String>)>,
    chapter: String,
}

impl Report {
    pub(crate) fn new(head: Head, quick: bool) -> Self {
        Self {
            head,
            quick,
            world: String::new(),
            text: String::new(),
            claims: Vec::new(),
            plots: Vec::new(),
            chapter: String::new(),
        }
    }

    pub(crate) fn is_quick(&self) -> bool {
        self.quick
    }

    /// Only worlds whose name contains this text are tried from here on.
    pub(crate) fn restrict(&mut self, world: &str) {
        world.clone_into(&mut self.world);
    }

    /// Whether a world of this name is tried.
    pub(crate) fn tries(&self, world: &str) -> bool {
        world.contains(&self.world)
    }

    /// Number of runs of a scenario: fewer with `--quick`.
    pub(crate) fn runs(&self, full: u32) -> u32 {
        if self.quick { (full / 20).max(200).min(full) } else { full }
    }

    pub(crate) fn chapter(&mut self, title: &str) {
        let _ = writeln!(self.text, "## {title}\n");
        title.clone_into(&mut self.chapter);
    }

    pub(crate) fn section(&mut self, title: &str) {
        let _ = writeln!(self.text, "### {title}\n");
    }

    pub(crate) fn say(&mut self, words: &str) {
        let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
        let _ = writeln!(self.text, "{words}\n");
    }

    pub(crate) fn put(&mut self, sheet: &Sheet) {
        let _ = writeln!(self.text, "{}", sheet.text);
    }

    /// Refers to a plot, which is written to `img/` beside the page.
    pub(crate) fn plot(&mut self, file: &str, words: &str, svg: Result<String, String>) {
        let _ = writeln!(self.text, "![{words}](img/{file})\n");
        self.plots.push((file.to_owned(), svg));
    }

    /// The page and its plots, with where each belongs.
    pub(crate) fn files(&self, page: &Path) -> Result<Vec<(PathBuf, String)>, String> {
        let beside = page.parent().unwrap_or(Path::new("")).join("img");
        let mut files = vec![(page.to_owned(), self.page())];
        for (name, svg) in &self.plots {
            files.push((beside.join(name), svg.clone()?));
        }
        Ok(files)
    }

    /// Records a claim; returns the figure as shown in a table.
    pub(crate) fn claim(
        &mut self,
        of: &str,
        figure: Estimate,
        limit: Limit,
        digits: usize,
    ) -> String {
        let held = limit.holds(figure, self.quick);
        let of = format!("{}: {of}", self.chapter);
        self.claims.push(Claim { of, figure, limit, digits, held });
        if held { format!("{figure:.digits$}") } else { format!("**{figure:.digits$} (missed)**") }
    }

    /// Whether a rate is of enough runs: twice its standard error is below a quarter of its limit.
    pub(crate) fn is_enough(&self, figure: &Estimate, alpha: f64) -> bool {
        self.quick || 2.0 * figure.error < alpha / 4.0
    }

    /// Records an error rate, from enough runs.
    pub(crate) fn alpha(&mut self, of: &str, figure: Estimate, limit: Limit) -> String {
        let (Limit::Guaranteed(alpha) | Limit::Reached(alpha) | Limit::Calibrated(alpha)) = limit
        else {
            return self.claim(of, figure, limit, 4);
        };
        let enough = self.is_enough(&figure, alpha);
        let shown = self.claim(of, figure, limit, 4);
        if enough {
            return shown;
        }
        if let Some(claim) = self.claims.last_mut() {
            claim.held = false;
            claim.of.push_str(" (too few runs)");
        }
        format!("{shown} (too few runs)")
    }

    /// Records a median, compared with one stated elsewhere.
    pub(crate) fn median(&mut self, of: &str, delays: &Delays, stated: f64) -> String {
        let never = Estimate { value: f64::INFINITY, error: 0.0 };
        self.claim(of, delays.median().unwrap_or(never), Limit::ticks(stated), 1)
    }

    /// The number of claims, and those that do not hold: known ones, and others.
    pub(crate) fn verdict(&self) -> (usize, [Vec<String>; 2]) {
        let missed = self.claims.iter().filter(|claim| !claim.held);
        let (known, others) = missed.partition::<Vec<&Claim>, _>(|claim| claim.reason().is_some());
        let words = |claims: Vec<&Claim>| claims.into_iter().map(Claim::words).collect();
        (self.claims.len(), [words(known), words(others)])
    }

    /// Claims that are known as missed but hold; empty with few runs, which cannot show this.
    pub(crate) fn better_than_known(&self) -> Vec<String> {
        let held = self.claims.iter().filter(|claim| claim.held && claim.reason().is_some());
        if self.quick { Vec::new() } else { held.map(Claim::words).collect() }
    }

    /// The claims as a list, the missed ones first.
    fn claims(&self) -> String {
        let mut sheet = Sheet::new(&["claim", "figure", "wanted", ""]);
        for held in [false, true] {
            for claim in self.claims.iter().filter(|claim| claim.held == held) {
                sheet.row(&[
                    claim.of.clone(),
                    format!("{:.*}", claim.digits, claim.figure),
                    claim.limit.words(),
                    match claim.reason() {
                        _ if held => "held".into(),
                        Some(why) => format!("**missed**: {why}"),
                        None => "**missed**".into(),
                    },
                ]);
            }
        }
        sheet.text
    }

    /// The whole page.
    pub(crate) fn page(&self) -> String {
        let (all, missed) = self.verdict();
        let missed = missed.concat();
        let Head { title, words, notes } = self.head;
        let mut page = format!("# {title}\n\n{words}\n\n");
        let _ = writeln!(
            page,
            "- **{all} claims, {} missed.** They are listed [at the end](#claims), the missed ones \
             first.\n\
             - A figure is followed by ± its standard error (SE). For a share it is computed with \
             two more of either outcome, so that it is not zero where nothing happened. For a \
             median it comes from order statistics. Shares over runs with a common calibration are \
             grouped by it.\n{notes}",
            missed.len()
        );
        page.push_str(&self.text);
        let _ = write!(page, "## Claims\n\n{}", self.claims());
        page
    }
}
