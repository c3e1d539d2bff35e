//! The `rashomon` binary: tears a distributed system apart and says whether its clients could tell.

mod args;
mod commands;
mod exit;
mod progress;

use std::process::ExitCode;

use args::{Arguments, Command};
use clap::Parser;
use clap::error::ErrorKind;
use exit::Exit;

fn main() -> ExitCode {
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
        Command::List(arguments) => commands::list::run(&arguments),
        Command::Doctor(arguments) => commands::doctor::run(&arguments),
        Command::Report(arguments) => commands::report::run(&arguments),
        Command::Node(arguments) => commands::node::run(&arguments),
    }
}
