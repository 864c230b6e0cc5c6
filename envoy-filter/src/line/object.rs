//! A JSON object whose fields are attributes, texts with attributes in them, or constants.

use cloudspout::cloudwatch::write_string;
use cloudspout::lines::{Rest, Text};

use super::attribute::{self, Attribute, Attributes, Place};
use super::form::Form;
use super::template::Template;

/// An object that can be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    fields: Vec<Field>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Field {
    /// The name as JSON has it, and a colon.
    opening: Vec<u8>,
    value: Value,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Value {
    /// As JSON has it.
    Constant(Vec<u8>),
    /// A number stays a number.
    Attribute(Attribute),
    Text(Template),
    Object(Object),
}

impl Object {
    /// # Errors
    /// For a text that is no template, and for lists; each with the name of the field.
    pub fn of(fields: &[(String, Form)]) -> Result<Object, String> {
        let fields = fields.iter().map(|(name, form)| {
            let mut opening = Vec::new();
            write_string(name, &mut opening);
            opening.push(b':');
            let value = Value::of(form).map_err(|why| match form {
                Form::Object(_) => format!("{name}.{why}"),
                _ => format!("{name}: {why}"),
            })?;
            Ok(Field { opening, value })
        });
        Ok(Object { fields: fields.collect::<Result<_, String>>()? })
    }

    /// Appends the object, without the fields that are attributes the request does not have.
    pub fn write(&self, attributes: &impl Attributes, out: &mut Vec<u8>) {
        out.push(b'{');
        let mut first = true;
        for Field { opening, value } in &self.fields {
            let before = out.len();
            if !first {
                out.push(b',');
            }
            out.extend_from_slice(opening);
            if value.write(attributes, out) {
                first = false;
            } else {
                out.truncate(before);
            }
        }
        out.push(b'}');
    }
}

impl Value {
    fn of(form: &Form) -> Result<Value, String> {
        Ok(match form {
            Form::Null => Value::Constant(b"null".to_vec()),
            Form::Truth(value) => Value::Constant(value.to_string().into_bytes()),
            Form::Number(number) => Value::Constant(number.to_string().into_bytes()),
            Form::Object(fields) => Value::Object(Object::of(fields)?),
            Form::List => return Err("a list cannot be written; give each item a name".to_owned()),
            Form::Text(text) => {
                let template = Template::parse(text, Place::Line)?;
                match template.sole() {
                    Some(attribute) => Value::Attribute(attribute.clone()),
                    None => Value::Text(template),
                }
            }
        })
    }

    /// `false`: there is nothing to write.
    fn write(&self, attributes: &impl Attributes, out: &mut Vec<u8>) -> bool {
        match self {
            Value::Constant(json) => out.extend_from_slice(json),
            Value::Attribute(attribute) => return attribute.write(attributes, attribute::Form::Json, out),
            Value::Object(object) => {
                let begin = out.len();
                object.write(attributes, out);
                return out.len() > begin + b"{}".len();
            }
            Value::Text(template) => {
                let mut text = Vec::new();
                template.write(attributes, &mut text);
                out.push(b'"');
                Text::Raw(&text).append_to(out, usize::MAX, Rest::None);
                out.push(b'"');
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Request, request};
    use super::*;
    use proptest::prelude::*;

    fn object(json: &str) -> Result<Object, String> {
        match serde_json::from_str(json).unwrap() {
            Form::Object(fields) => Object::of(&fields),
            other => panic!("{other:?}"),
        }
    }

    fn written(json: &str) -> String {
        let mut out = Vec::new();
        object(json).unwrap().write(&request(), &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn fields_are_written_in_their_order_and_keep_their_kind() {
        for (json, expected) in [
            (r#"{}"#, "{}"),
            (r#"{"z":"{request.method}","a":"{response.code}"}"#, r#"{"z":"GET","a":503}"#),
            (
                r#"{"took":"{request.duration}","at":"{request.time}"}"#,
                r#"{"took":12.345,"at":"2027-01-15T08:00:05.120Z"}"#,
            ),
            (r#"{"what":"{request.method} {request.path}"}"#, r#"{"what":"GET /a?b=\"c\""}"#),
            (r#"{"none":"{request.id}","some":"{request.id}-"}"#, r#"{"some":"--"}"#),
            (
                r#"{"v":2,"f":-1.5,"t":true,"n":null,"s":"a\"b\n"}"#,
                r#"{"v":2,"f":-1.5,"t":true,"n":null,"s":"a\"b\n"}"#,
            ),
            (r#"{"q\"":{"code":"{response.code}","id":"{request.id}"}}"#, r#"{"q\"":{"code":503}}"#),
            (r#"{"a":{"b":{"id":"{request.id}"}},"c":1}"#, r#"{"c":1}"#),
            (r#"{"mtls":"{connection.mtls}"}"#, r#"{"mtls":true}"#),
            (r#"{"tenant":"{request.headers.x-tenant}"}"#, "{\"tenant\":\"blue\u{fffd}\"}"),
        ] {
            assert_eq!(written(json), expected, "{json}");
        }
    }

    #[test]
    fn what_cannot_be_written_is_refused_with_the_name_of_the_field() {
        for (json, reason) in [
            (r#"{"a":"{request.methd}"}"#, "a: byte 1: `request.methd` is no attribute"),
            (r#"{"a":{"b":{"c":"{"}}}"#, "a.b.c: byte 1: `{` without `}`"),
            (r#"{"a":[1]}"#, "a: a list cannot be written"),
        ] {
            let error = object(json).unwrap_err();
            assert!(error.starts_with(reason), "{json}: {error}");
        }
    }

    proptest! {
        #[test]
        fn whatever_a_request_holds_the_line_is_json(
            path in proptest::collection::vec(any::<u8>(), 0..40),
            code in proptest::collection::vec(any::<u8>(), 0..10),
        ) {
            let object = object(
                r#"{"path":"{request.path}","code":"{response.code}","both":"{request.path} {response.code}"}"#,
            );
            let request = Request(vec![("request.path", path.clone()), ("response.code", code)]);
            let mut out = Vec::new();
            object.unwrap().write(&request, &mut out);
            let json: serde_json::Value = serde_json::from_slice(&out).unwrap();
            if let Ok(path) = String::from_utf8(path) {
                prop_assert_eq!(json["path"].as_str(), Some(path.as_str()));
            }
        }
    }
}
