//! Small tables: columns apart by two spaces, numbers to the right.

use super::paint::Paint;

/// Where a column's text stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Align {
    Left,
    Right,
}

/// A table with a faint head. Rows may be marked, which paints them.
#[derive(Debug)]
pub(crate) struct Table {
    head: Vec<(&'static str, Align)>,
    rows: Vec<(Vec<String>, bool)>,
}

impl Table {
    pub(crate) fn new(head: &[(&'static str, Align)]) -> Table {
        Table { head: head.to_vec(), rows: Vec::new() }
    }

    pub(crate) fn row(&mut self, cells: Vec<String>, marked: bool) {
        assert_eq!(cells.len(), self.head.len(), "a cell for every column");
        self.rows.push((cells, marked));
    }

    /// The lines, each behind `indent` spaces.
    pub(crate) fn lines(&self, indent: usize, paint: Paint, mark: impl Fn(&str) -> String) -> Vec<String> {
        let width = |column: usize| {
            let cells = self.rows.iter().map(|(cells, _)| cells[column].chars().count());
            cells.chain([self.head[column].0.len()]).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..self.head.len()).map(width).collect();
        let line = |cells: &[&str]| {
            let mut out = " ".repeat(indent);
            for (position, cell) in cells.iter().enumerate() {
                let room = widths[position] - cell.chars().count();
                let room = " ".repeat(room);
                out += &match self.head[position].1 {
                    Align::Left => [*cell, &room, "  "].concat(),
                    Align::Right => [&room, *cell, "  "].concat(),
                };
            }
            out.trim_end().to_owned()
        };
        let head: Vec<&str> = self.head.iter().map(|(name, _)| *name).collect();
        let mut lines = vec![paint.faint(&line(&head))];
        for (cells, marked) in &self.rows {
            let cells: Vec<&str> = cells.iter().map(String::as_str).collect();
            lines.push(if *marked { mark(&line(&cells)) } else { line(&cells) });
        }
        lines
    }
}
