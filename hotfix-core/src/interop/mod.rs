//! What other tools take and give.
