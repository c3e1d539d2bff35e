//! `rashomon test`: runs a plan against real processes.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::sync::atomic::Ordering;

use rashomon_run::judge::Limits;
use rashomon_run::plan::PlanError;
use rashomon_run::{Plan, Settings, schedule};

use super::outcome::{interruption, tell};
use super::plan;
use crate::args::TestArguments;
use crate::exit::{Exit, fail};
use crate::progress;

pub(crate) fn run(arguments: &TestArguments) -> Exit {
    let plan = match planned(arguments) {
        Ok(plan) => plan,
        Err(error) => return fail(Exit::Usage, &error),
    };
    if arguments.times == 0 {
        return fail(Exit::Usage, &"--times 0: there is nothing to run");
    }
    let interrupted = match interruption() {
        Ok(interrupted) => interrupted,
        Err(error) => return fail(Exit::Harness, &error),
    };
    let settings = Settings {
        out: arguments.output.out.clone(),
        executable: PathBuf::from("/proc/self/exe"),
        command: match &arguments.schedule {
            Some(file) => format!("{} test --schedule {}", plan::program(), file.display()),
            None => plan::command("test", &plan, &arguments.plan, arguments.replay.as_deref()),
        },
        limits: Limits::default(),
    };
    let mut worst = Exit::Valid;
    let (mut ran, mut invalid) = (0, 0);
    while ran < arguments.times && !interrupted.load(Ordering::Relaxed) {
        let mut observer = progress::observer(&plan, std::io::stderr().is_terminal());
        let outcome = rashomon_run::live(&plan, &settings, observer.as_mut(), &interrupted);
        drop(observer);
        let exit = tell(outcome, arguments.output.json);
        ran += 1;
        invalid += u64::from(exit == Exit::Invalid);
        worst = worst.max(exit);
    }
    if arguments.times > 1 {
        eprintln!("{invalid} of {ran} runs were invalid");
    }
    worst
}

/// So many of them, with their noun.
fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

/// The plan that the arguments ask for.
fn planned(arguments: &TestArguments) -> Result<Plan, PlanError> {
    let Some(file) = &arguments.schedule else {
        return plan::said(&arguments.plan, arguments.replay.as_deref())?.plan(None, plan::fresh_seed());
    };
    let schedule = schedule::read(file)?;
    plan::same_system(&arguments.plan, file, &schedule)?;
    let (faults, ops, messages) = (schedule.faults().len(), schedule.ops.len(), schedule.messages.len());
    eprintln!("{}: injected at their times: {}.", file.display(), count(faults, "fault"));
    eprintln!(
        "  Left to chance, for only virtual time can repeat it: {} (clients ask as in the run that was \
         shrunk, {} a second), the fates of {}, and how long anything takes.",
        count(ops, "listed op"),
        schedule.plan.rate,
        count(messages, "single message"),
    );
    Ok(schedule.live())
}
