//! Evaluates pipelines: functions, methods, fields and variables.

use super::function::{self, Failure, Function};
use super::limits::RenderError;
use super::number::Number;
use super::progress::Progress;
use super::syntax::{Command, Pipe, Place, Word, WordKind};
use super::value::{Signature, Type, Value};

type Result<T> = std::result::Result<T, RenderError>;

/// Finds the value of pipelines, with the variables they see.
pub struct Evaluator<'a> {
    pub progress: Progress<'a>,
    pub variables: Vec<(&'a str, Value)>,
}

impl<'a> Evaluator<'a> {
    pub fn new(progress: Progress<'a>, data: Value) -> Self {
        Self { progress, variables: vec![("$", data)] }
    }

    /// Evaluates a pipeline, and declares or sets its variables.
    pub fn pipe(&mut self, dot: &Value, pipe: &'a Pipe) -> Result<Value> {
        self.progress.enter()?;
        self.progress.at(pipe);
        let mut value = None;
        for command in &pipe.commands {
            // What is handed on has its own type, not `interface {}`.
            value = Some(self.command(dot, command, value)?.into_concrete());
        }
        let value = value.unwrap_or_default();
        for name in &pipe.variables {
            if pipe.assigns {
                self.set(name, value.clone())?;
            } else {
                self.variables.push((name, value.clone()));
            }
        }
        self.progress.leave();
        Ok(value)
    }

    /// Sets the innermost variable of a name.
    pub fn set(&mut self, name: &str, value: Value) -> Result<()> {
        let mut variables = self.variables.iter_mut().rev();
        match variables.find(|(known, _)| *known == name) {
            Some((_, variable)) => {
                *variable = value;
                Ok(())
            }
            None => Err(self.progress.error(&format!("undefined variable: {name}"))),
        }
    }

    /// `piped` is the value of the command before, if there is one.
    fn command(&mut self, dot: &Value, command: &'a Command, piped: Option<Value>) -> Result<Value> {
        let words = command.words.as_slice();
        let Some(first) = words.first() else {
            return Ok(Value::Nil);
        };
        match &first.kind {
            WordKind::Field(fields) => self.field_word(dot, first, fields, words, piped),
            WordKind::Chain { of, fields } => self.chain(dot, first, of, fields, words, piped),
            WordKind::Function(function) => {
                self.progress.at(first);
                self.function(dot, *function, command, words, piped)
            }
            WordKind::Pipe(pipe) => {
                self.refuse_arguments(words, &piped)?;
                self.pipe(dot, pipe)
            }
            WordKind::Variable { name, fields } => self.variable(dot, first, name, fields, words, piped),
            WordKind::Bool(_)
            | WordKind::Dot
            | WordKind::Nil
            | WordKind::Number { .. }
            | WordKind::String { .. } => {
                self.progress.at(first);
                self.refuse_arguments(words, &piped)?;
                self.literal(dot, first)
            }
        }
    }

    fn literal(&mut self, dot: &Value, word: &'a Word) -> Result<Value> {
        self.progress.step()?;
        match &word.kind {
            WordKind::Bool(value) => Ok(Value::Bool(*value)),
            WordKind::String { bytes, .. } => Ok(Value::string(bytes)),
            WordKind::Number { text, number } => self.constant(text, number),
            WordKind::Nil => Err(self.progress.error("nil is not a command")),
            _ => Ok(dot.clone()),
        }
    }

    /// A number where no type is asked for: its form decides.
    fn constant(&self, text: &str, number: &Number) -> Result<Value> {
        let hexadecimal = (text.starts_with("0x") || text.starts_with("0X")) && !text.contains(['p', 'P']);
        let character = text.starts_with('\'');
        match (number.float, number.signed) {
            (Some(value), _) if !hexadecimal && !character && text.contains(['.', 'e', 'E', 'p', 'P']) => {
                Ok(Value::Float(value))
            }
            (_, Some(value)) => Ok(Value::Int(value)),
            _ => Err(self.progress.error(&format!("{text} overflows int"))),
        }
    }

    fn refuse_arguments(&self, words: &[Word], piped: &Option<Value>) -> Result<()> {
        match words.first() {
            Some(first) if words.len() > 1 || piped.is_some() => {
                Err(self.progress.error(&format!("can't give argument to non-function {first}")))
            }
            _ => Ok(()),
        }
    }

    fn field_word(
        &mut self,
        dot: &Value,
        word: &'a Word,
        fields: &'a [String],
        words: &'a [Word],
        piped: Option<Value>,
    ) -> Result<Value> {
        self.progress.at(word);
        self.fields(dot, dot.clone(), word, fields, words, piped)
    }

    fn chain(
        &mut self,
        dot: &Value,
        word: &'a Word,
        of: &'a Word,
        fields: &'a [String],
        words: &'a [Word],
        piped: Option<Value>,
    ) -> Result<Value> {
        self.progress.at(word);
        let receiver = self.argument(dot, None, of)?;
        self.fields(dot, receiver, word, fields, words, piped)
    }

    fn variable(
        &mut self,
        dot: &Value,
        word: &'a Word,
        name: &str,
        fields: &'a [String],
        words: &'a [Word],
        piped: Option<Value>,
    ) -> Result<Value> {
        self.progress.at(word);
        self.progress.step()?;
        let mut variables = self.variables.iter().rev();
        let Some((_, value)) = variables.find(|(known, _)| *known == name) else {
            return Err(self.progress.error(&format!("undefined variable: {name}")));
        };
        let value = value.clone();
        if fields.is_empty() {
            self.refuse_arguments(words, &piped)?;
            return Ok(value);
        }
        self.fields(dot, value, word, fields, words, piped)
    }

    /// `.A.B.C` of a receiver; the last one gets the arguments.
    fn fields(
        &mut self,
        dot: &Value,
        mut receiver: Value,
        word: &'a Word,
        fields: &'a [String],
        words: &'a [Word],
        piped: Option<Value>,
    ) -> Result<Value> {
        let Some((last, before)) = fields.split_last() else {
            return Ok(receiver);
        };
        for field in before {
            receiver = self.field(dot, &receiver, word, field, &[], None)?;
        }
        self.field(dot, &receiver, word, last, words, piped)
    }

    fn field(
        &mut self,
        dot: &Value,
        receiver: &Value,
        word: &'a Word,
        name: &str,
        words: &'a [Word],
        piped: Option<Value>,
    ) -> Result<Value> {
        self.progress.step()?;
        let has_arguments = words.len() > 1 || piped.is_some();
        match receiver.concrete() {
            Value::Nil if matches!(receiver, Value::Nil) => return Ok(Value::Nil),
            Value::Nil => {
                let kind = receiver.type_name();
                return Err(self.progress.error(&format!("nil pointer evaluating {kind}.{name}")));
            }
            Value::Object(object) => {
                let body = object.body();
                if let Some(signature) = body.method(name) {
                    let words = words.get(1..).unwrap_or_default();
                    let arguments = self.arguments(dot, name, &signature, words, piped)?;
                    return body.call(name, &arguments).map_err(|message| {
                        self.progress.at(word);
                        self.progress.error(&format!("error calling {name}: {message}"))
                    });
                }
                if let Some(value) = body.field(name) {
                    if has_arguments {
                        return Err(self
                            .progress
                            .error(&format!("{name} has arguments but cannot be invoked as function")));
                    }
                    return Ok(value);
                }
            }
            Value::Named(named, number) if name == "String" => {
                let words = words.get(1..).unwrap_or_default();
                self.arguments(dot, name, &Signature::of(&[]), words, piped)?;
                return Ok(named.text(*number).into());
            }
            Value::Map(map) => {
                if has_arguments {
                    return Err(self.progress.error(&format!("{name} is not a method but has arguments")));
                }
                return Ok(map.get(name.as_bytes()).unwrap_or_default());
            }
            _ => {}
        }
        let kind = receiver.type_name();
        Err(self.progress.error(&format!("can't evaluate field {name} in type {kind}")))
    }

    fn function(
        &mut self,
        dot: &Value,
        function: Function,
        place: &'a dyn Place,
        words: &'a [Word],
        piped: Option<Value>,
    ) -> Result<Value> {
        self.progress.step()?;
        let name = function.name();
        let words = words.get(1..).unwrap_or_default();
        let signature = function.signature();
        if matches!(function, Function::And | Function::Or) {
            self.check_count(name, &signature, words, &piped)?;
            return self.decide(dot, function == Function::Or, words, piped);
        }
        let arguments = self.arguments(dot, name, &signature, words, piped)?;
        let outcome = if function == Function::Call {
            Err(uncallable(words, &arguments))
        } else {
            function::call(function, &arguments, self.progress.limits.bytes)
        };
        let handled = match function {
            Function::Index | Function::Len | Function::Not | Function::Slice => 0,
            _ => arguments.iter().map(weight).sum(),
        };
        let value = outcome.map_err(|failure| match failure {
            Failure::Message(message) => {
                self.progress.at(place);
                self.progress.error(&format!("error calling {name}: {message}"))
            }
            Failure::TooLarge => self.progress.too_large(),
        })?;
        self.progress.charge(handled)?;
        self.progress.charge(weight(&value))?;
        Ok(value)
    }

    /// `and` and `or`: the first argument that decides, else the last.
    fn decide(&mut self, dot: &Value, by: bool, words: &'a [Word], piped: Option<Value>) -> Result<Value> {
        let mut value = Value::Nil;
        for word in words {
            value = self.argument(dot, Some(Type::Reflected), word)?;
            if value.truth() == by {
                return Ok(value);
            }
        }
        Ok(piped.unwrap_or(value))
    }

    fn check_count(
        &self,
        name: &str,
        signature: &Signature,
        words: &[Word],
        piped: &Option<Value>,
    ) -> Result<()> {
        let fixed = signature.parameters.len();
        let given = words.len() + usize::from(piped.is_some());
        if signature.more.is_none() && given != fixed {
            return Err(self
                .progress
                .error(&format!("wrong number of args for {name}: want {fixed} got {given}")));
        }
        if given < fixed {
            return Err(self.progress.error(&format!(
                "wrong number of args for {name}: want at least {fixed} got {}",
                words.len()
            )));
        }
        Ok(())
    }

    fn arguments(
        &mut self,
        dot: &Value,
        name: &str,
        signature: &Signature,
        words: &'a [Word],
        piped: Option<Value>,
    ) -> Result<Vec<Value>> {
        self.check_count(name, signature, words, &piped)?;
        let kind_of = |index: usize| signature.parameters.get(index).copied().or(signature.more);
        let mut arguments = Vec::with_capacity(words.len() + 1);
        for (index, word) in words.iter().enumerate() {
            arguments.push(self.argument(dot, kind_of(index), word)?);
        }
        if let Some(piped) = piped {
            arguments.push(self.validate(piped, kind_of(words.len()))?);
        }
        Ok(arguments)
    }

    /// Evaluates a word as an argument of a type; of any type, if there is none to be.
    fn argument(&mut self, dot: &Value, kind: Option<Type>, word: &'a Word) -> Result<Value> {
        self.progress.at(word);
        self.progress.step()?;
        let value = match &word.kind {
            WordKind::Dot => dot.clone(),
            WordKind::Nil => {
                return match kind {
                    Some(kind) if !can_be_nil(kind) => {
                        Err(self.progress.error(&format!("cannot assign nil to {kind}")))
                    }
                    _ => Ok(kind.map_or(Value::Nil, Value::zero).into_reflected(kind)),
                };
            }
            WordKind::Field(fields) => self.field_word(dot, word, fields, &[], None)?,
            WordKind::Variable { name, fields } => self.variable(dot, word, name, fields, &[], None)?,
            WordKind::Pipe(pipe) => self.pipe(dot, pipe)?,
            WordKind::Function(function) => self.function(dot, *function, word, &[], None)?,
            WordKind::Chain { of, fields } => self.chain(dot, word, of, fields, &[], None)?,
            WordKind::Bool(_) | WordKind::Number { .. } | WordKind::String { .. } => {
                return self.literal_as(dot, kind, word);
            }
        };
        self.validate(value, kind)
    }

    fn literal_as(&mut self, dot: &Value, kind: Option<Type>, word: &'a Word) -> Result<Value> {
        let kind = kind.unwrap_or(Type::Any);
        let (value, wanted) = match (kind, &word.kind) {
            (Type::Any | Type::Reflected, _) => return self.literal(dot, word),
            (Type::Bool, WordKind::Bool(value)) => (Some(Value::Bool(*value)), "bool"),
            (Type::Bool, _) => (None, "bool"),
            (Type::String, WordKind::String { bytes, .. }) => (Some(Value::string(bytes)), "string"),
            (Type::String, _) => (None, "string"),
            (Type::Int, WordKind::Number { number, .. }) => (number.signed.map(Value::Int), "integer"),
            (Type::Int64, WordKind::Number { number, .. }) => (number.signed.map(Value::Int64), "integer"),
            (Type::Named(named), WordKind::Number { number, .. }) => {
                (number.signed.map(|number| Value::Named(named, number)), "integer")
            }
            (Type::Int | Type::Int64 | Type::Named(_), _) => (None, "integer"),
            (Type::Byte, WordKind::Number { number, .. }) => {
                // Go cuts what does not fit.
                let byte = number.unsigned.map(|value| value.to_le_bytes()[0]);
                (byte.map(Value::Byte), "unsigned integer")
            }
            (Type::Byte, _) => (None, "unsigned integer"),
            (Type::Float, WordKind::Number { number, .. }) => (number.float.map(Value::Float), "float"),
            (Type::Float, _) => (None, "float"),
            (Type::List(_) | Type::Map(_) | Type::Struct(_) | Type::Pointer(_) | Type::Function(_), _) => {
                return Err(self.progress.error(&format!("can't handle {word} for arg of type {kind}")));
            }
        };
        value.ok_or_else(|| self.progress.error(&format!("expected {wanted}; found {word}")))
    }

    /// The value as one of the type, or why it is none.
    fn validate(&self, value: Value, kind: Option<Type>) -> Result<Value> {
        let Some(kind) = kind else {
            return Ok(value);
        };
        if matches!(value, Value::Nil) {
            return if can_be_nil(kind) {
                Ok(Value::zero(kind).into_reflected(Some(kind)))
            } else {
                Err(self.progress.error(&format!("invalid value; expected {kind}")))
            };
        }
        if matches!(kind, Type::Reflected | Type::Any) || value.kind() == Some(kind) {
            return Ok(value);
        }
        let value = match value {
            Value::Any(inner) if !matches!(*inner, Value::Nil) => *inner,
            value => value,
        };
        match (&value, kind) {
            _ if value.kind() == Some(kind) => Ok(value),
            (Value::Object(object), Type::Struct(name))
                if object.is_pointer() && object.body().name() == name =>
            {
                Ok(Value::Object(object.target()))
            }
            _ => Err(self
                .progress
                .error(&format!("wrong type for value; expected {kind}; got {}", value.type_name()))),
        }
    }
}

/// What `call` says of its argument, which in a template never is a function.
fn uncallable(words: &[Word], arguments: &[Value]) -> Failure {
    let callee = arguments.first().unwrap_or(&Value::Nil).concrete();
    if matches!(callee, Value::Nil) {
        return Failure::from("call of nil");
    }
    let kind = callee.type_name();
    let name = match (words.first(), callee) {
        (Some(word), _) => word.to_string(),
        (None, Value::String(text)) => super::characters::to_text(text),
        (None, _) => format!("<{kind} Value>"),
    };
    Failure::Message(format!("non-function {name} of type {kind}"))
}

fn can_be_nil(kind: Type) -> bool {
    matches!(
        kind,
        Type::Any | Type::List(_) | Type::Map(_) | Type::Pointer(_) | Type::Function(_) | Type::Reflected
    )
}

/// Bytes a function goes through to use a value.
fn weight(value: &Value) -> usize {
    match value {
        Value::String(bytes) => bytes.len(),
        Value::List(list) => list.items().iter().map(|item| 16 + weight(item)).sum(),
        Value::Map(map) => map.entries().map(|(key, item)| 16 + key.len() + weight(item)).sum(),
        Value::Any(value) => weight(value),
        Value::Nil
        | Value::Bool(_)
        | Value::Int(_)
        | Value::Int64(_)
        | Value::Byte(_)
        | Value::Named(..)
        | Value::Float(_)
        | Value::Object(_) => 16,
    }
}
