//! Sizes and durations as people write them. The `cloudspout` program includes this file.

use std::time::Duration;

/// Bytes: `64MiB`, `64m` (as Docker understands it), `1000000`.
///
/// # Errors
/// For what is no whole number with a unit that is known.
pub fn bytes(text: &str) -> Result<u64, String> {
    let (number, unit) = split(text);
    let factor: u64 = match unit.to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "kb" | "kib" => 1 << 10,
        "m" | "mb" | "mib" => 1 << 20,
        "g" | "gb" | "gib" => 1 << 30,
        _ => return Err(format!("`{text}` is no size; write for example 64MiB")),
    };
    let number: u64 = number.parse().map_err(|_| format!("`{text}` is no size; write for example 64MiB"))?;
    number.checked_mul(factor).ok_or_else(|| format!("`{text}` is too much"))
}

/// A duration: `5s`, `200ms`, `1m`; a bare number is seconds.
///
/// # Errors
/// For what is no whole number with a unit that is known, or more than a day.
pub fn duration(text: &str) -> Result<Duration, String> {
    let (number, unit) = split(text);
    let factor: u64 = match unit {
        "ms" => 1,
        "" | "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return Err(format!("`{text}` is no duration; write for example 5s or 200ms")),
    };
    let number: u64 =
        number.parse().map_err(|_| format!("`{text}` is no duration; write for example 5s or 200ms"))?;
    let longest = Duration::from_secs(24 * 60 * 60);
    let duration = number.checked_mul(factor).map(Duration::from_millis);
    duration.filter(|duration| *duration <= longest).ok_or_else(|| format!("`{text}` is more than a day"))
}

fn split(text: &str) -> (&str, &str) {
    let unit = text.find(|character: char| !character.is_ascii_digit()).unwrap_or(text.len());
    text.split_at(unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_durations_are_read() {
        for (text, size) in [("17", 17), ("64MiB", 64 << 20), ("2k", 2_048), ("1g", 1 << 30)] {
            assert_eq!(bytes(text), Ok(size), "{text}");
        }
        for (text, millis) in [("5", 5_000), ("5s", 5_000), ("200ms", 200), ("2m", 120_000)] {
            assert_eq!(duration(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        for text in ["", "x", "-1", "1.5s", "5 s", "99999999999999999999", "25h"] {
            assert!(duration(text).is_err(), "{text}");
        }
        for text in ["", "MiB", "1x", "99999999999g"] {
            assert!(bytes(text).is_err(), "{text}");
        }
    }
}
