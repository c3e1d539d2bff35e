//! `rashomon zoo`: every seeded bug must be caught, and no correct system accused.

use std::collections::BTreeSet;
use std::path::Path;

use comfy_table::{ContentArrangement, Table, TableStyle, presets};
use rashomon_run::registry;
use rashomon_run::zoo::{self, Cage, Effort, Hunted, Inmate};

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
        outln!("{}", serde_json::to_string_pretty(&cages).expect("a cage is plain data"));
    } else if arguments.markdown {
        outln!("{}", page(&cages, &effort));
    } else {
        outln!("{}", table(&cages, presets::NOTHING));
    }
    if interrupted.load(std::sync::atomic::Ordering::Relaxed) {
        return Exit::Unknown;
    }
    if cages.iter().all(|cage| cage.good) { Exit::Valid } else { Exit::Invalid }
}

/// What is in the cage.
fn name(cage: &Cage) -> String {
    match cage.inmate {
        Inmate::Correct => "as it should be".to_owned(),
        Inmate::Weak => "known to be weak".to_owned(),
        Inmate::Bug { bug, .. } => bug.to_owned(),
        Inmate::Control { control } => format!("{control} (legal)"),
    }
}

fn state(cage: &Cage) -> &'static str {
    let accused = |hunted: &Hunted| hunted.found > 0;
    match (cage.inmate, cage.good) {
        (Inmate::Correct, true) => "not accused",
        (Inmate::Weak | Inmate::Bug { .. }, true) => "caught",
        (Inmate::Weak | Inmate::Bug { .. }, false) => "ESCAPED",
        (Inmate::Control { .. }, true) => "seen, not accused",
        (Inmate::Correct | Inmate::Control { .. }, false) => {
            if accused(&cage.sim) || cage.live.as_ref().is_some_and(accused) { "ACCUSED" } else { "TROUBLE" }
        }
    }
}

fn table(cages: &[Cage], style: TableStyle) -> Table {
    let mut table = Table::new();
    table.load_style(style).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(["system", "bug", "", "in simulation", "seeds", "by", "live", "time"]);
    for cage in cages {
        let result = |hunted: &Hunted| match cage.inmate {
            Inmate::Correct => format!("{} runs", hunted.runs),
            Inmate::Weak | Inmate::Bug { .. } => format!("{}/{}", hunted.found, hunted.hunts),
            Inmate::Control { .. } => format!("seen in {} of {} runs", hunted.seen, hunted.runs),
        };
        let number = |number: Option<u64>| number.map_or("-".to_owned(), |number| number.to_string());
        let by: BTreeSet<&str> = cage
            .sim
            .by
            .iter()
            .chain(cage.live.iter().flat_map(|live| &live.by))
            .map(String::as_str)
            .collect();
        let live = cage.live.as_ref().map_or(["-".to_owned(), "-".to_owned()], |hunted| {
            let seconds = |ms: u64| format!("{:.1} s", ms as f64 / 1000.0);
            [result(hunted), hunted.median_ms.map_or("-".to_owned(), seconds)]
        });
        let row = [
            cage.system.to_owned(),
            name(cage),
            state(cage).to_owned(),
            result(&cage.sim),
            number(cage.sim.median),
            by.into_iter().collect::<Vec<_>>().join(", "),
        ];
        table.add_row(row.into_iter().chain(live));
    }
    table
}

/// The table as a page of the documentation, with the command that made it and what its columns mean.
fn page(cages: &[Cage], effort: &Effort) -> String {
    let program = super::plan::program();
    let command = match effort.live {
        0 => format!("{program} zoo --markdown --seeds {} --hunts {}", effort.seeds, effort.hunts),
        live => {
            format!(
                "{program} zoo --markdown --seeds {} --hunts {} --live {live}",
                effort.seeds, effort.hunts
            )
        }
    };
    let count = |wanted: fn(&Inmate) -> bool| cages.iter().filter(|cage| wanted(&cage.inmate)).count();
    let bugs = count(|inmate| matches!(inmate, Inmate::Bug { .. }));
    let caught = cages.iter().filter(|cage| matches!(cage.inmate, Inmate::Bug { .. }) && cage.good).count();
    let controls = count(|inmate| matches!(inmate, Inmate::Control { .. }));
    let table = table(cages, presets::ASCII_MARKDOWN);
    let live = match effort.live {
        0 => "Hunts\nagainst real processes, with `--live N`, fill the last two columns; this run had none."
            .to_owned(),
        runs => format!(
            "*live* is the\nsame against real processes, where a hunt is at most {runs} runs, and *time* the median from \
             the\nstart of a hunt to its verdict; a dash stands for what was not tried, as for bugs that show in \
             simulation only."
        ),
    };
    format!(
        "# The zoo\n\n\
         Every seeded bug, every system as it should be, and every legal weakness, as one run of the zoo found them:\n\
         {caught} of {bugs} bugs caught in every hunt; {controls} legal weaknesses looked at. This page is the output of\n\n\
         ```console\n{command}\n```\n\n\
         A hunt goes through seeds in virtual time until one is invalid, at most {seeds}; each hunt begins elsewhere.\n\
         *in simulation* is the number of hunts that caught the bug, *seeds* the median of the seeds that it took. A\n\
         system as it should be is run with every seed, and one accusation fails the zoo. A legal weakness must be seen\n\
         and not be reported. *by* names the checkers. {live}\n\n{table}",
        seeds = effort.seeds,
    )
}
