//! Text with attributes in it: `{request.method} {request.path}`.

use super::attribute::{Attribute, Attributes, Form, Place};

/// A text that can be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Constant(Vec<u8>),
    Attribute(Attribute),
}

/// What stands for an attribute that a request does not have, as in Envoy's own logs.
const MISSING: &[u8] = b"-";

impl Template {
    /// Reads a text. `{{` and `}}` stand for one brace each.
    ///
    /// # Errors
    /// For braces that do not match, and for attributes that are not known in that place.
    pub fn parse(text: &str, place: Place) -> Result<Template, String> {
        if let Some(operator) = operator_in(text) {
            return Err(format!(
                "`{operator}` is of Envoy's format language; attributes are written as {{request.method}} here"
            ));
        }
        let mut parts = Vec::new();
        let mut constant = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            let (before, brace) = rest.split_at(at);
            constant.push_str(before);
            let position = text.len() - brace.len() + 1;
            if let Some(after) = brace.strip_prefix("{{").or_else(|| brace.strip_prefix("}}")) {
                constant.push_str(brace.get(..1).unwrap_or_default());
                rest = after;
            } else if let Some(inner) = brace.strip_prefix('{') {
                let Some((name, after)) = inner.split_once('}') else {
                    return Err(format!("byte {position}: `{{` without `}}`; a brace itself is `{{{{`"));
                };
                if !constant.is_empty() {
                    parts.push(Part::Constant(std::mem::take(&mut constant).into_bytes()));
                }
                let attribute = Attribute::parse(name.trim(), place);
                parts.push(Part::Attribute(attribute.map_err(|why| format!("byte {position}: {why}"))?));
                rest = after;
            } else {
                return Err(format!("byte {position}: `}}` without `{{`; a brace itself is `}}}}`"));
            }
        }
        constant.push_str(rest);
        if !constant.is_empty() {
            parts.push(Part::Constant(constant.into_bytes()));
        }
        Ok(Template { parts })
    }

    /// Whether an attribute of this name is in it.
    pub fn has(&self, name: &str) -> bool {
        self.parts.iter().any(|part| matches!(part, Part::Attribute(attribute) if attribute.name() == name))
    }

    /// The attribute that is all of it, if one is.
    pub fn sole(&self) -> Option<&Attribute> {
        match self.parts.as_slice() {
            [Part::Attribute(attribute)] => Some(attribute),
            _ => None,
        }
    }

    /// Appends the text, as it stands.
    pub fn write(&self, attributes: &impl Attributes, out: &mut Vec<u8>) {
        for part in &self.parts {
            match part {
                Part::Constant(text) => out.extend_from_slice(text),
                Part::Attribute(attribute) => {
                    if !attribute.write(attributes, Form::Text, out) {
                        out.extend_from_slice(MISSING);
                    }
                }
            }
        }
    }

    /// The text, if no attribute of it is missing; else which.
    pub fn whole(&self, attributes: &impl Attributes) -> Result<String, String> {
        let mut out = Vec::new();
        for part in &self.parts {
            match part {
                Part::Constant(text) => out.extend_from_slice(text),
                Part::Attribute(attribute) => {
                    let before = out.len();
                    if !attribute.write(attributes, Form::Text, &mut out) || out.len() == before {
                        return Err(attribute.name());
                    }
                }
            }
        }
        Ok(String::from_utf8_lossy(&out).into_owned())
    }
}

/// A command operator of Envoy's access log formats, such as `%REQ(` or `%PROTOCOL%`.
fn operator_in(text: &str) -> Option<&str> {
    text.match_indices('%').find_map(|(at, _)| {
        let rest = text.get(at + 1..)?;
        let end = rest.find(|next: char| !next.is_ascii_uppercase() && next != '_')?;
        let closed = matches!(rest.as_bytes().get(end), Some(b'%' | b'('));
        if end > 2 && closed { text.get(at..at + end + 2) } else { None }
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Request, request};
    use super::*;
    use proptest::prelude::*;

    fn written(text: &str) -> String {
        let mut out = Vec::new();
        Template::parse(text, Place::Line).unwrap().write(&request(), &mut out);
        String::from_utf8_lossy(&out).into_owned()
    }

    #[test]
    fn attributes_stand_between_what_is_constant() {
        for (text, expected) in [
            ("", ""),
            ("plain", "plain"),
            ("{request.method}", "GET"),
            ("{ request.method } {request.path}!", "GET /a?b=\"c\"!"),
            ("{request.time} {response.code} {response.flags}", "2027-01-15T08:00:05.120Z 503 UH,RFCF"),
            ("{request.duration} ms", "12.345 ms"),
            ("{request.id}/{request.headers.X-Tenant}", "-/blue\u{fffd}"),
            ("{connection.mtls}", "true"),
            ("{metadata.filter_metadata[\"envoy.lb\"].weight:number}", "1.5"),
            ("{{{request.method}}}", "{GET}"),
            ("100% of 50%_", "100% of 50%_"),
        ] {
            assert_eq!(written(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_template_is_refused_with_its_place() {
        for (text, reason) in [
            ("a {request.method", "byte 3: `{` without `}`"),
            ("a } b", "byte 3: `}` without `{`"),
            ("{}", "byte 1: `` is no attribute"),
            ("{request.methd}", "byte 1: `request.methd` is no attribute"),
            ("[%START_TIME%] x", "`%START_TIME%` is of Envoy's format language"),
            ("%REQ(:METHOD)%", "`%REQ(` is of Envoy's format language"),
        ] {
            let error = Template::parse(text, Place::Line).unwrap_err();
            assert!(error.starts_with(reason), "{text}: {error}");
        }
    }

    #[test]
    fn a_name_wants_all_of_its_attributes() {
        let template = Template::parse("a/{xds.node.id}", Place::Name).unwrap();
        assert_eq!(template.whole(&Request(vec![("xds.node.id", b"n1".to_vec())])), Ok("a/n1".into()));
        assert_eq!(template.whole(&Request(vec![("xds.node.id", Vec::new())])), Err("xds.node.id".into()));
        assert_eq!(template.whole(&Request(Vec::new())), Err("xds.node.id".into()));
        assert!(Template::parse("{request.method}", Place::Name).unwrap_err().contains("xds.node.id"));
    }

    proptest! {
        #[test]
        fn no_text_is_too_odd(text in "[{}%a-zA-Z_.:\"\\[\\]é ]{0,40}") {
            if let Ok(template) = Template::parse(&text, Place::Line) {
                template.write(&request(), &mut Vec::new());
            }
        }

        #[test]
        fn doubled_braces_stand_for_themselves(text in "[^%]{0,40}") {
            let doubled = text.replace('{', "{{").replace('}', "}}");
            prop_assert_eq!(written(&doubled), text);
        }
    }
}
