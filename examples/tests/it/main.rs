//! The tests of the examples as one program: it is linked once.

mod canary_lab;
mod canary_rollback;
mod crash;
mod drills;
mod explain_severity;
mod lab_policy;
