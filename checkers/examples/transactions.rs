//! Transactions over lists, made and judged at any size: what `docs/figures.md` measures.
//!
//! `transactions make COUNT CLIENTS STALE` writes a history to standard output, where STALE in a hundred thousand
//! transactions read what is old; `transactions judge FILE [THREADS]` judges one while it is read.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::sync::Mutex;
use std::thread;

use rashomon_checkers::formats::{Format, Source, judge_stream};
use rashomon_checkers::generate::ListClients;
use rashomon_checkers::isolation::{ListAppend, table};
use rashomon_checkers::{Budget, Crew, Job};
use rashomon_core::Seed;
use rashomon_core::history::HEADER;

/// The path of a history.
struct Path<'a>(&'a str);

impl Source for Path<'_> {
    fn open(&self) -> io::Result<Box<dyn BufRead + Send + '_>> {
        Ok(Box::new(BufReader::with_capacity(1 << 18, File::open(self.0)?)))
    }
}

/// So many threads, which live as long as the work that they are given at once.
struct Threads {
    count: usize,
}

impl Crew for Threads {
    fn work(&self, jobs: Vec<Job<'_>>) {
        let helpers = self.count.min(jobs.len()).saturating_sub(1);
        let jobs = Mutex::new(jobs.into_iter());
        let work = || {
            loop {
                let next = jobs.lock().expect("no job panics while it is taken").next();
                let Some(job) = next else { break };
                job();
            }
        };
        thread::scope(|scope| {
            for _ in 0..helpers {
                scope.spawn(work);
            }
            work();
        });
    }
}

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
        ["judge", file, threads @ ..] => {
            let threads = Threads { count: threads.first().map_or(Ok(1), |count| count.parse())? };
            let (checker, budget) = (ListAppend::default(), Budget::unlimited().with_crew(&threads));
            let told = judge_stream(&Path(file), Format::Jsonl, &checker, &budget)?;
            let told = told.ok_or("transactions can be judged while they are read")?;
            println!("{}", told.verdict.summary.chars().take(300).collect::<String>());
            println!("{}", told.verdict.stats["anomalies"]);
            print!("{}", table(&told.verdict).unwrap_or_default());
        }
        _ => return Err("transactions make COUNT CLIENTS STALE, or transactions judge FILE [THREADS]".into()),
    }
    Ok(())
}
