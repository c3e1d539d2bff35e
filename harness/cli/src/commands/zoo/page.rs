//! A zoo as a page of the documentation: the command that made it, what its columns mean, and the table.

use rashomon_run::zoo::{Cage, Effort, Inmate};

use super::table;
use crate::commands::plan;

pub(super) fn page(cages: &[Cage], effort: &Effort) -> String {
    let count = |wanted: fn(&Cage) -> bool| cages.iter().filter(|cage| wanted(cage)).count();
    let bugs = count(|cage| matches!(cage.inmate, Inmate::Bug { .. }));
    let caught = count(|cage| matches!(cage.inmate, Inmate::Bug { .. }) && cage.good);
    let controls = count(|cage| matches!(cage.inmate, Inmate::Control { .. }));
    let Effort { seeds, hunts, jobs, live } = effort;
    let tried = if *live > 0 { format!(" --live {live}") } else { String::new() };
    let command = format!("{} zoo --markdown --seeds {seeds} --hunts {hunts}{tried}", plan::program());
    let processes = match live {
        0 => "the same against real processes, which `--live N`\n  asks for; this run had none.".to_owned(),
        runs => format!(
            "the same against real processes, where a hunt is at most\n  {runs} runs; a dash stands for what was not \
             tried, as for bugs that show in simulation only."
        ),
    };
    format!(
        "# The zoo

Every seeded bug, every system as it should be, and every legal weakness, as one run of the zoo found them:
{caught} of {bugs} bugs caught in every hunt; {controls} legal weaknesses looked at. This page is the output of

```console
{command}
```

A hunt goes through seeds in virtual time until one is invalid, at most {seeds}; each hunt begins elsewhere. A system as
it should be is run with every seed, and one accusation fails the zoo. A legal weakness must be seen and not be reported.

- *in simulation*: the hunts that caught the bug, of all hunts; for a legal weakness, the runs that showed it, of all
  runs.
- *seeds*: the median of the seeds that a catch took.
- *time*: the median of the real time from the start of a hunt to its verdict, here with {jobs} seeds at a time. The
  seeds are the same on every machine, the time is not.
- *live* and the *time* after it: {processes}
- *by*: the checkers that accused, in simulation or live.

{table}",
        table = table::wide(cages),
    )
}
