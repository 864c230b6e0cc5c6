//! The tables of docs/PERFORMANCE.md: each stands between markers, and is replaced as a whole.

use std::fs;

use crate::machine;

/// A table in the making.
pub struct Table {
    text: String,
}

impl Table {
    pub fn new(columns: &[&str]) -> Table {
        let mut table = Table { text: String::new() };
        table.row(columns);
        table.row(&vec!["---"; columns.len()]);
        table
    }

    pub fn row(&mut self, cells: &[impl AsRef<str>]) {
        self.text.push('|');
        for cell in cells {
            self.text.push_str(&format!(" {} |", cell.as_ref()));
        }
        self.text.push('\n');
    }

    /// A remark below the table.
    pub fn note(&mut self, note: &str) {
        self.text.push_str(&format!("\n{note}\n"));
    }

    pub fn into_text(self) -> String {
        self.text
    }
}

/// Puts a table in its place.
///
/// # Errors
/// The page has no place of that name.
pub fn write(name: &str, table: &str) -> Result<(), String> {
    let path = machine::root().join("docs/PERFORMANCE.md");
    let page = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let page = replace(&page, name, table)
        .ok_or_else(|| format!("{} has no markers `<!-- {name} -->`", path.display()))?;
    fs::write(&path, page).map_err(|error| format!("{}: {error}", path.display()))
}

fn replace(page: &str, name: &str, table: &str) -> Option<String> {
    let (begin, end) = (format!("<!-- {name} -->\n"), format!("<!-- /{name} -->"));
    let (before, rest) = page.split_once(&begin)?;
    let (_, after) = rest.split_once(&end)?;
    Some(format!("{before}{begin}{}\n{end}{after}", table.trim_end()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_takes_the_place_of_the_old_one() {
        let page = "a\n<!-- x -->\nold\n<!-- /x -->\nb\n";
        assert_eq!(replace(page, "x", "new\n").unwrap(), "a\n<!-- x -->\nnew\n<!-- /x -->\nb\n");
        assert_eq!(replace(page, "y", "new"), None);
    }
}
