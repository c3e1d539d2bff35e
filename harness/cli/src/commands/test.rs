//! `rashomon test`: runs a plan against real processes.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::sync::atomic::Ordering;

use rashomon_run::Settings;
use rashomon_run::judge::Limits;

use super::outcome::{interruption, tell};
use super::plan;
use crate::args::TestArguments;
use crate::exit::{Exit, fail};
use crate::progress;

pub(crate) fn run(arguments: &TestArguments) -> Exit {
    let said = plan::said(&arguments.plan, arguments.replay.as_deref());
    let plan = match said.and_then(|said| said.plan(None, plan::fresh_seed())) {
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
        command: plan::command("test", &plan, &arguments.plan, arguments.replay.as_deref()),
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
