//! `print`, `println` and `printf`.

use super::buffer::{Buffer, Limited};
use super::verb::{Flags, Sign};
use crate::template::characters::decode;
use crate::template::named::Named;
use crate::template::value::{Object, Struct, Type, Value};

pub struct Printer {
    out: Buffer,
    flags: Flags,
    /// Within the report of a bad verb, structs print as they are, without their methods.
    reporting: bool,
}

impl Printer {
    pub fn new(limit: usize) -> Self {
        Self { out: Buffer::new(limit), flags: Flags::default(), reporting: false }
    }

    pub fn into_bytes(self) -> Vec<u8> {
        self.out.into_bytes()
    }

    /// Go's `fmt.Print`: a space between two arguments of which neither is a string.
    pub fn print(&mut self, arguments: &[Value]) -> Result<(), Limited> {
        let mut after_string = true;
        for (index, argument) in arguments.iter().enumerate() {
            let string = matches!(argument.concrete(), Value::String(_));
            if index > 0 && !string && !after_string {
                self.out.push(" ")?;
            }
            self.argument(argument.concrete(), 'v')?;
            after_string = string;
        }
        Ok(())
    }

    /// Go's `fmt.Println`: a space between any two arguments.
    pub fn println(&mut self, arguments: &[Value]) -> Result<(), Limited> {
        for (index, argument) in arguments.iter().enumerate() {
            if index > 0 {
                self.out.push(" ")?;
            }
            self.argument(argument.concrete(), 'v')?;
        }
        self.out.push("\n")
    }

    /// Go's `fmt.Printf`; what is wrong with the format shows in the text.
    pub fn printf(&mut self, format: &[u8], arguments: &[Value]) -> Result<(), Limited> {
        let mut reader = Directives { rest: format, arguments, next: 0, reordered: false };
        while !reader.rest.is_empty() {
            let literal = reader.rest.iter().position(|&byte| byte == b'%');
            let Some((literal, directive)) = literal.and_then(|at| reader.rest.split_at_checked(at)) else {
                self.out.push(reader.rest)?;
                break;
            };
            self.out.push(literal)?;
            reader.rest = directive.get(1..).unwrap_or_default();
            self.directive(&mut reader)?;
        }
        if !reader.reordered && reader.next < arguments.len() {
            self.flags = Flags::default();
            self.out.push("%!(EXTRA ")?;
            let extra = arguments.get(reader.next..).unwrap_or_default();
            for (index, argument) in extra.iter().enumerate() {
                if index > 0 {
                    self.out.push(", ")?;
                }
                self.typed(argument.concrete())?;
            }
            self.out.push(")")?;
        }
        Ok(())
    }

    /// One `%…`, from behind the percent sign.
    fn directive(&mut self, reader: &mut Directives<'_>) -> Result<(), Limited> {
        self.flags = Flags::default();
        while let Some((&flag, rest)) = reader.rest.split_first() {
            match flag {
                b'#' => self.flags.sharp = true,
                b'0' => self.flags.zero = true,
                b'+' => self.flags.plus = true,
                b'-' => self.flags.minus = true,
                b' ' => self.flags.space = true,
                _ => break,
            }
            reader.rest = rest;
        }
        let mut good = true;
        let mut after_index = reader.index(&mut good);
        if reader.accept(b'*') {
            match reader.star() {
                Some(width) => {
                    if width < 0 {
                        self.flags.minus = true;
                        self.flags.zero = false;
                    }
                    self.flags.width = usize::try_from(width.unsigned_abs()).ok();
                }
                None => self.out.push("%!(BADWIDTH)")?,
            }
            after_index = false;
        } else {
            self.flags.width = reader.number();
            if after_index && self.flags.width.is_some() {
                good = false;
            }
        }
        // A point that ends the format is taken for a verb.
        if reader.rest.len() > 1 && reader.accept(b'.') {
            if after_index {
                good = false;
            }
            after_index = reader.index(&mut good);
            if reader.accept(b'*') {
                let precision = reader.star().and_then(|value| usize::try_from(value).ok());
                self.flags.precision = precision;
                if precision.is_none() {
                    self.out.push("%!(BADPREC)")?;
                }
                after_index = false;
            } else {
                self.flags.precision = Some(reader.number().unwrap_or(0));
            }
        }
        if !after_index {
            reader.index(&mut good);
        }
        if reader.rest.is_empty() {
            return self.out.push("%!(NOVERB)");
        }
        let (verb, width) = decode(reader.rest);
        reader.rest = reader.rest.get(width..).unwrap_or_default();
        if verb == '%' {
            return self.out.push("%");
        }
        let argument = reader.arguments.get(reader.next);
        match argument {
            _ if !good => self.out.push(format!("%!{verb}(BADINDEX)")),
            None => self.out.push(format!("%!{verb}(MISSING)")),
            Some(argument) => {
                if matches!(verb, 'v' | 'w') {
                    self.flags.sharp_v = std::mem::take(&mut self.flags.sharp);
                    self.flags.plus_v = std::mem::take(&mut self.flags.plus);
                }
                reader.next += 1;
                self.argument(argument.concrete(), verb)
            }
        }
    }

    /// Prints one argument under a verb.
    fn argument(&mut self, value: &Value, verb: char) -> Result<(), Limited> {
        match (value, verb) {
            (Value::Nil | Value::Any(_), 'T' | 'v') => self.flags.pad(&mut self.out, "<nil>"),
            (Value::Nil | Value::Any(_), _) => self.bad_verb(value, verb),
            (_, 'T') => {
                let name = value.type_name();
                self.flags.string(&mut self.out, name.as_bytes())
            }
            (Value::List(_) | Value::Map(_), 'p') => self.address(value, verb),
            (Value::Object(object), 'p') if object.is_pointer() => self.address(value, verb),
            (_, 'p') => self.bad_verb(value, verb),
            (Value::List(_) | Value::Map(_) | Value::Object(_), 'w') => self.bad_verb(value, verb),
            (Value::Object(object), _) if self.by_method(object.body(), verb)? => Ok(()),
            (Value::Named(named, number), _) if self.by_name(*named, *number, verb)? => Ok(()),
            _ => self.value(value, verb, Depth::Top),
        }
    }

    /// Prints a value Go holds as a `reflect.Value`, for an error message.
    pub fn reflected(&mut self, value: &Value, verb: char) -> Result<(), Limited> {
        match value.concrete() {
            Value::Nil => self.out.push("<nil>"),
            value => self.argument(value, verb),
        }
    }

    fn value(&mut self, value: &Value, verb: char, depth: Depth) -> Result<(), Limited> {
        match value {
            Value::Nil if verb == 'v' => self.out.push("<nil>"),
            Value::Nil => self.bad_verb(value, verb),
            Value::Bool(truth) => match verb {
                't' | 'v' => self.flags.pad(&mut self.out, truth.to_string()),
                _ => self.bad_verb(value, verb),
            },
            Value::Int(number) | Value::Int64(number) | Value::Named(_, number) => {
                self.integer(value, number.cast_unsigned(), Sign::Signed, verb)
            }
            Value::Byte(number) => self.integer(value, u64::from(*number), Sign::Unsigned, verb),
            Value::Float(number) => match verb {
                'b' | 'g' | 'G' | 'x' | 'X' | 'f' | 'F' | 'e' | 'E' | 'v' => {
                    self.flags.float(&mut self.out, *number, verb)
                }
                _ => self.bad_verb(value, verb),
            },
            Value::String(bytes) => match verb {
                'v' if self.flags.sharp_v => self.flags.quoted(&mut self.out, bytes),
                'v' | 's' => self.flags.string(&mut self.out, bytes),
                'x' => self.flags.hex_string(&mut self.out, bytes, false),
                'X' => self.flags.hex_string(&mut self.out, bytes, true),
                'q' => self.flags.quoted(&mut self.out, bytes),
                _ => self.bad_verb(value, verb),
            },
            Value::List(list) => {
                if self.flags.sharp_v && value.is_nil() {
                    return self.out.push(format!("{}(nil)", value.type_name()));
                }
                self.open(value, "[")?;
                for (index, item) in list.items().iter().enumerate() {
                    self.separate(index)?;
                    self.element(item, list.element(), verb)?;
                }
                self.close("]")
            }
            Value::Map(map) => {
                if self.flags.sharp_v && value.is_nil() {
                    return self.out.push(format!("{}(nil)", value.type_name()));
                }
                self.open(value, "map[")?;
                for (index, (key, item)) in map.entries().enumerate() {
                    self.separate(index)?;
                    self.value(&Value::string(key), verb, Depth::Within)?;
                    self.out.push(":")?;
                    self.element(item, map.element(), verb)?;
                }
                self.close("]")
            }
            Value::Object(object) => self.object(object, verb, depth),
            Value::Any(inner) => self.element(inner, Type::Any, verb),
        }
    }

    /// Prints an element of a container or a field of a struct.
    fn element(&mut self, item: &Value, kind: Type, verb: char) -> Result<(), Limited> {
        match item.concrete() {
            Value::Nil if kind == Type::Any && self.flags.sharp_v => self.out.push("interface {}(nil)"),
            Value::Nil => self.out.push("<nil>"),
            Value::Object(object) if self.by_method(object.body(), verb)? => Ok(()),
            Value::Named(named, number) if self.by_name(*named, *number, verb)? => Ok(()),
            item => self.value(item, verb, Depth::Within),
        }
    }

    fn object(&mut self, object: &Object, verb: char, depth: Depth) -> Result<(), Limited> {
        if object.is_pointer() {
            if depth == Depth::Within {
                return self.address(&Value::Object(object.clone()), verb);
            }
            self.out.push("&")?;
        }
        let body = object.body();
        if self.flags.sharp_v {
            self.out.push(body.name())?;
        }
        self.out.push("{")?;
        for (index, (name, item)) in body.fields().iter().enumerate() {
            self.separate(index)?;
            if self.flags.plus_v || self.flags.sharp_v {
                self.out.push(name)?;
                self.out.push(":")?;
            }
            let kind = item.kind().unwrap_or(Type::Any);
            self.element(item, kind, verb)?;
        }
        self.out.push("}")
    }

    /// Prints a struct by its `String` or `GoString`, if the verb asks for that and it has one.
    fn by_method(&mut self, body: &dyn Struct, verb: char) -> Result<bool, Limited> {
        if self.reporting {
            return Ok(false);
        }
        if self.flags.sharp_v {
            let Some(text) = body.go_text() else {
                return Ok(false);
            };
            self.flags.string(&mut self.out, text.as_bytes())?;
            return Ok(true);
        }
        if !matches!(verb, 'v' | 's' | 'x' | 'X' | 'q') {
            return Ok(false);
        }
        let Some(text) = body.text() else {
            return Ok(false);
        };
        self.value(&Value::string(text), verb, Depth::Within)?;
        Ok(true)
    }

    /// Prints an integer by the `String` of its type, if the verb asks for that.
    fn by_name(&mut self, named: Named, number: i64, verb: char) -> Result<bool, Limited> {
        if self.reporting || self.flags.sharp_v || !matches!(verb, 'v' | 's' | 'x' | 'X' | 'q') {
            return Ok(false);
        }
        self.value(&Value::string(named.text(number)), verb, Depth::Within)?;
        Ok(true)
    }

    fn integer(&mut self, value: &Value, number: u64, sign: Sign, verb: char) -> Result<(), Limited> {
        let out = &mut self.out;
        match verb {
            'v' if self.flags.sharp_v && sign == Sign::Unsigned => {
                let flags = Flags { sharp: true, ..self.flags };
                flags.integer(out, number, 16, sign, 'v')
            }
            'v' | 'd' => self.flags.integer(out, number, 10, sign, verb),
            'b' => self.flags.integer(out, number, 2, sign, verb),
            'o' | 'O' => self.flags.integer(out, number, 8, sign, verb),
            'x' | 'X' => self.flags.integer(out, number, 16, sign, verb),
            'c' => self.flags.character(out, number),
            'q' => self.flags.quoted_character(out, number),
            'U' => self.flags.code_point(out, number),
            _ => self.bad_verb(value, verb),
        }
    }

    fn bad_verb(&mut self, value: &Value, verb: char) -> Result<(), Limited> {
        self.out.push(format!("%!{verb}("))?;
        let outer = std::mem::replace(&mut self.reporting, true);
        self.typed(value)?;
        self.reporting = outer;
        self.out.push(")")
    }

    /// `type=value`, for reports.
    fn typed(&mut self, value: &Value) -> Result<(), Limited> {
        if value.is_untyped_nil() {
            return self.out.push("<nil>");
        }
        self.out.push(format!("{}=", value.type_name()))?;
        self.argument(value, 'v')
    }

    /// A pointer, list or map by its address.
    fn address(&mut self, value: &Value, verb: char) -> Result<(), Limited> {
        let prefixed = Flags { sharp: !self.flags.sharp, ..self.flags };
        let base = match verb {
            'v' if self.flags.sharp_v => {
                self.out.push(format!("({})(", value.type_name()))?;
                let flags = Flags { sharp: true, ..self.flags };
                flags.integer(&mut self.out, ADDRESS, 16, Sign::Unsigned, 'v')?;
                return self.out.push(")");
            }
            'v' | 'p' => {
                return prefixed.integer(&mut self.out, ADDRESS, 16, Sign::Unsigned, 'v');
            }
            'b' => 2,
            'o' => 8,
            'd' => 10,
            'x' | 'X' => 16,
            _ => return self.bad_verb(value, verb),
        };
        let out = &mut self.out;
        self.flags.integer(out, ADDRESS, base, Sign::Unsigned, verb)
    }

    fn open(&mut self, value: &Value, plain: &str) -> Result<(), Limited> {
        if self.flags.sharp_v {
            self.out.push(format!("{}{{", value.type_name()))
        } else {
            self.out.push(plain)
        }
    }

    fn separate(&mut self, index: usize) -> Result<(), Limited> {
        match (index, self.flags.sharp_v) {
            (0, _) => Ok(()),
            (_, true) => self.out.push(", "),
            (_, false) => self.out.push(" "),
        }
    }

    fn close(&mut self, plain: &str) -> Result<(), Limited> {
        self.out.push(if self.flags.sharp_v { "}" } else { plain })
    }
}

/// Whether a value is printed for itself, or as part of another.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Depth {
    Top,
    Within,
}

/// A format being read, and which argument is next.
struct Directives<'a> {
    rest: &'a [u8],
    arguments: &'a [Value],
    next: usize,
    /// Whether an explicit index was seen: what is left over is then no mistake.
    reordered: bool,
}

impl Directives<'_> {
    fn accept(&mut self, byte: u8) -> bool {
        match self.rest.split_first() {
            Some((&first, rest)) if first == byte => {
                self.rest = rest;
                true
            }
            _ => false,
        }
    }

    /// Reads a decimal number; one that is absurdly long takes the rest of the format with it.
    fn number(&mut self) -> Option<usize> {
        let mut number = None;
        while let Some((&digit @ b'0'..=b'9', rest)) = self.rest.split_first() {
            let so_far = number.unwrap_or(0);
            if so_far > LARGEST {
                self.rest = &[];
                return None;
            }
            number = Some(so_far * 10 + usize::from(digit - b'0'));
            self.rest = rest;
        }
        number
    }

    /// The next argument as a width or precision.
    fn star(&mut self) -> Option<i64> {
        let argument = self.arguments.get(self.next)?;
        self.next += 1;
        let number = match argument.concrete() {
            Value::Int(number) | Value::Int64(number) | Value::Named(_, number) => *number,
            Value::Byte(number) => i64::from(*number),
            _ => return None,
        };
        (number.unsigned_abs() <= LARGEST as u64).then_some(number)
    }

    /// Reads `[n]`, if it stands here; whether it did, and was one.
    fn index(&mut self, good: &mut bool) -> bool {
        if self.rest.first() != Some(&b'[') {
            return false;
        }
        self.reordered = true;
        let end = self.rest.iter().position(|&byte| byte == b']');
        let Some(end) = end.filter(|_| self.rest.len() > 2) else {
            self.rest = self.rest.get(1..).unwrap_or_default();
            *good = false;
            return false;
        };
        let mut inside = Directives {
            rest: self.rest.get(1..end).unwrap_or_default(),
            arguments: &[],
            next: 0,
            reordered: false,
        };
        let number = inside.number().filter(|_| inside.rest.is_empty());
        self.rest = self.rest.get(end + 1..).unwrap_or_default();
        let index = number.and_then(|number| number.checked_sub(1));
        match index.filter(|&index| index < self.arguments.len()) {
            Some(index) => self.next = index,
            None => *good = false,
        }
        number.is_some()
    }
}

/// Real addresses would differ from run to run, so everything has this one.
const ADDRESS: u64 = 0xc0_0000_0000;
/// The largest width, precision or index a format may name.
const LARGEST: usize = 1_000_000;
