//! The tables of `docs/compatibility.md`, read as data.

use std::collections::BTreeMap;

use super::field::Field;

const PAGE: &str = include_str!("../../../docs/compatibility.md");

/// One row, its cells by the names of their columns.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    /// Where it stands on the page, counted from 1.
    pub(crate) line: usize,
    /// Whether its field is none of the specification's.
    pub(crate) beyond: bool,
    cells: BTreeMap<&'static str, &'static str>,
}

impl Row {
    /// A cell without its backticks; `None` where it says nothing.
    #[track_caller]
    pub(crate) fn get(&self, column: &str) -> Option<&'static str> {
        let cell = self.cells.get(column).unwrap_or_else(|| panic!("no column `{column}`"));
        match cell.trim_matches('`') {
            "" | "–" => None,
            said => Some(said),
        }
    }

    /// A cell as it stands on the page.
    #[track_caller]
    pub(crate) fn whole(&self, column: &str) -> &'static str {
        self.cells[column]
    }

    #[track_caller]
    pub(super) fn field(&self) -> Field {
        Field::parse(self.get("field").expect("a row is about a field"))
    }

    /// What is wrong with the row, so that it is found again.
    pub(crate) fn fault(&self, text: impl std::fmt::Display) -> String {
        let about = ["field", "event", "request", "relied on"]
            .iter()
            .find_map(|column| self.cells.get(column));
        format!("line {}, {}: {text}", self.line, about.copied().unwrap_or_default())
    }
}

/// The rows of all tables between this `##` heading and the next.
#[track_caller]
pub(crate) fn rows(heading: &str) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut inside = false;
    let mut beyond = false;
    let mut columns = Vec::new();
    for (index, line) in PAGE.lines().enumerate() {
        if let Some(title) = line.strip_prefix("## ") {
            (inside, beyond) = (title == heading, false);
        } else if let Some(title) = line.strip_prefix("### ") {
            beyond = title == "Beyond the specification";
        }
        if line.starts_with("|--") {
            continue;
        }
        let line = line.strip_prefix("| ").and_then(|line| line.strip_suffix('|'));
        let Some(line) = line.filter(|_| inside) else {
            columns.clear();
            continue;
        };
        let cells: Vec<&str> = line.split("| ").map(str::trim).collect();
        if columns.is_empty() {
            columns = cells;
            continue;
        }
        assert_eq!(cells.len(), columns.len(), "line {}: {line}", index + 1);
        let cells = columns.iter().copied().zip(cells).collect();
        rows.push(Row { line: index + 1, beyond, cells });
    }
    assert!(!rows.is_empty(), "there are no tables under `{heading}`");
    rows
}

/// The names of the specification, from `tests/fixtures/spec`, under `[heading]`.
#[track_caller]
pub(crate) fn names(list: &'static str, heading: &str) -> Vec<&'static str> {
    let heading = format!("[{heading}]\n");
    let (_, rest) = list.split_once(&heading).unwrap_or_else(|| panic!("no {heading}"));
    rest.lines().take_while(|line| !line.is_empty()).collect()
}

/// What is wrong with many rows, told all at once.
#[derive(Default)]
pub(crate) struct Faults(Vec<String>);

impl Faults {
    pub(crate) fn push(&mut self, fault: String) {
        self.0.push(fault);
    }

    #[track_caller]
    pub(crate) fn none(&self) {
        assert!(self.0.is_empty(), "{} rows are wrong:\n{}", self.0.len(), self.0.join("\n"));
    }
}
