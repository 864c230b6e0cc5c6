//! From the attributes of a request to the text of an event.
//!
//! The operator's line is read once, into the attributes that it names and what stands between them.
//! Writing it asks Envoy for those attributes and no others: each costs a call into Envoy.

mod attribute;
mod form;
mod object;
mod template;

pub use attribute::{Attribute, Attributes, Place, WORKER};
pub use form::Form;
pub use object::Object;
pub use template::Template;

/// How an event is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    Text(Template),
    Object(Object),
}

/// What is logged of a request unless the operator says otherwise.
const USUAL: [(&str, &str); 11] = [
    ("method", "{request.method}"),
    ("host", "{request.host}"),
    ("path", "{request.path}"),
    ("status", "{response.code}"),
    ("flags", "{response.flags}"),
    ("duration_ms", "{request.duration}"),
    ("bytes_received", "{request.size}"),
    ("bytes_sent", "{response.size}"),
    ("client", "{source.address}"),
    ("upstream", "{upstream.address}"),
    ("request_id", "{request.id}"),
];

impl Line {
    /// # Errors
    /// For what is no template, and for attributes that Envoy does not have.
    pub fn of(form: &Form) -> Result<Line, String> {
        match form {
            Form::Text(text) => Template::parse(text, Place::Line).map(Line::Text),
            Form::Object(fields) => Object::of(fields).map(Line::Object),
            Form::Null | Form::Truth(_) | Form::Number(_) | Form::List => {
                Err("write a text with {attributes}, or an object of names and {attributes}".to_owned())
            }
        }
    }

    /// The line that is written where none is chosen.
    ///
    /// # Errors
    /// Never: a test holds that it can be read.
    pub fn usual() -> Result<Line, String> {
        let fields = USUAL.map(|(name, text)| (name.to_owned(), Form::Text(text.to_owned())));
        Object::of(&fields).map(Line::Object)
    }

    /// Appends the line of the request at hand.
    pub fn write(&self, attributes: &impl Attributes, out: &mut Vec<u8>) {
        match self {
            Line::Text(template) => template.write(attributes, out),
            Line::Object(object) => object.write(attributes, out),
        }
    }
}

#[cfg(test)]
pub(crate) mod testing {
    use super::Attributes;

    /// Attributes by name, as Envoy hands them over.
    pub struct Request(pub Vec<(&'static str, Vec<u8>)>);

    impl Attributes for Request {
        fn read(&self, path: &[u8]) -> Option<Vec<u8>> {
            let name = String::from_utf8(path.to_vec()).unwrap().replace('\0', ".");
            self.0.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone())
        }
    }

    pub fn int(value: i64) -> Vec<u8> {
        value.to_le_bytes().to_vec()
    }

    /// A request that was answered.
    pub fn request() -> Request {
        Request(vec![
            ("request.method", b"GET".to_vec()),
            ("request.path", b"/a?b=\"c\"".to_vec()),
            ("request.host", b"shop".to_vec()),
            ("request.headers.x-tenant", b"blue\xff".to_vec()),
            ("request.time", int(1_800_000_005_120_000_000)),
            ("request.duration", int(12_345_678)),
            ("request.size", int(0)),
            ("response.code", int(503)),
            ("response.flags", int(0x2 | 0x10_0000)),
            ("response.size", int(91)),
            ("connection.mtls", vec![1]),
            ("metadata.filter_metadata.envoy.lb.weight", 1.5f64.to_le_bytes().to_vec()),
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::testing::{Request, request};
    use super::*;

    fn written(line: &Line, attributes: &Request) -> String {
        let mut out = Vec::new();
        line.write(attributes, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_usual_line_holds_what_there_is() {
        assert_eq!(
            written(&Line::usual().unwrap(), &request()),
            r#"{"method":"GET","host":"shop","path":"/a?b=\"c\"","status":503,"flags":"UH,RFCF","duration_ms":12.345,"bytes_received":0,"bytes_sent":91}"#
        );
        assert_eq!(written(&Line::usual().unwrap(), &Request(Vec::new())), "{}");
    }

    #[test]
    fn a_line_is_a_text_or_an_object() {
        for json in ["null", "true", "7", "[]"] {
            let form = serde_json::from_str(json).unwrap();
            assert!(Line::of(&form).unwrap_err().contains("write a text"), "{json}");
        }
    }
}
