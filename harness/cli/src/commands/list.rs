//! `rashomon list`: what there is by name.

use comfy_table::{ContentArrangement, Table, presets};
use rashomon_checkers::generate::Subject;
use rashomon_core::{Control, FaultKind, Shows};
use rashomon_run::registry;
use serde_json::{Value, json};

use crate::args::{ListArguments, Listed};
use crate::exit::Exit;

/// What is listed: the names of the columns, and the rows.
struct Listing {
    columns: &'static [&'static str],
    rows: Vec<Vec<String>>,
    json: Vec<Value>,
}

pub(crate) fn run(arguments: &ListArguments) -> Exit {
    let listing = match arguments.what {
        Listed::Systems => systems(),
        Listed::Workloads => workloads(),
        Listed::Faults => faults(),
        Listed::Bugs => bugs(),
        Listed::Controls => controls(),
        Listed::Checkers => checkers(),
        Listed::Generators => generators(),
    };
    if arguments.json {
        outln!("{:#}", Value::Array(listing.json));
    } else {
        let mut table = Table::new();
        table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
        table.set_header(listing.columns).add_rows(listing.rows);
        outln!("{table}");
    }
    Exit::Valid
}

fn systems() -> Listing {
    let all = registry::systems();
    Listing {
        columns: &["system", "nodes", "workloads", "bugs", "what it is"],
        rows: all
            .iter()
            .map(|entry| {
                let info = entry.info;
                let counts = (info.nodes.to_string(), info.bugs.len().to_string());
                vec![info.name.into(), counts.0, info.workloads.join(" "), counts.1, info.summary.into()]
            })
            .collect(),
        json: all.iter().map(|entry| json!(entry.info)).collect(),
    }
}

fn workloads() -> Listing {
    let all = rashomon_workloads::all();
    Listing {
        columns: &["workload", "checkers", "what clients ask"],
        rows: all
            .iter()
            .map(|info| vec![info.name.into(), info.checkers.join(" "), info.summary.into()])
            .collect(),
        json: all
            .iter()
            .map(|info| json!({"workload": info.name, "summary": info.summary, "checkers": info.checkers}))
            .collect(),
    }
}

fn faults() -> Listing {
    Listing {
        columns: &["fault", "what it does"],
        rows: FaultKind::ALL.iter().map(|(_, name, about)| vec![(*name).into(), (*about).into()]).collect(),
        json: FaultKind::ALL
            .iter()
            .map(|(_, name, about)| json!({"fault": name, "summary": about}))
            .collect(),
    }
}

fn bugs() -> Listing {
    let systems = registry::systems();
    let all: Vec<_> =
        systems.iter().flat_map(|entry| entry.info.bugs.iter().map(|bug| (entry.info.name, *bug))).collect();
    Listing {
        columns: &["system", "bug", "shows", "anomaly", "the mistake"],
        rows: all
            .iter()
            .map(|(system, bug)| {
                let shows = match bug.shows {
                    Shows::Live => "live",
                    Shows::Sim => "sim",
                };
                vec![(*system).into(), bug.name.into(), shows.into(), bug.anomaly.into(), bug.summary.into()]
            })
            .collect(),
        json: all
            .iter()
            .map(|(system, bug)| {
                let mut object = json!(bug);
                object["system"] = (*system).into();
                object["own_plan"] = bug.plan.is_some().into();
                object
            })
            .collect(),
    }
}

fn controls() -> Listing {
    let systems = registry::systems();
    let all: Vec<_> = systems
        .iter()
        .flat_map(|entry| entry.info.controls.iter().map(|control| (entry.info.name, *control)))
        .collect();
    let tempting = |control: &Control| (control.tempting)().about();
    Listing {
        columns: &["system", "control", "does not hold", "why it is legal"],
        rows: all
            .iter()
            .map(|(system, control)| {
                let row = [*system, control.name, tempting(control), control.summary];
                row.map(str::to_owned).to_vec()
            })
            .collect(),
        json: all
            .iter()
            .map(|(system, control)| {
                let mut object = json!(control);
                object["system"] = (*system).into();
                object["tempting"] = tempting(control).into();
                object["own_plan"] = control.plan.is_some().into();
                object
            })
            .collect(),
    }
}

fn checkers() -> Listing {
    let all = rashomon_checkers::all();
    Listing {
        columns: &["checker", "what it decides"],
        rows: all.iter().map(|checker| vec![checker.name().into(), checker.about().into()]).collect(),
        json: all
            .iter()
            .map(|checker| json!({"checker": checker.name(), "summary": checker.about()}))
            .collect(),
    }
}

fn generators() -> Listing {
    let plants = |subject: Subject| subject.plants().iter().map(|plant| plant.name()).collect::<Vec<_>>();
    Listing {
        columns: &["kind", "violations that can be planted", "what clients do"],
        rows: Subject::ALL
            .iter()
            .map(|subject| vec![subject.name().into(), plants(*subject).join(" "), subject.about().into()])
            .collect(),
        json: Subject::ALL
            .iter()
            .map(|subject| {
                json!({"kind": subject.name(), "summary": subject.about(), "plants": plants(*subject)})
            })
            .collect(),
    }
}
