//! From the folder of a run to a plan that does the same again.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use rashomon_core::FaultId;
use rashomon_results::{RunFolder, ScheduleEntry, ScheduleEvent};

use crate::plan::{self, Nemesis, PlanError, PlanFile, RecordedFault};

/// The plan of a run, with the faults that were really injected in place of those that it asked for.
///
/// What a seed promises against real processes is the plan and not the interleaving; the schedule is the next best.
pub fn replay(run: &Path) -> Result<PlanFile, PlanError> {
    let wrong = |reason: String| PlanError { origin: run.display().to_string(), line: None, reason };
    let folder = RunFolder::open(run).map_err(|error| wrong(error.to_string()))?;
    let (file, _) = plan::read(&folder.plan_file())?;
    let schedule = folder
        .schedule()
        .map_err(|error| wrong(error.to_string()))?
        .ok_or_else(|| wrong("the run has no schedule to replay".to_owned()))?;
    Ok(PlanFile { nemesis: Some(Nemesis::Recorded(recorded(&schedule.entries))), ..file })
}

/// The faults of a schedule that were in force.
pub(crate) fn recorded(entries: &[ScheduleEntry]) -> Vec<RecordedFault> {
    let mut faults: BTreeMap<FaultId, (Option<RecordedFault>, bool)> = BTreeMap::new();
    for entry in entries {
        let at = Duration::from_nanos(entry.time.0);
        match entry.event {
            ScheduleEvent::Intent => {
                let fault = entry.fault.clone().zip(entry.disruption.clone());
                let fault = fault.map(|(fault, disruption)| RecordedFault {
                    id: Some(entry.id.0),
                    at,
                    until: None,
                    fault,
                    disruption,
                });
                faults.insert(entry.id, (fault, false));
            }
            ScheduleEvent::Injected => {
                if let Some((_, struck)) = faults.get_mut(&entry.id) {
                    *struck = true;
                }
            }
            ScheduleEvent::Healed => {
                if let Some((Some(fault), _)) = faults.get_mut(&entry.id) {
                    fault.until = Some(at);
                }
            }
            ScheduleEvent::Skipped | ScheduleEvent::Failed => {}
        }
    }
    faults.into_values().filter(|(_, struck)| *struck).filter_map(|(fault, _)| fault).collect()
}
