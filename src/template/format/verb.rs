//! One value under one verb of `printf`, with its flags, width and precision.

use super::buffer::{Buffer, Limited};
use super::float::{Style, format_float};
use crate::template::characters::{Characters, count, is_print};
use crate::template::quote::{Shown, can_backquote, quote, quote_character};

/// What stands between `%` and the verb.
#[derive(Clone, Copy, Debug, Default)]
pub struct Flags {
    pub width: Option<usize>,
    pub precision: Option<usize>,
    pub minus: bool,
    pub plus: bool,
    pub sharp: bool,
    pub space: bool,
    pub zero: bool,
    /// `%+v` and `%#v`, which mean other things than `+` and `#` elsewhere.
    pub plus_v: bool,
    pub sharp_v: bool,
}

/// Whether an integer's top bit is a sign.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    Signed,
    Unsigned,
}

impl Flags {
    /// Writes the text, filled up to the width.
    pub fn pad(&self, out: &mut Buffer, text: impl AsRef<[u8]>) -> Result<(), Limited> {
        let text = text.as_ref();
        let fill = self.width.unwrap_or(0).saturating_sub(count(text));
        if self.minus {
            out.push(text)?;
            self.fill(out, fill)
        } else {
            self.fill(out, fill)?;
            out.push(text)
        }
    }

    fn fill(&self, out: &mut Buffer, count: usize) -> Result<(), Limited> {
        let byte = if self.zero && !self.minus { b'0' } else { b' ' };
        out.repeat(byte, count)
    }

    fn without_zero(&self) -> Self {
        Self { zero: false, ..*self }
    }

    pub fn string(&self, out: &mut Buffer, bytes: &[u8]) -> Result<(), Limited> {
        self.pad(out, self.truncated(bytes))
    }

    fn truncated<'a>(&self, bytes: &'a [u8]) -> &'a [u8] {
        let Some(precision) = self.precision else {
            return bytes;
        };
        let length = Characters::of(bytes).take(precision).map(|character| character.bytes.len()).sum();
        bytes.get(..length).unwrap_or(bytes)
    }

    pub fn quoted(&self, out: &mut Buffer, bytes: &[u8]) -> Result<(), Limited> {
        let bytes = self.truncated(bytes);
        if self.sharp && can_backquote(bytes) {
            return self.pad(out, [b"`", bytes, b"`"].concat());
        }
        self.pad(out, quote(bytes, self.shown()))
    }

    fn shown(&self) -> Shown {
        if self.plus { Shown::AsciiOnly } else { Shown::Printable }
    }

    /// `%x` and `%X` of a string.
    pub fn hex_string(&self, out: &mut Buffer, bytes: &[u8], upper: bool) -> Result<(), Limited> {
        let bytes = self.precision.and_then(|precision| bytes.get(..precision)).unwrap_or(bytes);
        let prefix = match (self.sharp, upper) {
            (false, _) => "",
            (true, false) => "0x",
            (true, true) => "0X",
        };
        let mut text = String::new();
        for (index, byte) in bytes.iter().enumerate() {
            if index > 0 && self.space {
                text.push(' ');
            }
            if index == 0 || self.space {
                text.push_str(prefix);
            }
            text.push_str(&if upper { format!("{byte:02X}") } else { format!("{byte:02x}") });
        }
        self.pad(out, text)
    }

    /// Writes an integer in a base; `verb` tells `%X` and `%O` from their kin.
    pub fn integer(
        &self,
        out: &mut Buffer,
        value: u64,
        base: u32,
        sign: Sign,
        verb: char,
    ) -> Result<(), Limited> {
        out.check(self.width.max(self.precision).unwrap_or(0))?;
        let negative = sign == Sign::Signed && value.cast_signed() < 0;
        let value = if negative { value.wrapping_neg() } else { value };
        let mut digits = match base {
            2 => format!("{value:b}"),
            8 => format!("{value:o}"),
            16 if verb == 'X' => format!("{value:X}"),
            16 => format!("{value:x}"),
            _ => format!("{value}"),
        };
        let mut least = 0;
        if let Some(precision) = self.precision {
            if precision == 0 && value == 0 {
                return self.without_zero().pad(out, "");
            }
            least = precision;
        } else if self.zero && !self.minus {
            least = self.width.unwrap_or(0);
            if negative || self.plus || self.space {
                least = least.saturating_sub(1);
            }
        }
        if digits.len() < least {
            digits.insert_str(0, &"0".repeat(least - digits.len()));
        }
        if self.sharp {
            match base {
                2 => digits.insert_str(0, "0b"),
                8 if !digits.starts_with('0') => digits.insert(0, '0'),
                16 if verb == 'X' => digits.insert_str(0, "0X"),
                16 => digits.insert_str(0, "0x"),
                _ => {}
            }
        }
        if verb == 'O' {
            digits.insert_str(0, "0o");
        }
        if negative {
            digits.insert(0, '-');
        } else if self.plus {
            digits.insert(0, '+');
        } else if self.space {
            digits.insert(0, ' ');
        }
        self.without_zero().pad(out, digits)
    }

    /// `%U`
    pub fn code_point(&self, out: &mut Buffer, value: u64) -> Result<(), Limited> {
        let least = self.precision.unwrap_or(0).max(4);
        out.check(least)?;
        let mut digits = format!("{value:X}");
        if digits.len() < least {
            digits.insert_str(0, &"0".repeat(least - digits.len()));
        }
        let mut text = format!("U+{digits}");
        if let Some(character) = u32::try_from(value).ok().and_then(char::from_u32)
            && self.sharp
            && is_print(character)
        {
            text.push_str(&format!(" '{character}'"));
        }
        self.without_zero().pad(out, text)
    }

    /// `%c`
    pub fn character(&self, out: &mut Buffer, value: u64) -> Result<(), Limited> {
        self.pad(out, character_of(value).encode_utf8(&mut [0; 4]))
    }

    /// `%q` of an integer.
    pub fn quoted_character(&self, out: &mut Buffer, value: u64) -> Result<(), Limited> {
        self.pad(out, quote_character(character_of(value), self.shown()))
    }

    /// Writes a float; `verb` is one of `e E f F g G b x X` and `v`.
    pub fn float(&self, out: &mut Buffer, value: f64, verb: char) -> Result<(), Limited> {
        out.check(self.width.max(self.precision).unwrap_or(0))?;
        let (style, default) = match verb {
            'e' | 'E' => (Style::Exponent, Some(6)),
            'f' | 'F' => (Style::Fixed, Some(6)),
            'b' => (Style::Binary, None),
            'x' | 'X' => (Style::Hexadecimal, None),
            _ => (Style::General, None),
        };
        let precision = self.precision.or(default);
        let text = format_float(value, style, precision);
        let (mut sign, mut digits) = match text.split_at_checked(1) {
            Some(("-", digits)) => ('-', digits.to_owned()),
            Some(("+", digits)) => ('+', digits.to_owned()),
            _ => ('+', text),
        };
        if self.space && sign == '+' && !self.plus {
            sign = ' ';
        }
        if !value.is_finite() {
            // Neither is a number to fill with zeros; infinity always has its sign.
            if value.is_infinite() || self.space || self.plus {
                digits.insert(0, sign);
            }
            return self.without_zero().pad(out, digits);
        }
        if self.sharp && verb != 'b' {
            digits = with_point(&digits, verb, precision);
        }
        if verb.is_ascii_uppercase() {
            digits = digits.to_ascii_uppercase();
        }
        if !self.plus && sign == '+' {
            return self.pad(out, digits);
        }
        let width = self.width.unwrap_or(0);
        if self.zero && !self.minus && width > digits.len() + 1 {
            // The sign stands before the zeros.
            out.push(sign.encode_utf8(&mut [0; 4]))?;
            self.fill(out, width - digits.len() - 1)?;
            return out.push(digits);
        }
        self.pad(out, format!("{sign}{digits}"))
    }
}

/// `%#g` and its kin: always a point, and no digits dropped.
fn with_point(text: &str, verb: char, precision: Option<usize>) -> String {
    let mut missing = match verb {
        'v' | 'g' | 'G' | 'x' => precision.unwrap_or(6),
        _ => 0,
    };
    let marks: &[char] = match verb {
        'x' | 'X' => &['p', 'P'],
        _ => &['p', 'P', 'e', 'E'],
    };
    let (number, tail) = text.find(marks).and_then(|at| text.split_at_checked(at)).unwrap_or((text, ""));
    let significant = number
        .chars()
        .filter(|&character| character != '.')
        .skip_while(|&character| character == '0')
        .count();
    missing = missing.saturating_sub(significant);
    let mut number = number.to_owned();
    if !number.contains('.') {
        if number == "0" {
            missing = missing.saturating_sub(1);
        }
        number.push('.');
    }
    number.push_str(&"0".repeat(missing));
    number + tail
}

fn character_of(value: u64) -> char {
    u32::try_from(value).ok().and_then(char::from_u32).unwrap_or(char::REPLACEMENT_CHARACTER)
}
