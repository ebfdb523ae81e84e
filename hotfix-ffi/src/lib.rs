//! Placeholder of the skeleton commit; the binding follows.
