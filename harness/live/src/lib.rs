//! harness/live
