//! `rashomon node`: the main of a node process.

use rashomon_run::registry;

use crate::args::NodeArguments;
use crate::exit::{Exit, fail};

pub(crate) fn run(arguments: &NodeArguments) -> Exit {
    let entry = match registry::system(&arguments.system) {
        Ok(entry) => entry,
        Err(error) => return fail(Exit::Usage, &error),
    };
    match (entry.node)(&arguments.config) {
        Ok(()) => Exit::Valid,
        Err(error) => fail(Exit::Harness, &error),
    }
}
