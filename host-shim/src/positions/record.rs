//! What is stored of a container.

use serde::{Deserialize, Serialize};

use crate::streams::{Position, Positions};

/// A container's entry in the store.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stdout: Option<Place>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stderr: Option<Place>,
    /// When the container's last run ended, in Docker's words, if all of that run has been accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub done: Option<String>,
    /// When the container was last known to exist, in nanoseconds since 1970.
    pub seen: u64,
}

/// How far one side has been accepted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    pub offset: u64,
    pub time: u64,
    pub ordinal: u32,
    pub into_line: u64,
    /// Where `offset` lies, for a log that is read from files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<FilePlace>,
}

/// A place in a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FilePlace {
    pub device: u64,
    pub inode: u64,
    /// When the file was made, in nanoseconds since 1970, if that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub born: Option<u64>,
    pub offset: u64,
}

impl Record {
    pub fn positions(&self) -> Positions {
        Positions {
            stdout: self.stdout.as_ref().map(Place::position),
            stderr: self.stderr.as_ref().map(Place::position),
        }
    }

    /// Whether it has positions, and none of them in a file.
    pub fn is_without_files(&self) -> bool {
        let mut places = [self.stdout, self.stderr].into_iter().flatten().peekable();
        places.peek().is_some() && places.all(|place| place.file.is_none())
    }

    /// Takes over positions. `file` says where an offset lies, for a log that is read from files.
    pub fn accept(&mut self, accepted: &Positions, file: impl Fn(u64) -> Option<FilePlace>) {
        let place = |position: &Position| Place::of(position, file(position.offset));
        self.stdout = accepted.stdout.as_ref().map(place);
        self.stderr = accepted.stderr.as_ref().map(place);
    }
}

impl Place {
    pub fn of(position: &Position, file: Option<FilePlace>) -> Place {
        let &Position { offset, time, ordinal, into_line } = position;
        Place { offset, time, ordinal, into_line, file }
    }

    pub fn position(&self) -> Position {
        let &Place { offset, time, ordinal, into_line, file: _ } = self;
        Position { offset, time, ordinal, into_line }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_of_the_first_version_is_read_for_ever() {
        let stored = r#"{"stdout":{"offset":7,"time":8,"ordinal":1,"into_line":0,
            "file":{"device":1,"inode":2,"offset":4}},"done":"2026-11-01T00:00:00Z","seen":9}"#;
        let place = Place {
            offset: 7,
            time: 8,
            ordinal: 1,
            into_line: 0,
            file: Some(FilePlace { device: 1, inode: 2, born: None, offset: 4 }),
        };
        let expected = Record {
            stdout: Some(place),
            stderr: None,
            done: Some("2026-11-01T00:00:00Z".to_owned()),
            seen: 9,
        };
        assert_eq!(serde_json::from_str::<Record>(stored).unwrap(), expected);
    }
}
