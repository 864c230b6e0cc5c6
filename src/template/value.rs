//! What a template works on: values with the Go types they stand for.
//!
//! Types matter where Go shows them: in errors, in `%T`, and in which arguments a function takes.

use std::collections::BTreeMap;
use std::fmt::{self, Debug, Display, Formatter};
use std::sync::Arc;

use super::named::Named;

/// A value a template can name, print or pass on.
#[derive(Clone, Debug, Default)]
pub enum Value {
    /// No value: an untyped `nil`, or a key that is not there. Prints as `<no value>`.
    #[default]
    Nil,
    Bool(bool),
    Int(i64),
    Int64(i64),
    /// A `uint8`, which is what indexing a string gives.
    Byte(u8),
    /// An integer with a type of its own: `time.Month`.
    Named(Named, i64),
    Float(f64),
    /// Bytes, mostly UTF-8.
    String(Arc<[u8]>),
    List(List),
    Map(Map),
    Object(Object),
    /// A value whose static type is `interface {}`, as an element of a `map[string]interface {}`
    /// has; it holds anything but another of its kind.
    Any(Box<Value>),
}

/// The Go type of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    Bool,
    Int,
    Int64,
    Byte,
    Named(Named),
    Float,
    String,
    /// `interface {}`
    Any,
    /// `[]T`
    List(&'static Type),
    /// `map[string]T`
    Map(&'static Type),
    /// A struct, by its name: `time.Time`.
    Struct(&'static str),
    /// A pointer to a struct of this name.
    Pointer(&'static str),
    /// A function by its Go type; a template can only pass `nil` for it.
    Function(&'static str),
    /// Go's own wrapper around any value, which functions take that treat `nil` and interfaces
    /// apart. Only functions have parameters of it; no value has it.
    Reflected,
}

/// A Go slice: part of a shared array.
#[derive(Clone, Debug)]
pub struct List {
    element: &'static Type,
    /// `None` for a nil slice.
    array: Option<Arc<[Value]>>,
    start: usize,
    length: usize,
    capacity: usize,
}

/// A Go map with string keys, in the order of their bytes.
#[derive(Clone, Debug)]
pub struct Map {
    element: &'static Type,
    /// `None` for a nil map.
    entries: Option<Arc<BTreeMap<Vec<u8>, Value>>>,
}

/// A Go struct, or a pointer to one.
#[derive(Clone, Debug)]
pub struct Object {
    body: Arc<dyn Struct>,
    pointer: bool,
}

/// A Go struct: fields, and methods.
pub trait Struct: Debug + Send + Sync {
    /// The type's name as Go prints it: `logger.Info`.
    fn name(&self) -> &'static str;

    /// The exported fields, in the order of the declaration.
    fn fields(&self) -> Vec<(&'static str, Value)>;

    /// One field; worth its own code where there are many.
    fn field(&self, name: &str) -> Option<Value> {
        let mut fields = self.fields().into_iter();
        fields.find(|(known, _)| *known == name).map(|field| field.1)
    }

    /// What a method takes; `None` if there is no such method.
    fn method(&self, name: &str) -> Option<Signature> {
        let _ = name;
        None
    }

    /// Calls a method with arguments of the types it takes; the error is its message.
    fn call(&self, name: &str, arguments: &[Value]) -> Result<Value, String> {
        let _ = (name, arguments);
        Ok(Value::Nil)
    }

    /// What a `String` method would return; with one, the struct prints as that.
    fn text(&self) -> Option<String> {
        None
    }

    /// What a `GoString` method would return, for `%#v`.
    fn go_text(&self) -> Option<String> {
        None
    }

    /// Whether Go's `==` would find two structs of this type the same; most hold what has no
    /// `==`, and are not asked.
    fn equals(&self, other: &dyn Struct) -> bool {
        let _ = other;
        false
    }

    /// What a `MarshalJSON` method would return.
    fn json(&self) -> Option<String> {
        None
    }
}

/// The parameters of a function or method.
#[derive(Clone, Copy, Debug)]
pub struct Signature {
    pub parameters: &'static [Type],
    /// The type of any number of further arguments.
    pub more: Option<Type>,
}

impl Signature {
    pub const fn of(parameters: &'static [Type]) -> Self {
        Self { parameters, more: None }
    }

    pub const fn variadic(parameters: &'static [Type], more: Type) -> Self {
        Self { parameters, more: Some(more) }
    }
}

impl Value {
    pub fn string(bytes: impl AsRef<[u8]>) -> Self {
        Self::String(Arc::from(bytes.as_ref()))
    }

    /// A `[]string`.
    pub fn strings<S: AsRef<[u8]>>(items: impl IntoIterator<Item = S>) -> Self {
        let items = items.into_iter().map(Self::string).collect();
        Self::List(List::new(&Type::String, items))
    }

    /// A `map[string]string`.
    pub fn string_map<K: AsRef<[u8]>, S: AsRef<[u8]>>(entries: impl IntoIterator<Item = (K, S)>) -> Self {
        let entries =
            entries.into_iter().map(|(key, value)| (key.as_ref().to_vec(), Self::string(value))).collect();
        Self::Map(Map::new(&Type::String, entries))
    }

    pub fn object(body: impl Struct + 'static) -> Self {
        Self::Object(Object { body: Arc::new(body), pointer: false })
    }

    /// A pointer to a struct, which is what Docker and logspout render their templates with.
    pub fn pointer(body: impl Struct + 'static) -> Self {
        Self::Object(Object { body: Arc::new(body), pointer: true })
    }

    /// The static type; `None` where there is no value to have one.
    pub fn kind(&self) -> Option<Type> {
        Some(match self {
            Self::Nil => return None,
            Self::Bool(_) => Type::Bool,
            Self::Int(_) => Type::Int,
            Self::Int64(_) => Type::Int64,
            Self::Byte(_) => Type::Byte,
            Self::Named(named, _) => Type::Named(*named),
            Self::Float(_) => Type::Float,
            Self::String(_) => Type::String,
            Self::List(list) => Type::List(list.element),
            Self::Map(map) => Type::Map(map.element),
            Self::Object(object) if object.pointer => Type::Pointer(object.body.name()),
            Self::Object(object) => Type::Struct(object.body.name()),
            Self::Any(_) => Type::Any,
        })
    }

    /// The type's name, for messages.
    pub fn type_name(&self) -> String {
        self.kind().map_or_else(|| "<nil>".to_owned(), |kind| kind.to_string())
    }

    /// The type's name, of what a pointer points to where it is one.
    pub fn target_type_name(&self) -> String {
        match self.concrete() {
            Self::Object(object) => object.body.name().to_owned(),
            other => other.type_name(),
        }
    }

    /// Whether there is no value, not even a nil of some type.
    pub fn is_untyped_nil(&self) -> bool {
        matches!(self.concrete(), Self::Nil)
    }

    /// The value within, where the static type is `interface {}`.
    pub fn concrete(&self) -> &Self {
        match self {
            Self::Any(value) => value,
            value => value,
        }
    }

    pub fn into_concrete(self) -> Self {
        match self {
            Self::Any(value) => *value,
            value => value,
        }
    }

    /// Whether the value counts as true: anything but the zero of its type.
    pub fn truth(&self) -> bool {
        match self.concrete() {
            Self::Nil | Self::Any(_) => false,
            Self::Bool(value) => *value,
            Self::Int(value) | Self::Int64(value) | Self::Named(_, value) => *value != 0,
            Self::Byte(value) => *value != 0,
            Self::Float(value) => *value != 0.0,
            Self::String(bytes) => !bytes.is_empty(),
            Self::List(list) => !list.is_empty(),
            Self::Map(map) => !map.is_empty(),
            Self::Object(_) => true,
        }
    }

    /// Whether it is no value, or the nil of its type.
    pub fn is_nil(&self) -> bool {
        match self {
            Self::Nil => true,
            Self::Any(value) => matches!(**value, Self::Nil),
            Self::List(list) => list.array.is_none(),
            Self::Map(map) => map.entries.is_none(),
            _ => false,
        }
    }

    /// The zero value of a type, where it has one a template can meet.
    pub fn zero(kind: Type) -> Self {
        match kind {
            Type::Bool => Self::Bool(false),
            Type::Int => Self::Int(0),
            Type::Int64 => Self::Int64(0),
            Type::Byte => Self::Byte(0),
            Type::Named(named) => Self::Named(named, 0),
            Type::Float => Self::Float(0.0),
            Type::String => Self::string(""),
            Type::List(element) => Self::List(List::nil(element)),
            Type::Map(element) => Self::Map(Map::nil(element)),
            Type::Any => Self::Any(Box::new(Self::Nil)),
            Type::Struct(_) | Type::Pointer(_) | Type::Function(_) | Type::Reflected => Self::Nil,
        }
    }

    /// A function that takes Go's wrapper gets no value at all for `nil`, not an empty interface.
    pub fn into_reflected(self, kind: Option<Type>) -> Self {
        match kind {
            Some(Type::Any | Type::Reflected) => self.into_concrete(),
            _ => self,
        }
    }

    /// The value as an element of a container, where it has the container's static type.
    fn held_as(&self, element: Type) -> Self {
        match (element, self) {
            (Type::Any, Self::Any(_)) => self.clone(),
            (Type::Any, value) => Self::Any(Box::new(value.clone())),
            (_, value) => value.clone(),
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::string(text)
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::string(text)
    }
}

impl List {
    pub fn new(element: &'static Type, items: Vec<Value>) -> Self {
        let length = items.len();
        Self { element, array: Some(items.into()), start: 0, length, capacity: length }
    }

    pub fn nil(element: &'static Type) -> Self {
        Self { element, array: None, start: 0, length: 0, capacity: 0 }
    }

    pub fn len(&self) -> usize {
        self.length
    }

    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// How far a slice of this slice may reach.
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    pub fn get(&self, index: usize) -> Option<Value> {
        let item = self.items().get(index)?;
        Some(item.held_as(*self.element))
    }

    /// The items as they are stored: without the container's static type.
    pub fn items(&self) -> &[Value] {
        self.array
            .as_deref()
            .and_then(|array| array.get(self.start..self.start + self.length))
            .unwrap_or_default()
    }

    /// `list[from:to:limit]`; the caller has checked that they are in order and in range.
    pub fn slice(&self, from: usize, to: usize, limit: usize) -> Self {
        Self {
            element: self.element,
            array: self.array.clone(),
            start: self.start + from,
            length: to.saturating_sub(from),
            capacity: limit.saturating_sub(from),
        }
    }

    pub fn element(&self) -> Type {
        *self.element
    }
}

impl Map {
    pub fn new(element: &'static Type, entries: BTreeMap<Vec<u8>, Value>) -> Self {
        Self { element, entries: Some(Arc::new(entries)) }
    }

    pub fn nil(element: &'static Type) -> Self {
        Self { element, entries: None }
    }

    pub fn len(&self) -> usize {
        self.entries.as_ref().map_or(0, |entries| entries.len())
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub fn get(&self, key: &[u8]) -> Option<Value> {
        let value = self.entries.as_ref()?.get(key)?;
        Some(value.held_as(*self.element))
    }

    /// The entries as they are stored: without the container's static type.
    pub fn entries(&self) -> impl Iterator<Item = (&[u8], &Value)> {
        self.entries.iter().flat_map(|entries| entries.iter()).map(|(key, value)| (key.as_slice(), value))
    }

    /// The entries with the container's static type.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], Value)> {
        self.entries().map(|(key, value)| (key, value.held_as(*self.element)))
    }

    pub fn element(&self) -> Type {
        *self.element
    }
}

impl Object {
    pub fn body(&self) -> &dyn Struct {
        &*self.body
    }

    pub fn is_pointer(&self) -> bool {
        self.pointer
    }

    /// The struct itself, where this is a pointer to it.
    pub fn target(&self) -> Self {
        Self { body: Arc::clone(&self.body), pointer: false }
    }

    /// Whether both are pointers to the very same struct.
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.body, &other.body)
    }
}

impl Display for Type {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool => formatter.write_str("bool"),
            Self::Int => formatter.write_str("int"),
            Self::Int64 => formatter.write_str("int64"),
            Self::Byte => formatter.write_str("uint8"),
            Self::Named(named) => formatter.write_str(named.name()),
            Self::Float => formatter.write_str("float64"),
            Self::String => formatter.write_str("string"),
            Self::Any => formatter.write_str("interface {}"),
            Self::List(element) => write!(formatter, "[]{element}"),
            Self::Map(element) => write!(formatter, "map[string]{element}"),
            Self::Struct(name) | Self::Function(name) => formatter.write_str(name),
            Self::Pointer(name) => write!(formatter, "*{name}"),
            Self::Reflected => formatter.write_str("reflect.Value"),
        }
    }
}
