//! The `rashomon` binary: tears a distributed system apart and says whether its clients could tell.
//!
//! It is a library so that another binary can have all of its commands for systems of its own:
//!
//! ```no_run
//! # use rashomon_systems::echo::Echo as Mine;
//! use std::process::ExitCode;
//!
//! fn main() -> ExitCode {
//!     rashomon::main_with(vec![rashomon::entry::<Mine>()])
//! }
//! ```
//!
//! The tutorial, `docs/tutorial.md`, builds such a binary.

#[macro_use]
mod out;

mod args;
mod commands;
mod exit;
mod progress;

use std::process::ExitCode;

use args::{Arguments, Command};
use clap::Parser;
use clap::error::ErrorKind;
use exit::{Exit, fail};

pub use rashomon_run::registry::{SystemEntry, entry};

/// The whole program, which knows these systems besides its own.
///
/// It must be the first thing that `main` does: a run starts the same binary again for each node.
pub fn main_with(guests: Vec<SystemEntry>) -> ExitCode {
    if let Err(error) = rashomon_run::registry::invite(guests) {
        return fail(Exit::Usage, &error).into();
    }
    // A node process is a world of its own: none of what follows concerns it.
    let exit = match Arguments::try_parse() {
        Ok(arguments) => std::panic::catch_unwind(|| dispatch(arguments.command)).unwrap_or(Exit::Harness),
        Err(error) => {
            // Nothing can be done about a closed terminal.
            let _ = error.print();
            match error.kind() {
                ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Exit::Valid,
                _ => Exit::Usage,
            }
        }
    };
    exit.into()
}

fn dispatch(command: Command) -> Exit {
    match command {
        Command::Test(arguments) => commands::test::run(&arguments),
        Command::Sim(arguments) => commands::sim::run(&arguments),
        Command::Zoo(arguments) => commands::zoo::run(&arguments),
        Command::Check(arguments) => commands::check::run(&arguments),
        Command::Convert(arguments) => commands::convert::run(&arguments),
        Command::Generate(arguments) => commands::generate::run(&arguments),
        Command::List(arguments) => commands::list::run(&arguments),
        Command::Doctor(arguments) => commands::doctor::run(&arguments),
        Command::Report(arguments) => commands::report::run(&arguments),
        Command::Node(arguments) => commands::node::run(&arguments),
    }
}
