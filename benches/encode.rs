//! Time to write one event into the log, and to read a line of it.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use hotfix_benches::{event, unsorted};
use hotfix_core::canonical::{Encoder, verify_line};
use serde::de::IgnoredAny;
use std::hint::black_box;

fn encode(c: &mut Criterion) {
    let (event, unsorted) = (event(17), unsorted(17));
    let mut encoder = Encoder::new();
    let mut out = Vec::new();
    let mut line = Vec::new();
    encoder.seal(&event, &mut line).expect("the sample is a log line");
    let text = std::str::from_utf8(&line).expect("JSON is text");

    let mut group = c.benchmark_group("encode");
    group.throughput(Throughput::Bytes(line.len() as u64));
    group.bench_function("serde_json", |b| {
        b.iter(|| {
            out.clear();
            serde_json::to_writer(&mut out, black_box(&event)).is_ok()
        });
    });
    group.bench_function("canonical", |b| {
        b.iter(|| {
            out.clear();
            encoder.encode(black_box(&event), &mut out).is_ok()
        });
    });
    group.bench_function("canonical_sorting", |b| {
        b.iter(|| {
            out.clear();
            encoder.encode(black_box(&unsorted), &mut out).is_ok()
        });
    });
    group.bench_function("seal", |b| {
        b.iter(|| {
            out.clear();
            encoder.seal(black_box(&event), &mut out).is_ok()
        });
    });
    group.finish();

    let mut group = c.benchmark_group("read");
    group.throughput(Throughput::Bytes(line.len() as u64));
    group.bench_function("verify", |b| b.iter(|| verify_line(black_box(&line)).is_ok()));
    group.bench_function("parse", |b| {
        b.iter(|| serde_json::from_str::<IgnoredAny>(black_box(text)).is_ok());
    });
    group.finish();
}

criterion_group!(benches, encode);
criterion_main!(benches);
