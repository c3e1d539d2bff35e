//! `rashomon test`: runs a plan against real processes.

use std::io::IsTerminal;
use std::path::PathBuf;

use rashomon_run::Settings;
use rashomon_run::judge::Limits;

use super::outcome::{interruption, tell};
use super::plan;
use crate::args::TestArguments;
use crate::exit::{Exit, fail};
use crate::progress;

pub(crate) fn run(arguments: &TestArguments) -> Exit {
    let plan = match plan::said(&arguments.plan).and_then(|said| said.plan(None, plan::fresh_seed())) {
        Ok(plan) => plan,
        Err(error) => return fail(Exit::Usage, &error),
    };
    let interrupted = match interruption() {
        Ok(interrupted) => interrupted,
        Err(error) => return fail(Exit::Harness, &error),
    };
    let settings = Settings {
        out: arguments.output.out.clone(),
        executable: PathBuf::from("/proc/self/exe"),
        command: plan::command("test", &plan, &arguments.plan),
        limits: Limits::default(),
    };
    let mut observer = progress::observer(&plan, std::io::stderr().is_terminal());
    let outcome = rashomon_run::live(&plan, &settings, observer.as_mut(), &interrupted);
    drop(observer);
    tell(outcome, arguments.output.json)
}
