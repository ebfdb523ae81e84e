//! The check of the idle side, before it gets traffic.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use hyper::Method;
use tokio::task::JoinSet;

use crate::http;
use crate::scrape::{self, Totals};

/// Number of test payments, and how many run in parallel.
const PAYMENTS: usize = 40;
const AT_A_TIME: usize = 4;

/// Payments that have to succeed: some always fail, 3 in 1000.
const TAKEN: usize = 38;

const PATIENCE: Duration = Duration::from_secs(5);

/// Runs the checks of the policy: health and version, test payments, and that the metrics count
/// them. Returns the observations.
///
/// # Errors The side must not get traffic; the message has the reason.
pub(crate) async fn check(side: SocketAddr, version: &str) -> anyhow::Result<String> {
    let health = http::expect_ok(side, Method::GET, "/health", "", PATIENCE).await?.as_text();
    ensure!(health.contains(version), "`{health}` is not version {version}");
    let before = totals(side).await?;
    let mut taken = 0;
    for _ in 0..PAYMENTS / AT_A_TIME {
        let mut under_way = JoinSet::new();
        for _ in 0..AT_A_TIME {
            under_way.spawn(http::call(side, Method::GET, "/pay", "", PATIENCE));
        }
        for answer in under_way.join_all().await {
            taken += usize::from(answer.is_ok_and(|reply| reply.status == 200));
        }
    }
    ensure!(taken >= TAKEN, "only {taken} of {PAYMENTS} test payments succeeded");
    let counted = totals(side).await?.all() - before.all();
    ensure!(counted >= taken as f64, "its metrics count {counted} of {PAYMENTS} test payments");
    Ok(format!(
        "{version} answers /health, takes {taken} of {PAYMENTS} test payments and counts them"
    ))
}

async fn totals(side: SocketAddr) -> anyhow::Result<Totals> {
    let samples = scrape::fetch(side).await.context("no metrics on the idle side")?;
    Totals::from_samples(&samples, None, 0.0)
}
