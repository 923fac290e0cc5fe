//! A small table: words to the left, numbers to the right.

/// Rows of text under a head.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    rows: Vec<Vec<String>>,
    /// How many columns, from the first one on, hold words.
    words: usize,
}

impl Table {
    /// A table with these column titles; the first column holds words.
    pub(crate) fn new<const N: usize>(head: [&str; N]) -> Self {
        Self {
            rows: vec![head.map(str::to_owned).to_vec()],
            words: 1,
        }
    }

    /// The same, with words in so many columns.
    pub(crate) const fn words(mut self, columns: usize) -> Self {
        self.words = columns;
        self
    }

    /// Adds a row.
    pub(crate) fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.rows.push(cells.to_vec());
    }

    /// The lines, head and rule first.
    pub(crate) fn lines(&self) -> Vec<String> {
        let columns = self.rows.first().map_or(0, Vec::len);
        let width = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        let mut lines: Vec<String> = self
            .rows
            .iter()
            .map(|row| line(row, &widths, self.words))
            .collect();
        let rule = widths.iter().sum::<usize>() + 3 * columns.saturating_sub(1);
        lines.insert(1, "─".repeat(rule));
        lines
    }
}

fn line(row: &[String], widths: &[usize], words: usize) -> String {
    let cells = row.iter().zip(widths).enumerate();
    let padded = cells.map(|(column, (cell, width))| match column < words {
        true => format!("{cell:<width$}"),
        false => format!("{cell:>width$}"),
    });
    padded.collect::<Vec<_>>().join("   ").trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stand_under_each_other() {
        let mut table = Table::new(["run", "new"]);
        table.row(["first".into(), "306".into()]);
        table.row(["2".into(), "0".into()]);
        let expected = ["run     new", "───────────", "first   306", "2         0"];
        assert_eq!(table.lines(), expected);
    }

    #[test]
    fn words_stand_to_the_left() {
        let mut table = Table::new(["project", "of", "left"]).words(2);
        table.row(["a".into(), "downloads".into(), "9".into()]);
        let lines = table.lines();
        assert_eq!(lines[0], "project   of          left");
        assert_eq!(lines[2], "a         downloads      9");
    }
}
