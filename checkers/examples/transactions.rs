//! Transactions over lists, made and judged at any size: what `docs/figures.md` measures.
//!
//! `transactions make COUNT CLIENTS STALE` writes a history to standard output, where STALE in a hundred thousand
//! transactions read what is old; `transactions judge FILE [LEVELS]` judges one while it is read.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Write};

use rashomon_checkers::Budget;
use rashomon_checkers::formats::{Format, judge_stream};
use rashomon_checkers::generate::ListClients;
use rashomon_checkers::isolation::table;
use rashomon_core::Seed;
use rashomon_core::history::HEADER;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["make", count, clients, stale] => {
            let shape = ListClients {
                transactions: count.parse()?,
                clients: clients.parse()?,
                keys: 10,
                micro_ops: 4,
                open_per_mille: 0,
                stale_per_100_000: stale.parse()?,
                seed: Seed(1),
            };
            let mut out = BufWriter::with_capacity(1 << 20, io::stdout().lock());
            writeln!(out, "{HEADER}")?;
            let mut written = Ok(());
            shape.each(|op| {
                let line = serde_json::to_writer(&mut out, &op).map_err(io::Error::from);
                if let Err(error) = line.and_then(|()| out.write_all(b"\n")) {
                    written = Err(error);
                }
            });
            written?;
            out.flush()?;
        }
        ["judge", file] => {
            let source = BufReader::with_capacity(1 << 18, File::open(file)?);
            let told = judge_stream(source, Format::Jsonl, "list-append", None, &Budget::unlimited())?;
            println!("{}", told.verdict.summary.chars().take(300).collect::<String>());
            println!("{}", told.verdict.stats["anomalies"]);
            print!("{}", table(&told.verdict).unwrap_or_default());
        }
        _ => return Err("transactions make COUNT CLIENTS STALE, or transactions judge FILE".into()),
    }
    Ok(())
}
