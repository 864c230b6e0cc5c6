//! Floats as Go's `strconv` writes them.

/// The forms a float can be written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// `-d.dddde±dd`
    Exponent,
    /// `-ddd.dddd`
    Fixed,
    /// The shorter of the two.
    General,
    /// `-ddddp±ddd`, mantissa and binary exponent.
    Binary,
    /// `-0x1.ddddp±dd`
    Hexadecimal,
}

/// Writes a float with so many digits; with `None`, as few as tell it from every other float.
pub fn format_float(value: f64, style: Style, precision: Option<usize>) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    let sign = if value.is_sign_negative() { "-" } else { "" };
    if value.is_infinite() {
        return if sign.is_empty() { "+Inf" } else { "-Inf" }.to_owned();
    }
    let value = value.abs();
    let text = match style {
        Style::Exponent => exponent(&Digits::of(value, precision), precision),
        Style::Fixed => fixed(value, precision),
        Style::General => general(value, precision),
        Style::Binary => {
            let (mantissa, exponent) = parts(value);
            format!("{mantissa}p{exponent:+}")
        }
        Style::Hexadecimal => hexadecimal(value, precision),
    };
    format!("{sign}{text}")
}

/// The significant digits of a float, without zeros at the end, and the exponent of the first.
struct Digits {
    digits: String,
    exponent: i32,
}

impl Digits {
    /// Rounded to `precision` digits behind the first.
    fn of(value: f64, precision: Option<usize>) -> Self {
        let text = match precision {
            Some(precision) => format!("{value:.*e}", precision.min(LONGEST)),
            None => shortest(value),
        };
        let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let digits = mantissa.replace('.', "");
        Self { digits: digits.trim_end_matches('0').to_owned(), exponent: exponent.parse().unwrap_or(0) }
    }
}

/// The fewest digits that mean this float; of two equally near, Go takes the even one.
fn shortest(value: f64) -> String {
    let text = format!("{value:e}");
    let digits = text.find('e').unwrap_or(1).saturating_sub(2);
    let even = format!("{value:.digits$e}");
    if even.parse() == Ok(value) { even } else { text }
}

fn exponent(digits: &Digits, precision: Option<usize>) -> String {
    let mut text = digits.digits.clone();
    if text.is_empty() {
        text.push('0');
    }
    let wanted = 1 + precision.unwrap_or(text.len() - 1);
    if text.len() < wanted {
        text.push_str(&"0".repeat(wanted - text.len()));
    }
    if text.len() > 1 {
        text.insert(1, '.');
    }
    let sign = if digits.exponent < 0 { '-' } else { '+' };
    format!("{text}e{sign}{:02}", digits.exponent.abs())
}

fn fixed(value: f64, precision: Option<usize>) -> String {
    match precision {
        None => fixed_digits(&Digits::of(value, None)),
        Some(precision) if precision > LONGEST => {
            let zeros = "0".repeat(precision - LONGEST);
            format!("{value:.LONGEST$}{zeros}")
        }
        Some(precision) => format!("{value:.precision$}"),
    }
}

fn general(value: f64, precision: Option<usize>) -> String {
    // As a count of digits, zero means one.
    let precision = precision.map(|count| count.max(1));
    let digits = Digits::of(value, precision.map(|count| count - 1));
    let count = digits.digits.len();
    let first = digits.exponent;
    let whole = usize::try_from(first + 1).unwrap_or(0);
    let largest = match precision {
        None => SHORTEST_FIXED,
        Some(precision) if precision > count && count >= whole => count,
        Some(precision) => precision,
    };
    let first = if count == 0 { -1 } else { first };
    if first < -4 || i64::from(first) >= i64::try_from(largest).unwrap_or(i64::MAX) {
        return exponent(&digits, None);
    }
    // No rounding is left to do, only the point to set.
    fixed_digits(&digits)
}

/// Sets the point among digits.
fn fixed_digits(digits: &Digits) -> String {
    let mut text = digits.digits.clone();
    if text.is_empty() {
        return "0".to_owned();
    }
    match usize::try_from(digits.exponent) {
        Ok(first) if text.len() > first + 1 => {
            text.insert(first + 1, '.');
            text
        }
        Ok(first) => {
            text.push_str(&"0".repeat(first + 1 - text.len()));
            text
        }
        Err(_) => {
            let zeros = usize::try_from(-digits.exponent - 1).unwrap_or(0);
            format!("0.{}{text}", "0".repeat(zeros))
        }
    }
}

fn hexadecimal(value: f64, precision: Option<usize>) -> String {
    let (mut mantissa, exponent) = parts(value);
    let mut exponent = if mantissa == 0 { 0 } else { exponent + 52 };
    // The first digit stands at bit 60, the rest below it.
    mantissa <<= 8;
    while mantissa != 0 && mantissa >> 60 == 0 {
        mantissa <<= 1;
        exponent -= 1;
    }
    if let Some(precision) = precision.filter(|&precision| precision < 15) {
        let shift = precision * 4;
        let dropped = (mantissa << shift) & ((1 << 60) - 1);
        mantissa >>= 60 - shift;
        // To the nearest, and to even between two.
        if dropped | (mantissa & 1) > 1 << 59 {
            mantissa += 1;
        }
        mantissa <<= 60 - shift;
        if mantissa >> 61 != 0 {
            mantissa >>= 1;
            exponent += 1;
        }
    }
    let mut text = format!("0x{}", mantissa >> 60 & 1);
    mantissa <<= 4;
    let count = precision.unwrap_or_else(|| 16 - (mantissa.trailing_zeros() / 4) as usize);
    if count > 0 {
        text.push('.');
    }
    for _ in 0..count {
        let digit = u32::try_from(mantissa >> 60).unwrap_or(0);
        text.push(char::from_digit(digit, 16).unwrap_or('0'));
        mantissa <<= 4;
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{text}p{sign}{:02}", exponent.abs())
}

/// Mantissa and exponent of two: the value is their product.
fn parts(value: f64) -> (u64, i32) {
    let bits = value.to_bits();
    let mantissa = bits & ((1 << 52) - 1);
    match i32::try_from(bits >> 52 & 0x7ff).unwrap_or(0) {
        0 => (mantissa, -1074),
        exponent => (mantissa | 1 << 52, exponent - 1075),
    }
}

/// Digits enough to write any float in full; behind them are only zeros.
const LONGEST: usize = 1100;
/// From this exponent on, the shortest form has an exponent.
const SHORTEST_FIXED: usize = 6;
