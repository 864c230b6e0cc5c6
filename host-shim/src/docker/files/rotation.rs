//! When Docker rotates a log, and how often one has to look.

use std::collections::BTreeMap;
use std::time::Duration;

/// When Docker rotates the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Rotation {
    /// The size from which on a file is not written to any more; `None`: never.
    pub size: Option<u64>,
    /// How many files there are, at most.
    pub files: u64,
}

impl Rotation {
    /// As the options of the container's log driver say.
    pub fn of(options: &BTreeMap<String, String>) -> Rotation {
        let size = options.get("max-size").and_then(|size| size_of(size));
        let files = options.get("max-file").and_then(|count| count.parse().ok()).unwrap_or(1);
        Rotation { size, files }
    }

    /// The least time in which a file is filled, in nanoseconds.
    pub fn fastest(&self) -> Option<u64> {
        Some(self.size? / FASTEST * 1_000)
    }

    /// How long one may look away, if a container writes as fast as Docker can take it: a file that nobody
    /// has seen is gone once that many more have been filled.
    pub fn look_within(&self) -> Duration {
        let Some(size) = self.size else { return LONGEST };
        Duration::from_micros(size.saturating_mul(self.files) / FASTEST).clamp(SHORTEST, LONGEST)
    }
}

/// A size as Docker reads it: `10m`, `1.5g`, `64kb`, `1000`.
fn size_of(text: &str) -> Option<u64> {
    let text = text.trim().to_ascii_lowercase();
    let text = text.strip_suffix('b').unwrap_or(&text);
    let text = text.strip_suffix('i').unwrap_or(text);
    let (number, power) = match text.char_indices().last()? {
        (end, unit @ ('k' | 'm' | 'g' | 't' | 'p')) => (text.get(..end)?, "kmgtp".find(unit)? + 1),
        _ => (text, 0),
    };
    let number: f64 = number.trim().parse().ok()?;
    let size = number * 1024_f64.powi(i32::try_from(power).ok()?);
    (size >= 1.0 && size.is_finite()).then_some(size as u64)
}

/// Bytes of log in a microsecond: three times what the daemon was measured to write.
const FASTEST: u64 = 300;
/// The shortest time for which one looks away.
pub(in super::super) const SHORTEST: Duration = Duration::from_millis(2);
const LONGEST: Duration = Duration::from_millis(250);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_as_docker_reads_them() {
        let sizes = [
            ("10m", Some(10 << 20)),
            ("1K", Some(1024)),
            ("64kb", Some(65_536)),
            ("1.5GiB", Some(3 << 29)),
            ("1000", Some(1000)),
            ("-1", None),
            ("many", None),
            ("", None),
        ];
        for (text, expected) in sizes {
            assert_eq!(size_of(text), expected, "{text}");
        }
    }

    #[test]
    fn small_files_are_looked_at_more_often() {
        let look = |size: &str, files: &str| {
            let option = |key: &str, value: &str| (key.to_owned(), value.to_owned());
            Rotation::of(&BTreeMap::from([option("max-size", size), option("max-file", files)]))
                .look_within()
                .as_millis()
        };
        assert_eq!(
            (look("1m", "3"), look("10m", "3"), look("10m", "1"), look("1g", "2")),
            (10, 104, 34, 250)
        );
        assert_eq!(Rotation::of(&BTreeMap::new()).look_within(), LONGEST);
    }
}
