//! JSON as it was written: fields in their order, none twice.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Number;

/// A value of JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Form {
    Null,
    Truth(bool),
    Number(Number),
    Text(String),
    Object(Vec<(String, Form)>),
    /// Whatever is in it.
    List,
}

impl<'de> Deserialize<'de> for Form {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Form, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Form;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a value of JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<Form, E> {
        Ok(Form::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Form, E> {
        Ok(Form::Truth(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Form, E> {
        Ok(Form::Number(value.into()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Form, E> {
        Ok(Form::Number(value.into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Form, E> {
        Number::from_f64(value).map(Form::Number).ok_or_else(|| E::custom("a number that is none"))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Form, E> {
        Ok(Form::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Form, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Form::List)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Form, A::Error> {
        let mut fields: Vec<(String, Form)> = Vec::new();
        while let Some((name, value)) = entries.next_entry::<String, Form>()? {
            if fields.iter().any(|(known, _)| *known == name) {
                return Err(A::Error::custom(format!("`{name}` is there twice")));
            }
            fields.push((name, value));
        }
        Ok(Form::Object(fields))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_keep_their_order_and_none_is_there_twice() {
        let form: Form = serde_json::from_str(r#"{"b":1,"a":{"z":null,"y":[true,{}]},"c":-1.5}"#).unwrap();
        let Form::Object(fields) = form else { panic!() };
        assert_eq!(fields.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["b", "a", "c"]);
        let error = serde_json::from_str::<Form>(r#"{"a":1,"a":2}"#).unwrap_err().to_string();
        assert!(error.contains("`a` is there twice"), "{error}");
    }
}
