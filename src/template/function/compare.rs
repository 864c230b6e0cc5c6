//! `eq`, `ne`, `lt`, `le`, `gt` and `ge`.

use super::failure::Failure;
use crate::template::format::shown;
use crate::template::value::Value;

/// Whether the first value equals any of the others.
pub fn equal(first: &Value, others: &[Value]) -> Result<bool, Failure> {
    let first = first.concrete();
    if others.is_empty() {
        return Err("missing argument for comparison".into());
    }
    for other in others {
        if equal_to_one(first, other.concrete())? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn equal_to_one(first: &Value, other: &Value) -> Result<bool, Failure> {
    Ok(match (Basic::of(first), Basic::of(other)) {
        (Some(Basic::Bool(first)), Some(Basic::Bool(other))) => first == other,
        // Signed and unsigned may be compared, whatever their widths.
        (Some(Basic::Int(first)), Some(Basic::Int(other))) => first == other,
        (Some(Basic::Int(first)), Some(Basic::Uint(other))) => first == i64::from(other),
        (Some(Basic::Uint(first)), Some(Basic::Int(other))) => i64::from(first) == other,
        (Some(Basic::Uint(first)), Some(Basic::Uint(other))) => first == other,
        (Some(Basic::Float(first)), Some(Basic::Float(other))) => first == other,
        (Some(Basic::String(first)), Some(Basic::String(other))) => first == other,
        (None, None) => return equal_compounds(first, other),
        _ if matches!(first, Value::Nil) || matches!(other, Value::Nil) => false,
        _ => return Err(incompatible(first, other)),
    })
}

fn equal_compounds(first: &Value, other: &Value) -> Result<bool, Failure> {
    let comparable = matches!(first, Value::Nil)
        || matches!(other, Value::Nil)
        || match (first, other) {
            (Value::List(_), Value::List(_)) | (Value::Map(_), Value::Map(_)) => true,
            (Value::Object(first), Value::Object(other)) => first.is_pointer() == other.is_pointer(),
            _ => false,
        };
    if !comparable {
        return Err(Failure::Message(format!(
            "non-comparable types {}: {}, {}: {}",
            shown(first, 's'),
            first.type_name(),
            other.type_name(),
            shown(other, 'v')
        )));
    }
    if first.is_nil() || other.is_nil() {
        return Ok(first.is_nil() && other.is_nil());
    }
    match (first, other) {
        (Value::Object(first), Value::Object(other)) => Ok(first.body().name() == other.body().name()
            && (first.is_same(other) || (!first.is_pointer() && first.body().equals(other.body())))),
        _ => {
            Err(Failure::Message(format!("non-comparable type {}: {}", shown(other, 's'), other.type_name())))
        }
    }
}

pub fn less(first: &Value, second: &Value) -> Result<bool, Failure> {
    let bad = || Failure::from("invalid type for comparison");
    let (first, second) = (first.concrete(), second.concrete());
    let basic = Basic::of(first).ok_or_else(bad)?;
    Ok(match (basic, Basic::of(second).ok_or_else(bad)?) {
        (Basic::Int(first), Basic::Int(second)) => first < second,
        (Basic::Int(first), Basic::Uint(second)) => first < i64::from(second),
        (Basic::Uint(first), Basic::Int(second)) => i64::from(first) < second,
        (Basic::Uint(first), Basic::Uint(second)) => first < second,
        (Basic::Float(first), Basic::Float(second)) => first < second,
        (Basic::String(first), Basic::String(second)) => first < second,
        (Basic::Bool(_), Basic::Bool(_)) => return Err(bad()),
        _ => return Err(incompatible(first, second)),
    })
}

pub fn less_or_equal(first: &Value, second: &Value) -> Result<bool, Failure> {
    Ok(less(first, second)? || equal(first, std::slice::from_ref(second))?)
}

/// The kinds of value Go compares by order.
enum Basic<'a> {
    Bool(bool),
    Int(i64),
    Uint(u8),
    Float(f64),
    String(&'a [u8]),
}

impl<'a> Basic<'a> {
    fn of(value: &'a Value) -> Option<Self> {
        match value {
            Value::Bool(value) => Some(Self::Bool(*value)),
            Value::Int(value) | Value::Int64(value) | Value::Named(_, value) => Some(Self::Int(*value)),
            Value::Byte(value) => Some(Self::Uint(*value)),
            Value::Float(value) => Some(Self::Float(*value)),
            Value::String(bytes) => Some(Self::String(bytes)),
            Value::Nil | Value::List(_) | Value::Map(_) | Value::Object(_) | Value::Any(_) => None,
        }
    }
}

fn incompatible(first: &Value, second: &Value) -> Failure {
    Failure::Message(format!(
        "incompatible types for comparison: {} and {}",
        first.type_name(),
        second.type_name()
    ))
}
