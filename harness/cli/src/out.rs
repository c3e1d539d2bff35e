//! Standard output, whose reader may go away: `rashomon check ... | head` is no failure of the harness.

use std::fmt::Arguments;
use std::io::{self, ErrorKind, Write};

/// Writes words; what a reader that has gone would have read is left out, and the exit code still tells the verdict.
///
/// # Panics
///
/// When it cannot be written otherwise, as when a disk is full: then what was asked for is lost, and the harness has
/// failed.
pub(crate) fn write(words: Arguments<'_>) {
    match io::stdout().lock().write_fmt(words) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => panic!("standard output: {error}"),
        Ok(()) | Err(_) => {}
    }
}

/// [`print!`], with [`write`].
macro_rules! out {
    ($($words:tt)*) => { $crate::out::write(format_args!($($words)*)) };
}

/// [`println!`], with [`write`].
macro_rules! outln {
    () => { $crate::out::write(format_args!("\n")) };
    ($($words:tt)*) => { $crate::out::write(format_args!("{}\n", format_args!($($words)*))) };
}
