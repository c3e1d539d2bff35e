//! Exit codes, which follow Jepsen's.

use std::process::ExitCode;

use rashomon_core::Validity;

/// How the program ends. Nothing else reaches the shell: clap's 2, a returned error's 1 and a panic's 101 would
/// all be mistaken for a verdict.
///
/// Of several runs the worst wins, and a harness that failed is worse than any verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Exit {
    /// One consistent story explains everything; or the command had nothing to judge and worked.
    Valid,
    /// Not settled.
    Unknown,
    /// No consistent story exists.
    Invalid,
    /// The arguments or the input make no sense.
    Usage,
    /// The harness itself failed.
    Harness,
}

impl From<Validity> for Exit {
    fn from(validity: Validity) -> Exit {
        match validity {
            Validity::Valid => Exit::Valid,
            Validity::Invalid => Exit::Invalid,
            Validity::Unknown => Exit::Unknown,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(match exit {
            Exit::Valid => 0,
            Exit::Invalid => 1,
            Exit::Unknown => 2,
            Exit::Usage => 254,
            Exit::Harness => 255,
        })
    }
}

/// Says why on standard error, and ends so.
pub(crate) fn fail(exit: Exit, error: &dyn std::fmt::Display) -> Exit {
    eprintln!("error: {error}");
    exit
}
