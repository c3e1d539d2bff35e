//! `rashomon zoo`: every seeded bug must be caught, and no correct system accused.

mod page;
mod table;

use std::path::Path;

use rashomon_run::registry;
use rashomon_run::zoo::{self, Cage, Effort};

use super::outcome::interruption;
use crate::args::ZooArguments;
use crate::exit::{Exit, fail};

pub(crate) fn run(arguments: &ZooArguments) -> Exit {
    let systems = match &arguments.system {
        None => registry::systems(),
        Some(name) => match registry::system(name) {
            Ok(entry) => vec![entry],
            Err(error) => return fail(Exit::Usage, &error),
        },
    };
    let interrupted = match interruption() {
        Ok(interrupted) => interrupted,
        Err(error) => return fail(Exit::Harness, &error),
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let effort = Effort {
        seeds: arguments.seeds,
        hunts: arguments.hunts.max(1),
        jobs: arguments.jobs.unwrap_or(cores),
        live: arguments.live,
    };
    let settings = zoo::settings(&arguments.out, Path::new("/proc/self/exe"));
    let mut cages = Vec::new();
    for entry in systems {
        let told = |cage: &Cage| eprintln!("{} {}: {}", cage.system, table::name(cage), table::state(cage));
        match zoo::visit(&entry.info, &effort, &settings, &interrupted, told) {
            Ok(visited) => cages.extend(visited),
            Err(error) => return fail(Exit::Harness, &error),
        }
    }
    if arguments.json {
        outln!("{}", serde_json::to_string_pretty(&cages).expect("a cage is plain data"));
    } else if arguments.markdown {
        outln!("{}", page::page(&cages, &effort));
    } else {
        outln!("{}", table::narrow(&cages).trim_fmt());
    }
    if interrupted.load(std::sync::atomic::Ordering::Relaxed) {
        return Exit::Unknown;
    }
    if cages.iter().all(|cage| cage.good) { Exit::Valid } else { Exit::Invalid }
}
