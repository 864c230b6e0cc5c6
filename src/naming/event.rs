//! What a template sees of an event: the fields by which events are kept apart.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::template::value::{List, Map, Type};
use crate::template::{FunctionSet, Template, Value};

/// The name by which templates know it: `{{.Event.service}}`.
pub const EVENT: &str = "Event";

/// A template that takes an event as a whole: no two events would stay together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WholeEvent {
    source: String,
}

/// The fields of events that these templates take, each once. What is no template is left to whoever
/// renders it.
///
/// # Errors
/// For a template that takes an event as a whole.
pub fn event_fields<'a>(templates: impl IntoIterator<Item = &'a str>) -> Result<Vec<String>, WholeEvent> {
    let mut names = BTreeSet::new();
    for source in templates {
        let Ok(template) = Template::parse("name", source, FunctionSet::Docker) else { continue };
        let taken = template.takes_of(EVENT);
        if taken.whole {
            return Err(WholeEvent { source: source.to_owned() });
        }
        names.extend(taken.names);
    }
    Ok(names.into_iter().collect())
}

/// The fields that `json` holds as a template sees them; none of what is no JSON object.
pub fn event_value(json: &str) -> Value {
    match serde_json::from_str(json) {
        Ok(object @ serde_json::Value::Object(_)) => value(object),
        _ => object(BTreeMap::new()),
    }
}

fn value(json: serde_json::Value) -> Value {
    use serde_json::Value as Json;
    match json {
        // Prints as nothing, as a field does that is not there.
        Json::Null => Value::from(""),
        Json::Bool(value) => Value::Bool(value),
        Json::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(number), _) => Value::Int(number),
            (None, Some(number)) => Value::Float(number),
            (None, None) => Value::from(number.to_string()),
        },
        Json::String(text) => Value::from(text),
        Json::Array(items) => Value::List(List::new(&Type::Any, items.into_iter().map(value).collect())),
        Json::Object(fields) => {
            object(fields.into_iter().map(|(name, field)| (name.into_bytes(), value(field))).collect())
        }
    }
}

fn object(fields: BTreeMap<Vec<u8>, Value>) -> Value {
    Value::Map(Map::new(&Type::Any, fields))
}

impl fmt::Display for WholeEvent {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "template `{}` takes .Event as a whole; name the fields it needs, such as {{{{.Event.service}}}} or \
             {{{{index .Event \"a-b\"}}}}",
            self.source
        )
    }
}

impl std::error::Error for WholeEvent {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::Limits;

    #[test]
    fn fields_are_those_of_all_templates() {
        let fields = event_fields(["{{.Event.b}}{{.Name}}", "{{.Event.a}}{{.Event.b}}", "{{"]);
        assert_eq!(fields, Ok(vec!["a".to_owned(), "b".to_owned()]));
        let error = event_fields(["{{json .Event}}"]).unwrap_err();
        assert!(error.to_string().contains("`{{json .Event}}`"), "{error}");
    }

    #[test]
    fn a_template_sees_the_values() {
        let json = r#"{"a":"x","n":5,"f":0.5,"t":true,"z":null,"o":{"k.l":"deep"},"l":[1,"two"]}"#;
        for (template, text) in [
            ("{{.a}}{{.n}}{{.f}}{{.t}}{{.z}}", "x50.5true"),
            ("{{index .o \"k.l\"}}", "deep"),
            ("{{index .l 1}}", "two"),
            ("{{or .z \"none\"}}", "none"),
            ("{{or .missing \"none\"}}", "none"),
        ] {
            let parsed = Template::parse("t", template, FunctionSet::Docker).unwrap();
            assert_eq!(parsed.render(&event_value(json), Limits::default()).unwrap(), text, "{template}");
        }
        for json in ["", "[]", "{\"a\""] {
            let parsed = Template::parse("t", "{{or .a 1}}", FunctionSet::Docker).unwrap();
            assert_eq!(parsed.render(&event_value(json), Limits::default()).unwrap(), "1", "{json}");
        }
    }
}
