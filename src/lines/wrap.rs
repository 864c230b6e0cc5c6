//! Which fields of its container an event is wrapped with.

use std::fmt;

use serde_json::{Map, Value};

use super::Side;
use super::wrapper::{Tails, Wrapper};

/// How events are wrapped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// They are not.
    #[default]
    Bare,
    /// The text of an event is a string.
    Json,
    /// The same, but for an event that is an object: that stands as one.
    Nested,
}

/// What is known of where a log comes from. What is not known is empty.
#[derive(Clone, Copy, Debug, Default)]
pub struct Origin<'a> {
    pub id: &'a str,
    pub name: &'a str,
    pub image: &'a str,
    pub image_id: &'a str,
    pub hostname: &'a str,
    pub daemon: &'a str,
    pub created: &'a str,
    /// The machine.
    pub host: &'a str,
    pub labels: &'a [(String, String)],
    /// `KEY=value`.
    pub env: &'a [String],
}

/// Events are wrapped, with these fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrap {
    nests: bool,
    fields: Vec<Field>,
}

/// Why events cannot be wrapped so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WrapError {
    /// There is no such field.
    Field(String),
    /// Fields are named, and nothing is wrapped.
    Bare,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Field {
    Plain(Plain),
    Label(String),
    Env(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Plain {
    Stream,
    Name,
    Id,
    FullId,
    Image,
    ImageId,
    Hostname,
    Daemon,
    Created,
    Host,
}

const PLAIN: [(&str, Plain); 10] = [
    ("stream", Plain::Stream),
    ("name", Plain::Name),
    ("id", Plain::Id),
    ("full-id", Plain::FullId),
    ("image", Plain::Image),
    ("image-id", Plain::ImageId),
    ("hostname", Plain::Hostname),
    ("daemon", Plain::Daemon),
    ("created", Plain::Created),
    ("host", Plain::Host),
];
/// What is put in unless something else is asked for.
const USUAL: [Plain; 4] = [Plain::Stream, Plain::Name, Plain::Id, Plain::Image];
/// A value is cut to so many bytes: what is said of an event should leave room for it.
const LONGEST_VALUE: usize = 1_024;
/// The most fields there may be.
const MOST_FIELDS: usize = 64;
/// As Docker shortens them.
const SHORT_ID: usize = 12;

impl Wrap {
    /// `None` where events stay as they are. No fields: the usual ones.
    ///
    /// # Errors
    /// A field is not known, or is of no use.
    pub fn of(form: Form, fields: &[String]) -> Result<Option<Wrap>, WrapError> {
        let nests = match form {
            Form::Bare if fields.is_empty() => return Ok(None),
            Form::Bare => return Err(WrapError::Bare),
            Form::Json => false,
            Form::Nested => true,
        };
        let parsed: Result<Vec<_>, _> = fields.iter().map(|name| Field::parse(name)).collect();
        let mut fields = parsed?;
        if fields.is_empty() {
            fields.extend(USUAL.map(Field::Plain));
        }
        fields.truncate(MOST_FIELDS);
        Ok(Some(Wrap { nests, fields }))
    }

    /// What wraps the events of a log.
    pub fn wrapper(&self, origin: &Origin<'_>) -> Wrapper {
        let tails =
            Tails { stdout: self.tail(origin, Side::Stdout), stderr: self.tail(origin, Side::Stderr) };
        Wrapper::new(tails, self.nests)
    }

    fn tail(&self, origin: &Origin<'_>, side: Side) -> Vec<u8> {
        let mut object = Map::new();
        for field in &self.fields {
            match field {
                Field::Plain(plain) => {
                    let (name, value) = plain.of(origin, side);
                    put(&mut object, name, value);
                }
                Field::Label(key) => {
                    let label = origin.labels.iter().find(|(known, _)| known == key);
                    nest(&mut object, "labels", key, label.map(|(_, value)| value.as_str()));
                }
                Field::Env(key) => {
                    let value = origin.env.iter().find_map(|pair| pair.strip_prefix(key)?.strip_prefix('='));
                    nest(&mut object, "env", key, value);
                }
            }
        }
        let fields = Value::Object(object).to_string();
        match fields.strip_prefix('{') {
            Some("}") | None => b"}".to_vec(),
            Some(rest) => [b",", rest.as_bytes()].concat(),
        }
    }
}

fn put(object: &mut Map<String, Value>, name: &str, value: &str) {
    if !value.is_empty() {
        let cut = value.char_indices().map(|(at, _)| at).take_while(|at| *at <= LONGEST_VALUE).last();
        let end = if value.len() <= LONGEST_VALUE { value.len() } else { cut.unwrap_or(0) };
        object.insert(name.to_owned(), value.get(..end).unwrap_or_default().into());
    }
}

fn nest(object: &mut Map<String, Value>, name: &str, key: &str, value: Option<&str>) {
    let Some(value) = value else { return };
    let inner = object.entry(name).or_insert_with(|| Map::new().into());
    if let Value::Object(inner) = inner {
        put(inner, key, value);
    }
}

impl Field {
    fn parse(name: &str) -> Result<Field, WrapError> {
        let plain = PLAIN.iter().find(|(known, _)| *known == name);
        let keyed =
            |prefix| name.strip_prefix(prefix).filter(|key: &&str| !key.is_empty()).map(str::to_owned);
        let field = plain
            .map(|(_, plain)| Field::Plain(*plain))
            .or_else(|| keyed("labels.").map(Field::Label))
            .or_else(|| keyed("env.").map(Field::Env));
        field.ok_or_else(|| WrapError::Field(name.to_owned()))
    }
}

impl Plain {
    fn of<'a>(self, origin: &Origin<'a>, side: Side) -> (&'static str, &'a str) {
        let name = PLAIN.iter().find(|(_, plain)| *plain == self).map_or("", |(name, _)| *name);
        let value = match self {
            Plain::Stream if side == Side::Stderr => "stderr",
            Plain::Stream => "stdout",
            Plain::Name => origin.name,
            Plain::Id => origin.id.get(..SHORT_ID).unwrap_or(origin.id),
            Plain::FullId => origin.id,
            Plain::Image => origin.image,
            Plain::ImageId => origin.image_id,
            Plain::Hostname => origin.hostname,
            Plain::Daemon => origin.daemon,
            Plain::Created => origin.created,
            Plain::Host => origin.host,
        };
        (name, value)
    }
}

impl fmt::Display for WrapError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            WrapError::Field(name) => {
                write!(out, "`{name}` is no field; there are ")?;
                PLAIN.iter().try_for_each(|(name, _)| write!(out, "{name}, "))?;
                out.write_str("labels.KEY, env.KEY")
            }
            WrapError::Bare => out.write_str("fields are for wrapped events: give --wrap too"),
        }
    }
}

impl std::error::Error for WrapError {}
