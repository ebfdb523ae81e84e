//! Time of the list of what is due, and of a tick at which nothing becomes due.
//!
//! `duties` is the whole answer with its texts, under each preset in the middle of a P0.
//! `advance/quiet` moves the clock where nothing becomes due, as at nearly every tick;
//! `advance/after_an_input` checks every duty, as after an input.

use criterion::{Criterion, criterion_group, criterion_main};
use hotfix_core::deadline::{Agenda, Input};
use hotfix_core::grade::{Moment, Severity};
use hotfix_core::policy::Policy;
use hotfix_core::unit::{Span, Timestamp};
use std::hint::black_box;

/// Twenty minutes into a P0 without any input since its detection.
fn begun(policy: &Policy) -> (Agenda, Timestamp) {
    let detected = "2026-03-03T14:06:00Z".parse().expect("a time");
    let mut agenda = Agenda::new(policy);
    let moment = Input::Moment { moment: Moment::Detected, at: detected };
    for input in [Input::Severity(Some(Severity::P0)), moment] {
        agenda.take(policy, detected, input).expect("it answers nothing");
    }
    let at = detected + Span::from_seconds(1_200);
    agenda.advance(at);
    (agenda, at)
}

fn duties(c: &mut Criterion) {
    let mut group = c.benchmark_group("duties");
    for name in Policy::presets() {
        let policy = Policy::preset(name).expect("a preset");
        let (agenda, at) = begun(&policy);
        group.bench_function(*name, |b| b.iter(|| agenda.duties(&policy, black_box(at)).due.len()));
    }
    group.finish();
}

fn advance(c: &mut Criterion) {
    let policy = Policy::preset("standard").expect("a preset");
    let (agenda, at) = begun(&policy);
    let mut group = c.benchmark_group("advance");
    group.bench_function("quiet", |b| {
        let mut agenda = agenda.clone();
        let at = at + Span::from_seconds(1);
        agenda.advance(at);
        b.iter(|| agenda.advance(black_box(at)).len());
    });
    group.bench_function("after_an_input", |b| {
        let mut agenda = agenda.clone();
        b.iter(|| {
            let severity = Input::Severity(black_box(Some(Severity::P0)));
            agenda.take(&policy, at, severity).expect("it answers nothing");
            agenda.advance(at).len()
        });
    });
    group.bench_function("next_moment", |b| {
        let later = at + Span::from_seconds(1);
        b.iter(|| agenda.next_moment(black_box(later)));
    });
    group.finish();
}

criterion_group!(benches, duties, advance);
criterion_main!(benches);
