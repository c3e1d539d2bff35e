//! What a run looks like: on disk, on the terminal, as a page.

mod folder;
mod isolation;
mod page;
mod sample;
mod story;
mod terminal;
