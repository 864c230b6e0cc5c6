//! Templates of every kind: neither reading nor rendering one panics, hangs or makes more than it may.

#![no_main]

use std::sync::Arc;

use cloudspout::naming::{Container, Machine, Mode, Names, NamingOptions};
use cloudspout::template::{FunctionSet, Limits, Template, Value};
use libfuzzer_sys::fuzz_target;

const LIMITS: Limits = Limits { steps: 2_000, bytes: 4_096, templates: 10 };

fuzz_target!(|source: &str| {
    let data =
        Value::string_map([("Name", "web"), ("ID", "0123456789ab"), ("Empty", ""), ("Odd", "ü\u{1f642}\n")]);
    for functions in [FunctionSet::Go, FunctionSet::Docker] {
        let Ok(template) = Template::parse("fuzz", source, functions) else { continue };
        if let Ok(text) = template.render_bytes(&data, LIMITS) {
            assert!(text.len() <= LIMITS.bytes, "{} bytes", text.len());
        }
    }
    let machine = Machine {
        host_name: "node".to_owned(),
        region: "eu-central-1".to_owned(),
        instance_id: String::new(),
    };
    let container = Container {
        id: "0123456789abcdef".repeat(4),
        name: "web".to_owned(),
        env: vec!["A=1".to_owned(), "B".to_owned()],
        labels: vec![("team".to_owned(), "a:b*".to_owned())],
        ..Container::default()
    };
    let container = Arc::new(container);
    for mode in [Mode::Own, Mode::Awslogs, Mode::Logspout] {
        let options = NamingOptions { mode, ..NamingOptions::default() };
        let Ok(names) = Names::parse("group", source, &options, machine.clone()) else { continue };
        let Ok(destinations) = names.of(&container).destinations else { panic!("nothing confines it") };
        let stream = destinations.stdout.destination.stream();
        assert!((1..=512).contains(&stream.chars().count()) && !stream.contains([':', '*']), "{stream:?}");
    }
});
