//! `rashomon zoo`: every seeded bug must be caught, and no correct system accused.

use std::path::Path;

use comfy_table::{ContentArrangement, Table, presets};
use rashomon_run::registry;
use rashomon_run::zoo::{self, Cage, Effort, Hunted};

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
        let told = |cage: &Cage| eprintln!("{} {}: {}", cage.system, name(cage), state(cage));
        match zoo::visit(&entry.info, &effort, &settings, &interrupted, told) {
            Ok(visited) => cages.extend(visited),
            Err(error) => return fail(Exit::Harness, &error),
        }
    }
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&cages).expect("a cage is plain data"));
    } else {
        println!("{}", table(&cages, arguments.markdown));
    }
    if interrupted.load(std::sync::atomic::Ordering::Relaxed) {
        return Exit::Unknown;
    }
    if cages.iter().all(|cage| cage.good) { Exit::Valid } else { Exit::Invalid }
}

fn name(cage: &Cage) -> &'static str {
    cage.bug.unwrap_or("as it should be")
}

fn state(cage: &Cage) -> &'static str {
    match (cage.good, cage.bug.is_some()) {
        (true, true) => "caught",
        (true, false) => "not accused",
        (false, true) => "ESCAPED",
        (false, false) => "ACCUSED",
    }
}

fn table(cages: &[Cage], markdown: bool) -> Table {
    let mut table = Table::new();
    table.load_style(if markdown { presets::ASCII_MARKDOWN } else { presets::NOTHING });
    table.set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(["system", "bug", "", "found in simulation", "seeds", "by", "found live", "time"]);
    for cage in cages {
        let found = |hunted: &Hunted| format!("{}/{}", hunted.found, hunted.hunts);
        let number = |number: Option<u64>| number.map_or("-".to_owned(), |number| number.to_string());
        let by: Vec<&str> = cage.sim.by.iter().map(String::as_str).collect();
        let live = cage.live.as_ref().map_or(["-".to_owned(), "-".to_owned()], |hunted| {
            let seconds = |ms: u64| format!("{:.1} s", ms as f64 / 1000.0);
            [found(hunted), hunted.median_ms.map_or("-".to_owned(), seconds)]
        });
        let row = [
            cage.system.to_owned(),
            name(cage).to_owned(),
            state(cage).to_owned(),
            found(&cage.sim),
            number(cage.sim.median),
            by.join(", "),
        ];
        table.add_row(row.into_iter().chain(live));
    }
    table
}
