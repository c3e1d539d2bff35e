//! The `rashomon` binary.

use std::process::ExitCode;

fn main() -> ExitCode {
    rashomon::main_with(Vec::new())
}
