//! The tests of the C interface as one program: it is linked once.

// What several of them share.
mod common;
#[path = "../../../hotfix-core/tests/it/shared/mod.rs"]
#[allow(dead_code, reason = "the tests in Rust use the rest")]
mod shared;

// The tests.
mod compile_run;
mod contract;
mod contract_backtest;
mod contract_code;
mod contract_convert;
mod contract_evidence;
mod contract_extend;
mod contract_fixed;
mod contract_hostile;
mod contract_instances;
mod contract_latency;
mod contract_measures;
mod contract_message;
mod contract_paths;
mod contract_readings;
mod contract_report;
mod contract_sequential_test;
mod contract_severity;
mod contract_simulate;
mod contract_snapshot;
mod contract_strategy;
mod contract_train;
mod contract_vcs;
mod contract_views;
mod corpus;
mod corpus_latency;
mod corpus_plan;
mod corpus_plan_power;
mod corpus_planning;
mod corpus_policy;
mod corpus_recorded;
mod corpus_scope;
mod corpus_severity;
mod corpus_simulate;
mod corpus_strategy;
mod corpus_train;
mod corpus_vcs;
mod header;
mod script;
