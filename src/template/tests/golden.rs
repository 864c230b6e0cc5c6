//! Every case under `tests/templates` renders as Go rendered it.
//!
//! `tests/templates/README.md` says how the cases are written and how Go rewrites them.

use std::fs;
use std::path::{Path, PathBuf};

use super::contexts;
use crate::template::quote::{Shown, quote, unquote};
use crate::template::{FunctionSet, Limits, Template, Value};

#[test]
fn every_case_renders_as_in_go() {
    assert_cases(|_| true, outcome);
}

/// Holds what becomes of the cases with certain contexts against what Go made of them.
pub fn assert_cases(wanted: impl Fn(&str) -> bool, outcome: impl Fn(&str, &str) -> (String, Vec<u8>)) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/templates");
    let mut files = Vec::new();
    collect(&root, &mut files);
    files.sort();
    let mut wrong = Vec::new();
    let mut count = 0;
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        for case in cases(&text).filter(|case| wanted(case.context)) {
            count += 1;
            let outcome = outcome(case.context, &case.template);
            if outcome != case.expected {
                wrong.push(format!(
                    "{}: {}\n  expected {} {}\n  got      {} {}",
                    file.display(),
                    case.title,
                    case.expected.0,
                    quote(&case.expected.1, Shown::Printable),
                    outcome.0,
                    quote(&outcome.1, Shown::Printable),
                ));
            }
        }
    }
    assert!(count > 0, "no cases under {}", root.display());
    assert!(wrong.is_empty(), "{} of {count} cases:\n{}", wrong.len(), wrong.join("\n"));
}

/// What becomes of a template: a word for it, and the text.
pub fn outcome(context: &str, template: &str) -> (String, Vec<u8>) {
    let functions = if context.starts_with("docker") { FunctionSet::Docker } else { FunctionSet::Go };
    rendered(&contexts::named(context), template, functions)
}

/// What becomes of a template with these data.
pub fn rendered(data: &Value, template: &str, functions: FunctionSet) -> (String, Vec<u8>) {
    let template = match Template::parse("name", template, functions) {
        Ok(template) => template,
        Err(error) => return ("parse error".into(), error.to_string().into_bytes()),
    };
    match template.render_bytes(data, Limits::default()) {
        Ok(bytes) => ("output".into(), bytes),
        Err(error) => ("render error".into(), error.to_string().into_bytes()),
    }
}

struct Case<'a> {
    title: &'a str,
    context: &'a str,
    template: String,
    expected: (String, Vec<u8>),
}

fn cases(text: &str) -> impl Iterator<Item = Case<'_>> {
    text.split("\n=== ").skip(1).map(|case| {
        let case = case.trim_end_matches('\n');
        let (title, body) = case.split_once('\n').unwrap();
        let (source, result) = body.split_once("\n--- ").unwrap();
        let (kind, result) = result.split_once('\n').unwrap_or((result, ""));
        let context = title.split_whitespace().find_map(|word| word.strip_prefix('@'));
        Case {
            title,
            context: context.unwrap_or(""),
            template: String::from_utf8(plain(title, source)).unwrap(),
            expected: (kind.trim_end_matches(" %q").to_owned(), plain(kind, result)),
        }
    })
}

/// A text, which is quoted if its heading says so.
fn plain(heading: &str, text: &str) -> Vec<u8> {
    if heading.ends_with(" %q") { unquote(text).unwrap() } else { text.as_bytes().to_vec() }
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "cases") {
            files.push(path);
        }
    }
}
