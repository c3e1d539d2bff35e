//! `rashomon generate`: makes histories.

use std::fs::File;
use std::io::{self, BufWriter, Write};

use rashomon_checkers::formats::Writer;
use rashomon_checkers::generate::{Clients, Plant};
use rashomon_core::Seed;

use crate::args::GenerateArguments;
use crate::exit::{Exit, fail};
use crate::progress;

/// How many events are written between two looks at the bar.
const STRIDE: u64 = 1 << 16;

pub(crate) fn run(arguments: &GenerateArguments) -> Exit {
    if let Err(reason) = possible(arguments) {
        return fail(Exit::Usage, &reason);
    }
    let written = match &arguments.out {
        Some(path) => File::create(path).and_then(|file| write(arguments, file)),
        None => write(arguments, io::stdout().lock()),
    };
    match (written, arguments.plant) {
        (Ok(false), Some(plant)) => {
            let reason = format!(
                "no operation of this history could show {plant}: more --ops make room, and another --seed may"
            );
            fail(Exit::Usage, &reason)
        }
        (Ok(_), _) => Exit::Valid,
        // Whoever read the pipe has read enough.
        (Err(error), _) if error.kind() == io::ErrorKind::BrokenPipe => Exit::Valid,
        (Err(error), _) => {
            let place =
                arguments.out.as_ref().map_or("standard output".into(), |path| path.display().to_string());
            fail(Exit::Usage, &format!("{place}: {error}"))
        }
    }
}

fn possible(arguments: &GenerateArguments) -> Result<(), String> {
    let Some(plant) = arguments.plant else { return Ok(()) };
    let plants = arguments.kind.plants();
    if !plants.contains(&plant) {
        let names: Vec<_> = plants.iter().map(|plant| plant.name()).collect();
        return Err(format!(
            "{plant} cannot be planted in a {}; these can: {}",
            arguments.kind,
            names.join(", ")
        ));
    }
    if arguments.times > 1 && plant != Plant::StaleRead {
        return Err(format!("{plant} is planted once; only stale-read goes with --times"));
    }
    if plant.excused_by_open_ops() && arguments.info > 0 {
        return Err(format!("operations that stay open could explain {plant}: it goes with no --info"));
    }
    Ok(())
}

/// Writes the history; answers whether the violation is in it.
fn write(arguments: &GenerateArguments, sink: impl Write) -> io::Result<bool> {
    let clients = Clients {
        operations: arguments.ops,
        clients: arguments.clients,
        open_per_mille: arguments.info,
        // A violation has a name here.
        stale: false,
        seed: Seed(arguments.seed),
    };
    let bar =
        progress::counter(arguments.ops * 2, "{wide_bar} {human_pos} of about {human_len} events {eta}");
    let mut writer = Writer::new(BufWriter::with_capacity(1 << 18, sink), arguments.format)?;
    let mut stream = arguments.kind.stream(clients, arguments.plant).showing(arguments.times);
    for op in &mut stream {
        if op.index.is_multiple_of(STRIDE) {
            bar.set_position(op.index);
        }
        writer.op(&op)?;
    }
    writer.finish()?;
    bar.finish_and_clear();
    Ok(stream.planted())
}
