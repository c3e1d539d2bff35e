//! harness/run
