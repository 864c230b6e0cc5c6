//! What cases render with; `contexts.go` beside the cases has the same.

use std::collections::BTreeMap;

use crate::template::Time;
use crate::template::value::{List, Map, Signature, Struct, Type, Value};

pub fn named(name: &str) -> Value {
    match name {
        "docker" => Value::pointer(Info {
            id: "a7317399f3f857173c6179d44823594f8294678dea9999662e5c625b5a1c7657",
            name: "/web-1",
            entrypoint: "/bin/server",
            arguments: Value::strings(["--port", "80", "<a&b>"]),
            image_id: "sha256:d46e8a44f1d7b2a8dd3a2ee5ebb83ae04ae1c94b3b3c2a1d3bc1d1a1f3f1a6b0",
            image_name: "registry.example.com:5000/team/web:1.2.3",
            created: Value::object(CREATED),
            environment: Value::strings(["PATH=/usr/bin:/bin", "STAGE=prod", "EMPTY=", "A=b=c"]),
            labels: Value::string_map([
                ("com.example.team", "blue"),
                ("maintainer", "José <jose@example.com>"),
                ("empty", ""),
                ("tier", "front"),
            ]),
            config: Value::string_map([
                ("tag", "{{.Name}}"),
                ("labels", "com.example.team"),
                ("env", "STAGE"),
            ]),
            log_path: "/var/lib/docker/x.log",
            daemon: "docker",
        }),
        "docker-bare" => Value::pointer(Info {
            id: "short",
            name: "plain",
            entrypoint: "",
            arguments: Value::zero(Type::List(&Type::String)),
            image_id: "",
            image_name: "",
            created: Value::object(Time::ZERO),
            environment: Value::zero(Type::List(&Type::String)),
            labels: Value::zero(Type::Map(&Type::String)),
            config: Value::zero(Type::Map(&Type::String)),
            log_path: "",
            daemon: "",
        }),
        "logspout" => Value::pointer(RenderContext),
        "nil" => Value::Nil,
        "text" => "text".into(),
        "map" => any(),
        _ => Value::pointer(Data),
    }
}

/// 2024-03-01T12:34:56.789Z
const CREATED: Time = Time::new(1_709_296_496, 789_000_000);

#[derive(Debug)]
struct Info {
    id: &'static str,
    name: &'static str,
    entrypoint: &'static str,
    arguments: Value,
    image_id: &'static str,
    image_name: &'static str,
    created: Value,
    environment: Value,
    labels: Value,
    config: Value,
    log_path: &'static str,
    daemon: &'static str,
}

impl Struct for Info {
    fn name(&self) -> &'static str {
        "logger.Info"
    }

    fn fields(&self) -> Vec<(&'static str, Value)> {
        vec![
            ("Config", self.config.clone()),
            ("ContainerID", self.id.into()),
            ("ContainerName", self.name.into()),
            ("ContainerEntrypoint", self.entrypoint.into()),
            ("ContainerArgs", self.arguments.clone()),
            ("ContainerImageID", self.image_id.into()),
            ("ContainerImageName", self.image_name.into()),
            ("ContainerCreated", self.created.clone()),
            ("ContainerEnv", self.environment.clone()),
            ("ContainerLabels", self.labels.clone()),
            ("LogPath", self.log_path.into()),
            ("DaemonName", self.daemon.into()),
        ]
    }

    fn method(&self, name: &str) -> Option<Signature> {
        match name {
            "ID" | "FullID" | "Name" | "ImageID" | "ImageFullID" | "ImageName" | "Command" | "Hostname" => {
                Some(Signature::of(&[]))
            }
            "ExtraAttributes" => Some(Signature::of(&[Type::Function("func(string) string")])),
            _ => None,
        }
    }

    fn call(&self, name: &str, _: &[Value]) -> Result<Value, String> {
        let short = |id: &str| {
            let id = id.split_once(':').map_or(id, |(_, digest)| digest);
            id.get(..12).unwrap_or(id).to_owned()
        };
        Ok(match name {
            "ID" => short(self.id).into(),
            "FullID" => self.id.into(),
            "Name" => self.name.strip_prefix('/').unwrap_or(self.name).into(),
            "ImageID" => short(self.image_id).into(),
            "ImageFullID" => self.image_id.into(),
            "ImageName" => self.image_name.into(),
            "Command" => {
                let mut terms = vec![self.entrypoint.to_owned()];
                if let Value::List(list) = &self.arguments {
                    terms.extend(list.items().iter().map(text));
                }
                terms.join(" ").into()
            }
            "Hostname" if self.log_path.is_empty() => {
                return Err("logger: can not resolve hostname: no name".to_owned());
            }
            "Hostname" => "host-1".into(),
            _ => Value::string_map([("com.example.team", "blue"), ("STAGE", "prod")]),
        })
    }
}

#[derive(Debug)]
struct RenderContext;

impl Struct for RenderContext {
    fn name(&self) -> &'static str {
        "cloudwatch.RenderContext"
    }

    fn fields(&self) -> Vec<(&'static str, Value)> {
        vec![
            ("Host", "web-1.internal".into()),
            ("Env", Value::string_map([("STAGE", "prod"), ("EMPTY", ""), ("LOGSPOUT_GROUP", "x")])),
            ("Labels", self.labels()),
            ("Name", "web-1".into()),
            ("ID", "a7317399f3f857173c6179d44823594f8294678dea9999662e5c625b5a1c7657".into()),
            ("LoggerHost", "ip-10-0-0-7".into()),
            ("InstanceID", "i-0123456789abcdef0".into()),
            ("Region", "us-east-1".into()),
        ]
    }

    fn method(&self, name: &str) -> Option<Signature> {
        (name == "Lbl").then(|| Signature::of(&[Type::String]))
    }

    fn call(&self, _: &str, arguments: &[Value]) -> Result<Value, String> {
        let key = arguments.first().map(text).unwrap_or_default();
        let Value::Map(labels) = self.labels() else { unreachable!() };
        labels.get(key.as_bytes()).ok_or_else(|| format!("ERROR reading container label {key}"))
    }
}

impl RenderContext {
    fn labels(&self) -> Value {
        Value::string_map([("com.example.team", "blue"), ("tier", "front")])
    }
}

#[derive(Debug)]
struct Inner(&'static str, i64);

impl Struct for Inner {
    fn name(&self) -> &'static str {
        "main.Inner"
    }

    fn fields(&self) -> Vec<(&'static str, Value)> {
        vec![("Value", self.0.into()), ("Depth", Value::Int(self.1))]
    }

    fn equals(&self, other: &dyn Struct) -> bool {
        format!("{self:?}") == format!("{other:?}")
    }

    fn method(&self, name: &str) -> Option<Signature> {
        (name == "Show").then(|| Signature::of(&[]))
    }

    fn call(&self, _: &str, _: &[Value]) -> Result<Value, String> {
        Ok(format!("{}!", self.0).into())
    }
}

#[derive(Debug)]
struct Data;

impl Struct for Data {
    fn name(&self) -> &'static str {
        "main.Data"
    }

    fn fields(&self) -> Vec<(&'static str, Value)> {
        let lists = [vec!["a", "b"], vec![], vec!["c"]];
        let maps = ["first", "second"].map(|n| Value::string_map([("n", n)]));
        let floats = [0.5, 100.0, 1e21, 1e-7].map(Value::Float);
        vec![
            ("Name", "web".into()),
            ("Empty", "".into()),
            ("Count", Value::Int(3)),
            ("Zero", Value::Int(0)),
            ("Minus", Value::Int(-7)),
            ("Large", Value::Int64(1 << 40)),
            ("Ratio", Value::Float(2.5)),
            ("Yes", Value::Bool(true)),
            ("No", Value::Bool(false)),
            ("List", Value::strings(["one", "two", "three"])),
            ("None", Value::zero(Type::List(&Type::String))),
            ("Blank", Value::strings([""; 0])),
            ("Map", Value::string_map([("b", "2"), ("a", "1"), ("empty", ""), ("x y", "3")])),
            ("NilMap", Value::zero(Type::Map(&Type::String))),
            ("Any", any()),
            (
                "Anys",
                anys(vec!["s".into(), Value::Int(7), Value::Bool(false), Value::Nil, Value::strings(["u"])]),
            ),
            ("Numbers", list(&Type::Int, [3, 1, 2].map(Value::Int))),
            ("Floats", list(&Type::Float, floats)),
            ("Lists", list(&Type::List(&Type::String), lists.map(Value::strings))),
            ("Maps", list(&Type::Map(&Type::String), maps)),
            ("Inner", Value::object(Inner("in", 1))),
            ("Pointer", Value::pointer(Inner("at", 2))),
            ("Held", Value::Any(Box::new("held".into()))),
            ("Nothing", Value::Any(Box::new(Value::Nil))),
            ("Unicode", "héllo 日本 😀".into()),
            ("Stray", Value::string(b"a\xffb\xc3")),
            ("Html", "<a href=\"x\">'&'</a>".into()),
            ("Time", Value::object(CREATED)),
        ]
    }

    fn method(&self, name: &str) -> Option<Signature> {
        Some(match name {
            "Greet" => Signature::of(&[Type::String]),
            "Add" => Signature::of(&[Type::Int, Type::Int]),
            "Wide" => Signature::of(&[Type::Int64]),
            "Small" => Signature::of(&[Type::Byte]),
            "Half" => Signature::of(&[Type::Float]),
            "Flip" => Signature::of(&[Type::Bool]),
            "Glue" => Signature::of(&[Type::List(&Type::String)]),
            "Keys" => Signature::of(&[Type::Map(&Type::String)]),
            "Type" => Signature::of(&[Type::Any]),
            "Look" => Signature::of(&[Type::Struct("main.Inner")]),
            "Apply" => Signature::of(&[Type::Function("func(string) string")]),
            "Sum" => Signature::variadic(&[Type::Int], Type::Int),
            "Fail" | "Itself" => Signature::of(&[]),
            _ => return None,
        })
    }

    fn call(&self, name: &str, arguments: &[Value]) -> Result<Value, String> {
        let int = |value: &Value| match value.concrete() {
            Value::Int(number) | Value::Int64(number) => *number,
            _ => 0,
        };
        Ok(match (name, arguments) {
            ("Greet", [name]) => format!("hello {}", text(name)).into(),
            ("Add" | "Sum", numbers) => Value::Int(numbers.iter().map(int).fold(0, i64::wrapping_add)),
            ("Wide", [number]) => Value::Int64(int(number).wrapping_mul(2)),
            ("Small", [number]) => number.clone(),
            ("Half", [Value::Float(number)]) => Value::Float(number / 2.0),
            ("Flip", [Value::Bool(truth)]) => Value::Bool(!truth),
            ("Glue", [Value::List(items)]) => {
                let items: Vec<_> = items.items().iter().map(text).collect();
                items.join("+").into()
            }
            ("Keys", [Value::Map(map)]) => Value::Int(map.len() as i64),
            ("Type", [value]) => value.concrete().type_name().into(),
            ("Look", [Value::Object(inner)]) => inner.body().field("Value").unwrap_or_default(),
            ("Apply", _) => Value::Bool(true),
            ("Fail", _) => return Err("it broke: 100%".to_owned()),
            _ => Value::pointer(Self),
        })
    }
}

fn any() -> Value {
    let inner = entries([("k", "v".into()), ("n", Value::Int(1))]);
    entries([
        ("text", "words".into()),
        ("number", Value::Int(42)),
        ("float", Value::Float(1.5)),
        ("true", Value::Bool(true)),
        ("nil", Value::Nil),
        ("list", anys(vec![Value::Int(1), "two".into(), Value::Nil, Value::Float(3.5)])),
        ("map", inner),
        ("strings", Value::strings(["p", "q"])),
    ])
}

fn entries<const N: usize>(entries: [(&str, Value); N]) -> Value {
    let entries: BTreeMap<_, _> =
        entries.into_iter().map(|(key, value)| (key.as_bytes().to_vec(), value)).collect();
    Value::Map(Map::new(&Type::Any, entries))
}

fn anys(items: Vec<Value>) -> Value {
    Value::List(List::new(&Type::Any, items))
}

fn list<const N: usize>(element: &'static Type, items: [Value; N]) -> Value {
    Value::List(List::new(element, items.into()))
}

fn text(value: &Value) -> String {
    match value.concrete() {
        Value::String(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        _ => String::new(),
    }
}
