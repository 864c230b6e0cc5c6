//! Go's number literals: what they are as integers and as floats.

/// A number as a template writes it, in every type it fits.
///
/// A literal has no type until it is used: `1.0` can be an `int` argument.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Number {
    pub signed: Option<i64>,
    pub unsigned: Option<u64>,
    pub float: Option<f64>,
}

impl Number {
    /// A character literal is an integer that counts as any kind of number.
    pub fn of_character(code: u32) -> Self {
        Self { signed: Some(i64::from(code)), unsigned: Some(u64::from(code)), float: Some(f64::from(code)) }
    }

    /// Reads a literal; the error is its fault in Go's words, without the literal.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let unsigned = parse_unsigned(text);
        let signed = parse_signed(text);
        let mut number = Self {
            signed,
            // `-0` is no unsigned literal, but fits one.
            unsigned: unsigned.or(signed.filter(|&value| value == 0).map(|_| 0)),
            float: None,
        };
        if let Some(value) = number.signed {
            number.float = Some(value as f64);
        } else if let Some(value) = number.unsigned {
            number.float = Some(value as f64);
        } else if let Some(value) = parse_float(text) {
            if !text.contains(['.', 'e', 'E', 'p', 'P']) {
                return Err("integer overflow");
            }
            number.float = Some(value);
            let whole = value.trunc() == value;
            if whole && (-TWO_TO_63..TWO_TO_63).contains(&value) {
                number.signed = Some(value as i64);
            }
            if whole && (0.0..2.0 * TWO_TO_63).contains(&value) {
                number.unsigned = Some(value as u64);
            }
        }
        if number.float.is_none() {
            return Err("illegal number syntax");
        }
        Ok(number)
    }
}

/// Reads a float, decimal or hexadecimal; `None` if it is none, or out of range.
fn parse_float(text: &str) -> Option<f64> {
    if text.contains('_') && !underscores_separate_digits(text) {
        return None;
    }
    let digits: String = text.chars().filter(|&digit| digit != '_').collect();
    let (negative, magnitude) = split_sign(&digits);
    let value = if let Some(hex) = strip_prefix(magnitude, 'x') {
        parse_hex_float(hex)?
    } else {
        // Rust reads more than Go's literals, such as `inf`; the characters rule that out.
        let literal =
            magnitude.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-'));
        literal.then(|| magnitude.parse().ok())??
    };
    let value: f64 = if negative { -value } else { value };
    value.is_finite().then_some(value)
}

/// Reads what follows `0x`: digits, an optional point, and a binary exponent that must be there.
fn parse_hex_float(text: &str) -> Option<f64> {
    let (digits, exponent) = text.split_once(['p', 'P'])?;
    let (negative, exponent) = split_sign(exponent);
    if exponent.is_empty() || !exponent.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    // Beyond this the result is zero or infinite, whatever the digits of a template can add.
    let exponent: i64 = exponent.parse().unwrap_or(FAR).min(FAR);
    let mut exponent = if negative { -exponent } else { exponent };
    let (mut mantissa, mut lost, mut seen, mut point) = (0_u64, false, false, false);
    for character in digits.chars() {
        if character == '.' {
            if point {
                return None;
            }
            point = true;
            continue;
        }
        let digit = u64::from(character.to_digit(16)?);
        seen = true;
        if mantissa >> 60 == 0 {
            mantissa = mantissa << 4 | digit;
            exponent -= if point { 4 } else { 0 };
        } else {
            lost |= digit != 0;
            exponent += if point { 0 } else { 4 };
        }
    }
    seen.then(|| assemble(mantissa, exponent, lost))
}

/// `mantissa` times two to the `exponent`, rounded to even; `lost` says digits follow.
fn assemble(mantissa: u64, exponent: i64, lost: bool) -> f64 {
    if mantissa == 0 {
        return 0.0;
    }
    let shift = i64::from(mantissa.leading_zeros());
    let mantissa = mantissa << shift;
    // The value is mantissa * 2^exponent with the top bit set, so its own exponent is 63 more.
    let exponent = exponent - shift;
    let top = exponent + 63;
    if top > 1023 {
        return f64::INFINITY;
    }
    let dropped = if top < -1022 { 11 + (-1022 - top) } else { 11 };
    if dropped > 64 {
        return 0.0;
    }
    let wide = u128::from(mantissa);
    let kept = wide >> dropped;
    let rest = wide & ((1 << dropped) - 1);
    let half = 1_u128 << (dropped - 1);
    let up = rest > half || (rest == half && (lost || kept & 1 == 1));
    let kept = (kept + u128::from(up)) as u64;
    // A carry out of the mantissa lands in the exponent, which is what rounding up means.
    if top < -1022 {
        f64::from_bits(kept)
    } else {
        let biased = u64::try_from(top + 1022).unwrap_or(0);
        f64::from_bits((biased << 52) + kept)
    }
}

fn parse_signed(text: &str) -> Option<i64> {
    let (negative, magnitude) = split_sign(text);
    let magnitude = i128::from(parse_unsigned(magnitude)?);
    i64::try_from(if negative { -magnitude } else { magnitude }).ok()
}

fn parse_unsigned(text: &str) -> Option<u64> {
    if text.contains('_') && !underscores_separate_digits(text) {
        return None;
    }
    let (base, digits) = match text.strip_prefix('0') {
        None | Some("") => (10, text),
        Some(rest) => match rest.get(..1) {
            Some("b" | "B") if rest.len() > 1 => (2, rest.get(1..)?),
            Some("o" | "O") if rest.len() > 1 => (8, rest.get(1..)?),
            Some("x" | "X") if rest.len() > 1 => (16, rest.get(1..)?),
            _ => (8, rest),
        },
    };
    if digits.is_empty() {
        return None;
    }
    let mut value = 0_u64;
    for digit in digits.chars().filter(|&digit| digit != '_') {
        value = value.checked_mul(u64::from(base))?.checked_add(u64::from(digit.to_digit(base)?))?;
    }
    Some(value)
}

/// An underscore may stand only between digits, or between a base prefix and a digit.
fn underscores_separate_digits(text: &str) -> bool {
    let (_, text) = split_sign(text);
    let based =
        ['b', 'o', 'x'].into_iter().find_map(|base| strip_prefix(text, base).map(|rest| (base, rest)));
    let (base, digits) = based.unwrap_or((' ', text));
    let mut before = if base == ' ' { '^' } else { '0' };
    for character in digits.chars() {
        let digit = character.is_ascii_digit() || (base == 'x' && character.is_ascii_hexdigit());
        if character == '_' && before != '0' || !digit && character != '_' && before == '_' {
            return false;
        }
        before = match character {
            '_' => '_',
            _ if digit => '0',
            _ => '!',
        };
    }
    before != '_'
}

fn split_sign(text: &str) -> (bool, &str) {
    match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    }
}

/// What follows `0` and a base letter of either case.
fn strip_prefix(text: &str, base: char) -> Option<&str> {
    text.strip_prefix('0')?.strip_prefix([base, base.to_ascii_uppercase()])
}

const TWO_TO_63: f64 = 9_223_372_036_854_775_808.0;
/// An exponent past every float's, small enough to add to.
const FAR: i64 = 1 << 40;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hexadecimal_floats_round_to_even() {
        for (text, value) in [
            ("0x1p-2", 0.25),
            ("0x1.8p1", 3.0),
            ("0x.8p0", 0.5),
            ("0x1.fffffffffffff8p0", 2.0),
            ("0x1.fffffffffffff7p0", 1.999_999_999_999_999_8),
            ("0x1p-1074", 5e-324),
            ("0x1p-1075", 0.0),
            ("0x1.8p-1075", 5e-324),
        ] {
            assert_eq!(Number::parse(text).unwrap().float, Some(value), "{text}");
        }
        assert_eq!(Number::parse("0x1p1024"), Err("illegal number syntax"));
    }
}
