//! `rashomon report`: renders the report of a run again.

use rashomon_results::RunFolder;

use crate::args::ReportArguments;
use crate::exit::{Exit, fail};

pub(crate) fn run(arguments: &ReportArguments) -> Exit {
    let written = RunFolder::open(&arguments.run).and_then(|folder| {
        folder.write_report()?;
        Ok(folder.report_file())
    });
    match written {
        Ok(path) => {
            outln!("{}", path.display());
            Exit::Valid
        }
        Err(error) => fail(Exit::Usage, &error),
    }
}
