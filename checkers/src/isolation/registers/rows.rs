//! Many short lists of numbers, one after another in one array.

/// For each row its items.
#[derive(Debug)]
pub(super) struct Rows {
    /// Where each row begins; it ends where the next begins.
    begins: Vec<u32>,
    items: Vec<u32>,
}

impl Rows {
    /// So many rows, from pairs of a row and an item of it, which are told twice in the same order: that of the items of
    /// each row.
    pub(super) fn of<I: Iterator<Item = (u32, u32)>>(rows: usize, told: impl Fn() -> I) -> Rows {
        let mut begins = vec![0_u32; rows + 1];
        for (row, _) in told() {
            begins[row as usize] += 1;
        }
        let mut next = 0;
        for begin in &mut begins {
            next += std::mem::replace(begin, next);
        }
        let mut items = vec![0; next as usize];
        for (row, item) in told() {
            let place = &mut begins[row as usize];
            items[*place as usize] = item;
            *place += 1;
        }
        // Each now stands where the next begins.
        begins.rotate_right(1);
        begins[0] = 0;
        Rows { begins, items }
    }

    /// Its items.
    pub(super) fn row(&self, row: u32) -> &[u32] {
        let [begin, end] = [row, row + 1].map(|row| self.begins[row as usize] as usize);
        &self.items[begin..end]
    }
}

#[cfg(test)]
mod tests {
    use super::Rows;

    #[test]
    fn each_row_has_its_items_in_order() {
        let told = [(2, 7), (0, 1), (2, 5), (2, 5), (3, 9)];
        let rows = Rows::of(5, || told.into_iter());
        let all: Vec<&[u32]> = (0..5).map(|row| rows.row(row)).collect();
        assert_eq!(all, [&[1][..], &[], &[7, 5, 5], &[9], &[]]);
    }
}
