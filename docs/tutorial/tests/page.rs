//! The page `docs/tutorial.md` and the code beside it are one, and what the page shows is what happens.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// How often a run against processes may fail to show a mistake before that counts: processes do not run alike twice.
const LIVE_ATTEMPTS: u32 = 5;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The blocks of the page in this language, in order.
fn blocks(language: &str) -> Vec<String> {
    let page = read(&folder().with_extension("md"));
    let mut blocks = Vec::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        let Some(opened) = line.strip_prefix("```") else { continue };
        let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        if opened == language {
            blocks.push(block.join("\n"));
        }
    }
    assert!(!blocks.is_empty(), "the page has no block of {language}");
    blocks
}

#[test]
fn the_code_of_the_page_is_the_file_from_its_first_line_to_its_last() {
    let page = blocks("rust").join("\n\n") + "\n";
    let file = read(&folder().join("src/main.rs"));
    let differs = page.lines().zip(file.lines()).zip(1..).find(|((page, file), _)| page != file);
    if let Some(((page, file), line)) = differs {
        panic!("src/main.rs, line {line}, is\n{file}\nand the page has\n{page}");
    }
    assert_eq!(page.lines().count(), file.lines().count(), "one ends before the other");
}

#[test]
fn the_files_of_the_page_are_the_files() {
    let manifest = read(&folder().join("Cargo.toml"));
    for block in blocks("toml") {
        assert!(manifest.contains(&block), "Cargo.toml does not have\n{block}");
    }
    assert_eq!(blocks("json"), [read(&folder().join("plan.json")).trim_end()]);
}

/// A command of the page: its arguments, how it ends, and the lines that it prints.
struct Shown {
    arguments: Vec<String>,
    code: i32,
    lines: Vec<String>,
}

fn commands() -> Vec<Shown> {
    let mut commands: Vec<Shown> = Vec::new();
    for line in blocks("console").iter().flat_map(|block| block.lines()) {
        let Some(command) = line.strip_prefix("$ cargo run -p tutorial -- ") else {
            let shown = commands.last_mut().expect("a console block begins with its command");
            shown.lines.push(line.to_owned());
            continue;
        };
        let (command, code) = command.split_once("   # exit code ").unwrap_or((command, "0"));
        commands.push(Shown {
            arguments: command.split_whitespace().map(str::to_owned).collect(),
            code: code.parse().expect("an exit code is a number"),
            lines: Vec::new(),
        });
    }
    commands
}

/// Whether the pieces between the dots of a shown line stand in this one, in their order and from its beginning.
fn alike(shown: &str, line: &str) -> bool {
    let mut pieces = shown.split("...");
    let mut rest = line.strip_prefix(pieces.next().unwrap_or_default());
    for piece in pieces {
        rest = rest.and_then(|rest| rest.find(piece).map(|at| &rest[at + piece.len()..]));
    }
    rest.is_some_and(|rest| rest.is_empty() || shown.ends_with("..."))
}

impl Shown {
    fn run(&self) -> Output {
        // The page is read at the top of the workspace.
        let here = tempfile::tempdir().unwrap();
        fs::create_dir_all(here.path().join("docs/tutorial")).unwrap();
        fs::copy(folder().join("plan.json"), here.path().join("docs/tutorial/plan.json")).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_tutorial"));
        command.args(&self.arguments).current_dir(here.path()).stdin(Stdio::null()).output().unwrap()
    }

    /// What is not as the page has it.
    fn differs(&self) -> Option<String> {
        let output = self.run();
        let printed = String::from_utf8_lossy(&output.stdout).into_owned();
        let said = format!("{printed}{}", String::from_utf8_lossy(&output.stderr));
        if output.status.code() != Some(self.code) {
            return Some(format!("it ended with {}, not {}:\n{said}", output.status, self.code));
        }
        let mut lines = printed.lines();
        let missing = self.lines.iter().find(|shown| !lines.any(|line| alike(shown, line)))?;
        Some(format!(
            "the page has the line\n{missing}\nand what was printed has not, or not in this place:\n{said}"
        ))
    }
}

fn check(verb: &str, attempts: u32) {
    let mut found = 0;
    for shown in commands().iter().filter(|shown| shown.arguments[0] == verb) {
        found += 1;
        // Only a mistake may need more than one attempt; a correct system must pass at once.
        let attempts = if shown.code == 1 { attempts } else { 1 };
        let mut differs = None;
        for _ in 0..attempts {
            differs = shown.differs();
            if differs.is_none() {
                break;
            }
        }
        assert!(differs.is_none(), "{}: {}", shown.arguments.join(" "), differs.unwrap_or_default());
    }
    assert!(found > 0, "the page shows no `{verb}`");
}

#[test]
fn runs_in_virtual_time_print_what_the_page_shows() {
    check("sim", 1);
}

#[test]
fn runs_against_processes_print_what_the_page_shows() {
    check("test", LIVE_ATTEMPTS);
}

#[test]
fn the_zoo_prints_what_the_page_shows() {
    check("zoo", 1);
}

#[test]
fn every_command_of_the_page_is_run_by_one_of_these_tests() {
    for shown in commands() {
        assert!(["sim", "test", "zoo"].contains(&shown.arguments[0].as_str()), "{:?}", shown.arguments);
    }
}

#[test]
fn dots_stand_for_anything_and_nothing_else_does() {
    assert!(alike("seed ...: stale", "seed 4: stale") && alike("seed ...", "seed 4: stale"));
    assert!(
        !alike("seed 4", "seed 41")
            && !alike("seed ...: stale", "seed 4: fresh")
            && !alike("eed ...", "seed 4")
    );
}
