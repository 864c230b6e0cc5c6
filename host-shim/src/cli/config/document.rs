//! A configuration file as it is written: keys, what they say, and where they stand.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

/// A file.
#[derive(Debug, Default)]
pub struct Document {
    /// What stands before any tenant.
    pub top: Table,
    pub tenants: Vec<Table>,
}

/// Some of its keys.
#[derive(Clone, Debug, Default)]
pub struct Table {
    pub keys: BTreeMap<String, Said>,
    pub place: Place,
}

/// What a key says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    pub value: Value,
    pub place: Place,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    Switch(bool),
    /// A string or a number, or several.
    Words(Vec<String>),
}

/// Where something stands: line and column, from 1. The command line has none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place(pub Option<(usize, usize)>);

/// What is wrong with a file, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    pub path: PathBuf,
    pub place: Place,
    pub text: String,
}

impl Document {
    /// # Errors
    /// The file cannot be read, is not TOML, or has something that no option can be.
    pub fn read(path: &Path) -> Result<Document, ConfigError> {
        let wrong = |place, text: String| ConfigError { path: path.to_owned(), place, text };
        let text = std::fs::read_to_string(path).map_err(|error| wrong(Place(None), error.to_string()))?;
        Document::parse(&text).map_err(|(place, text)| wrong(place, text))
    }

    fn parse(text: &str) -> Result<Document, (Place, String)> {
        let places = &Places::of_lines(text);
        let table = DeTable::parse(text).map_err(|error| {
            let place = error.span().map_or(Place(None), |span| places.of(&span));
            (place, error.message().to_owned())
        })?;
        let mut document = Document::default();
        for (key, value) in table.into_inner() {
            if key.get_ref() != TENANT {
                document.top.add(places, key, &value)?;
                continue;
            }
            let place = places.of(&key.span());
            let DeValue::Array(tenants) = value.into_inner() else {
                return Err((place, format!("write [[{TENANT}]], with a table for each tenant")));
            };
            for tenant in tenants {
                let place = places.of(&tenant.span());
                let DeValue::Table(keys) = tenant.into_inner() else {
                    return Err((place, format!("write [[{TENANT}]], with a table for each tenant")));
                };
                let mut table = Table { place, ..Table::default() };
                for (key, value) in keys {
                    table.add(places, key, &value)?;
                }
                document.tenants.push(table);
            }
        }
        Ok(document)
    }
}

impl Table {
    fn add(
        &mut self,
        places: &Places<'_>,
        key: Spanned<DeString<'_>>,
        value: &Spanned<DeValue<'_>>,
    ) -> Result<(), (Place, String)> {
        let place = places.of(&value.span());
        let found =
            Value::of(value.get_ref()).map_err(|problem| (place, format!("{}: {problem}", key.get_ref())))?;
        let said = Said { value: found, place: places.of(&key.span()) };
        self.keys.insert(key.into_inner().into_owned(), said);
        Ok(())
    }
}

impl Value {
    fn of(value: &DeValue<'_>) -> Result<Value, &'static str> {
        let words = match value {
            DeValue::Boolean(switch) => return Ok(Value::Switch(*switch)),
            DeValue::Array(values) => {
                let words = values.iter().map(|value| word(value.get_ref()).ok_or(NO_LIST));
                words.collect::<Result<_, _>>()?
            }
            other => vec![word(other).ok_or(NO_TABLE)?],
        };
        Ok(Value::Words(words))
    }
}

fn word(value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::String(text) => Some(text.clone().into_owned()),
        DeValue::Integer(number) if number.radix() == 10 => Some(number.as_str().to_owned()),
        DeValue::Float(number) => Some(number.as_str().to_owned()),
        DeValue::Integer(_)
        | DeValue::Boolean(_)
        | DeValue::Datetime(_)
        | DeValue::Array(_)
        | DeValue::Table(_) => None,
    }
}

const TENANT: &str = "tenant";
const NO_LIST: &str = "a list holds strings and numbers only";
const NO_TABLE: &str = "a string, a number, true, false or a list of strings is expected";

/// Finds line and column.
struct Places<'a> {
    text: &'a str,
    /// Where each line but the first begins.
    begins: Vec<usize>,
}

impl<'a> Places<'a> {
    fn of_lines(text: &'a str) -> Places<'a> {
        Places { text, begins: text.match_indices('\n').map(|(at, _)| at + 1).collect() }
    }

    fn of(&self, span: &Range<usize>) -> Place {
        let at = span.start.min(self.text.len());
        let line = self.begins.partition_point(|begin| *begin <= at);
        let begin =
            line.checked_sub(1).and_then(|before| self.begins.get(before)).copied().unwrap_or_default();
        let column = self.text.get(begin..at).map_or(0, |before| before.chars().count());
        Place(Some((line + 1, column + 1)))
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:", self.path.display())?;
        if let Place(Some((line, column))) = self.place {
            write!(out, "{line}:{column}:")?;
        }
        write!(out, " {}", self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_found_with_their_places() {
        let text = "region = \"eu-central-1\"\nmark-gaps = true\n\n[[tenant]]\nname = \"ä\"\n  in-flight = 2\n\
                    match-name = [\"a\", \"b\"]\n";
        let document = Document::parse(text).unwrap();
        let words = |words: &[&str]| Value::Words(words.iter().map(|&word| word.to_owned()).collect());
        let said = |value, line, column| Said { value, place: Place(Some((line, column))) };
        assert_eq!(document.top.keys["region"], said(words(&["eu-central-1"]), 1, 1));
        assert_eq!(document.top.keys["mark-gaps"], said(Value::Switch(true), 2, 1));
        let [tenant] = document.tenants.as_slice() else { panic!("{document:?}") };
        assert_eq!(tenant.place, Place(Some((4, 1))));
        assert_eq!(tenant.keys["in-flight"], said(words(&["2"]), 6, 3));
        assert_eq!(tenant.keys["match-name"], said(words(&["a", "b"]), 7, 1));
    }

    #[test]
    fn what_is_wrong_is_found_with_its_place() {
        for (text, place, words) in [
            ("a = 1\nb = ", (2, 5), ""),
            ("a = 1\na = 2", (2, 1), "duplicate"),
            ("tenant = 1", (1, 1), "[[tenant]]"),
            ("tenant = [1]", (1, 11), "[[tenant]]"),
            ("a = {b = 1}", (1, 5), "a: "),
            ("[[tenant]]\nx = [[1]]", (2, 5), "x: "),
            ("x = 0x10", (1, 5), "x: "),
            ("x = 1979-05-27", (1, 5), "x: "),
        ] {
            let (found, told) = Document::parse(text).unwrap_err();
            assert_eq!(found, Place(Some(place)), "{text}: {told}");
            assert!(told.contains(words), "{text}: {told}");
        }
    }
}
