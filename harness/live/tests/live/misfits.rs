//! Nodes that do not behave.

use std::io::Read;
use std::process::ExitCode;

/// The life of a process that is no node.
pub(crate) fn run(name: &str) -> ExitCode {
    match name {
        "dies" => {
            eprintln!("the dog ate my log");
            ExitCode::from(3)
        }
        "babbles" => {
            println!("hello, world");
            wait_for_the_end()
        }
        "is-mute" => {
            eprintln!("I shall say nothing");
            wait_for_the_end()
        }
        other => {
            eprintln!("no system is called `{other}`");
            ExitCode::from(254)
        }
    }
}

fn wait_for_the_end() -> ExitCode {
    std::io::stdin().read_to_end(&mut Vec::new()).expect("standard input can be read");
    ExitCode::SUCCESS
}
