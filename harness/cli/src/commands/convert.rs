//! `rashomon convert`: writes a recorded history in another format.

use std::fs::File;
use std::io::{self, BufWriter};

use rashomon_checkers::formats::convert;

use super::history::{self, Refusal, Source};
use crate::args::ConvertArguments;
use crate::exit::{Exit, fail};
use crate::progress;

pub(crate) fn run(arguments: &ConvertArguments) -> Exit {
    let named = Source::File(arguments.file.clone());
    let source = match history::sources(&arguments.file) {
        Ok(sources) => match sources.as_slice() {
            [source] => source.clone(),
            _ => return fail(Exit::Usage, &Refusal::new("a folder of several files; name one").of(&named)),
        },
        Err(refusal) => return fail(Exit::Usage, &refusal.of(&named)),
    };
    let bar = progress::spinner("{spinner} {wide_msg} {bytes} {elapsed}");
    bar.set_message(format!("{source}: reading"));
    let recording = history::read(&source, arguments.format, &bar);
    bar.finish_and_clear();
    let recording = match recording {
        Ok(recording) => recording,
        Err(refusal) => return fail(Exit::Usage, &refusal.of(&source)),
    };
    let written = match &arguments.out {
        Some(path) => File::create(path).and_then(|file| {
            let (file, notes) = convert(&recording, arguments.to, BufWriter::new(file))?;
            file.into_inner().map_err(io::IntoInnerError::into_error)?;
            Ok(notes)
        }),
        None => {
            convert(&recording, arguments.to, BufWriter::new(io::stdout().lock())).map(|(_, notes)| notes)
        }
    };
    match written {
        Ok(notes) => {
            for note in recording.notes.iter().chain(&notes) {
                eprintln!("note: {note}");
            }
            Exit::Valid
        }
        // Whoever read the pipe has read enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Exit::Valid,
        Err(error) if error.kind() == io::ErrorKind::InvalidData => {
            fail(Exit::Usage, &Refusal::new(error.to_string()).of(&source))
        }
        Err(error) => {
            let place =
                arguments.out.as_ref().map_or("standard output".into(), |path| path.display().to_string());
            fail(Exit::Usage, &format!("{place}: {error}"))
        }
    }
}
