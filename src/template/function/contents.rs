//! `index`, `slice` and `len`.

use super::failure::Failure;
use crate::template::value::{List, Map, Type, Value};

/// `index x 1 "k"` is Go's `x[1]["k"]`.
pub fn index(item: &Value, indexes: &[Value]) -> Result<Value, Failure> {
    if item.is_untyped_nil() {
        return Err("index of untyped nil".into());
    }
    let mut item = item.concrete().clone();
    for index in indexes {
        if item.is_untyped_nil() {
            return Err("index of nil pointer".into());
        }
        item = match item.into_concrete() {
            Value::String(bytes) => {
                let at = position(index, bytes.len())?;
                let byte = bytes.get(at).copied();
                Value::Byte(byte.ok_or("reflect: string index out of range")?)
            }
            Value::List(list) => element(&list, index)?,
            Value::Map(map) => entry(&map, index)?,
            other => {
                return Err(Failure::Message(format!(
                    "can't index item of type {}",
                    other.target_type_name()
                )));
            }
        };
    }
    Ok(item)
}

fn element(list: &List, index: &Value) -> Result<Value, Failure> {
    let at = position(index, list.len())?;
    let item = list.get(at);
    Ok(item.ok_or("reflect: slice index out of range")?)
}

fn entry(map: &Map, index: &Value) -> Result<Value, Failure> {
    match index.concrete() {
        Value::String(key) => Ok(map.get(key).unwrap_or_else(|| Value::zero(map.element()))),
        Value::Nil => Err("value is nil; should be of type string".into()),
        other => Err(Failure::Message(format!("value has type {}; should be string", other.type_name()))),
    }
}

/// `slice x 1 2` is Go's `x[1:2]`.
pub fn slice(item: &Value, indexes: &[Value]) -> Result<Value, Failure> {
    if item.is_untyped_nil() {
        return Err("slice of untyped nil".into());
    }
    if indexes.len() > 3 {
        return Err(Failure::Message(format!("too many slice indexes: {}", indexes.len())));
    }
    let (length, capacity) = match item.concrete() {
        Value::String(_) if indexes.len() == 3 => {
            return Err("cannot 3-index slice a string".into());
        }
        Value::String(bytes) => (bytes.len(), bytes.len()),
        Value::List(list) => (list.len(), list.capacity()),
        other => {
            return Err(Failure::Message(format!("can't slice item of type {}", other.target_type_name())));
        }
    };
    let mut bounds = [0, length, capacity];
    for (bound, index) in bounds.iter_mut().zip(indexes) {
        // Reflection's own indexes are not taken out of their interfaces here.
        *bound = match index {
            Value::Any(_) => {
                return Err("cannot index slice/array with type interface {}".into());
            }
            index => position(index, capacity)?,
        };
    }
    let [from, to, limit] = bounds;
    if from > to {
        return Err(Failure::Message(format!("invalid slice index: {from} > {to}")));
    }
    if to > limit {
        return Err(Failure::Message(format!("invalid slice index: {to} > {limit}")));
    }
    Ok(match item.concrete() {
        Value::String(bytes) => Value::string(bytes.get(from..to).unwrap_or_default()),
        Value::List(list) => Value::List(list.slice(from, to, limit)),
        _ => Value::Nil,
    })
}

pub fn length(item: &Value) -> Result<i64, Failure> {
    let length = match item.concrete() {
        Value::String(bytes) => bytes.len(),
        Value::List(list) => list.len(),
        Value::Map(map) => map.len(),
        Value::Nil if item.kind() == Some(Type::Any) => return Err("len of nil pointer".into()),
        Value::Nil => return Err("reflect: call of reflect.Value.Type on zero Value".into()),
        other => {
            return Err(Failure::Message(format!("len of type {}", other.target_type_name())));
        }
    };
    Ok(i64::try_from(length).unwrap_or(i64::MAX))
}

/// An index into something of this many places, its end included, as Go lets through.
fn position(index: &Value, places: usize) -> Result<usize, Failure> {
    let index = match index.concrete() {
        Value::Int(index) | Value::Int64(index) | Value::Named(_, index) => *index,
        Value::Byte(index) => i64::from(*index),
        Value::Nil => return Err("cannot index slice/array with nil".into()),
        other => {
            return Err(Failure::Message(format!(
                "cannot index slice/array with type {}",
                other.type_name()
            )));
        }
    };
    usize::try_from(index)
        .ok()
        .filter(|&index| index <= places)
        .ok_or_else(|| Failure::Message(format!("index out of range: {index}")))
}
