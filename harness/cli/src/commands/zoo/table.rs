//! The table of a zoo: narrow for a terminal, and wide for a page.

use std::collections::BTreeSet;
use std::time::Duration;

use comfy_table::{ContentArrangement, Table, presets};
use rashomon_run::zoo::{Cage, Hunted, Inmate};

/// What is in the cage.
pub(super) fn name(cage: &Cage) -> String {
    match cage.inmate {
        Inmate::Correct => "as it should be".to_owned(),
        Inmate::Weak => "known to be weak".to_owned(),
        Inmate::Bug { bug, .. } => bug.to_owned(),
        Inmate::Control { control } => format!("{control} (legal)"),
    }
}

/// What became of it, in a word or two; capitals are for what fails the zoo.
pub(super) fn state(cage: &Cage) -> &'static str {
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

/// The table for a terminal of 120 columns: a line for each system, what it has below it, and each checker on a line of
/// its own.
pub(super) fn narrow(cages: &[Cage]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(["", "", "sim", "seeds", "time", "live", "time", "by"]);
    for of_one in cages.chunk_by(|one, next| one.system == next.system) {
        table.add_row([of_one[0].system]);
        for cage in of_one {
            let state = state(cage).replace(", ", ",\n");
            let [sim, seeds, time, live, live_time] = figures(cage);
            let by = by(cage).into_iter().collect::<Vec<_>>().join("\n");
            table.add_row([format!("  {}", name(cage)), state, sim, seeds, time, live, live_time, by]);
        }
    }
    table
}

/// The table for a page: everything of a cage in one row.
pub(super) fn wide(cages: &[Cage]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(["system", "bug", "", "in simulation", "seeds", "time", "live", "time", "by"]);
    for cage in cages {
        let [sim, seeds, time, live, live_time] = figures(cage);
        let by = by(cage).into_iter().collect::<Vec<_>>().join(", ");
        let system = cage.system.to_owned();
        table.add_row([system, name(cage), state(cage).to_owned(), sim, seeds, time, live, live_time, by]);
    }
    table
}

/// The result in simulation with its seeds and its time, and the result against real processes with its time.
fn figures(cage: &Cage) -> [String; 5] {
    let dash = || "-".to_owned();
    let result = |hunted: &Hunted| match cage.inmate {
        Inmate::Correct => format!("{} runs", hunted.runs),
        Inmate::Weak | Inmate::Bug { .. } => format!("{}/{}", hunted.found, hunted.hunts),
        Inmate::Control { .. } => format!("{}/{}", hunted.seen, hunted.runs),
    };
    let time = |hunted: &Hunted| hunted.median_ms.map_or_else(dash, |ms| took(Duration::from_millis(ms)));
    let live = cage.live.as_ref();
    [
        result(&cage.sim),
        cage.sim.median.map_or_else(dash, |seeds| seeds.to_string()),
        time(&cage.sim),
        live.map_or_else(dash, result),
        live.map_or_else(dash, time),
    ]
}

/// A time to two or three digits.
fn took(time: Duration) -> String {
    match time.as_millis() {
        0 => "< 1 ms".to_owned(),
        ms @ 1..1000 => format!("{ms} ms"),
        _ => format!("{:.1} s", time.as_secs_f64()),
    }
}

/// The checkers that accused, in simulation or against real processes.
fn by(cage: &Cage) -> BTreeSet<&str> {
    let live = cage.live.iter().flat_map(|live| &live.by);
    cage.sim.by.iter().chain(live).map(String::as_str).collect()
}

#[cfg(test)]
mod tests {
    use rashomon_core::Shows;
    use rashomon_run::registry;

    use super::*;

    fn hunted(found: u64, by: &[&str]) -> Hunted {
        Hunted {
            hunts: 5,
            found,
            runs: 10_000,
            seen: 10_000,
            median: Some(1999),
            median_ms: Some(123_456),
            by: by.iter().map(|&name| name.to_owned()).collect(),
            ..Hunted::default()
        }
    }

    /// Everything that the zoo can hold, with figures as wide as they come.
    fn full() -> Vec<Cage> {
        let mut cages = Vec::new();
        for info in registry::systems().iter().map(|entry| entry.info) {
            let mut add = |inmate: Inmate, good: bool| {
                let checkers = ["atomic-commitment", "consensus", "invariants", "linearizable-register"];
                let hunted = hunted(5, &checkers);
                cages.push(Cage { system: info.name, inmate, sim: hunted.clone(), live: Some(hunted), good });
            };
            add(Inmate::Correct, false);
            add(Inmate::Correct, true);
            for bug in info.bugs {
                add(Inmate::Bug { bug: bug.name, shows: bug.shows }, true);
            }
            for control in info.controls {
                add(Inmate::Control { control: control.name }, true);
            }
        }
        cages
    }

    #[test]
    fn a_terminal_of_120_columns_is_wide_enough() {
        let shown = narrow(&full()).to_string();
        let widest = shown.lines().max_by_key(|line| line.trim_end().chars().count()).unwrap();
        assert!(widest.trim_end().chars().count() <= 120, "{widest}");
    }

    #[test]
    fn both_tables_tell_seeds_and_times_of_simulation_and_of_real_processes() {
        let sim = Hunted { median: Some(7), median_ms: Some(340), ..hunted(5, &["invariants"]) };
        let live = Hunted { median: Some(1), median_ms: Some(20_500), ..hunted(4, &["lock"]) };
        let inmate = Inmate::Bug { bug: "local-read", shows: Shows::Live };
        let cages = [Cage { system: "raft", inmate, sim, live: Some(live), good: true }];
        let words = |table: Table, place: usize| -> Vec<String> {
            let shown = table.to_string();
            let row = shown.lines().nth(place).unwrap().replace('|', " ");
            row.split_whitespace().map(str::to_owned).collect()
        };
        let figures = ["5/5", "7", "340", "ms", "4/5", "20.5", "s"];
        let wanted = [&["raft", "local-read", "caught"], &figures[..], &["invariants,", "lock"]].concat();
        assert_eq!(words(wide(&cages), 2), wanted);
        let shown = narrow(&cages);
        assert_eq!(words(shown.clone(), 1), ["raft"]);
        assert_eq!(
            words(shown.clone(), 2),
            [&["local-read", "caught"], &figures[..], &["invariants"]].concat()
        );
        assert_eq!(words(shown, 3), ["lock"]);
    }

    #[test]
    fn what_was_not_tried_is_a_dash() {
        let nothing = Hunted { hunts: 1, runs: 50, ..Hunted::default() };
        let cage = Cage { system: "echo", inmate: Inmate::Correct, sim: nothing, live: None, good: true };
        assert_eq!(figures(&cage), ["50 runs", "-", "-", "-", "-"]);
    }

    #[test]
    fn times_are_told_to_the_digits_that_matter() {
        let told = |ms| took(Duration::from_millis(ms));
        assert_eq!(
            [told(0), told(7), told(999), told(1000), told(61_740)],
            ["< 1 ms", "7 ms", "999 ms", "1.0 s", "61.7 s"]
        );
    }
}
