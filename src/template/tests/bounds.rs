//! Whatever the template, parsing and rendering end, within bounds and without a panic.

use proptest::prelude::*;

use super::contexts;
use super::golden::outcome;
use crate::template::{Cause, FunctionSet, Limits, Template};

fn limited(template: &str) -> String {
    let template = Template::parse("name", template, FunctionSet::Docker).unwrap();
    let error = template.render(&contexts::named("docker"), Limits::default()).unwrap_err();
    assert_eq!(error.cause(), Cause::Limit, "{error}");
    error.to_string()
}

#[test]
fn many_parentheses_are_refused() {
    let deep = format!("{{{{{}1{}}}}}", "(".repeat(100_000), ")".repeat(100_000));
    let error = Template::parse("name", &deep, FunctionSet::Go).unwrap_err();
    assert_eq!(error.to_string(), "template: name:1: max expression depth exceeded");
}

#[test]
fn a_huge_template_is_refused() {
    let error = Template::parse("name", &"x".repeat(262_145), FunctionSet::Go).unwrap_err();
    assert_eq!(error.to_string(), "template: name:0: more than 262144 bytes");
    assert!(Template::parse("name", &"x".repeat(262_144), FunctionSet::Go).is_ok());
    let error = Template::parse("name", &"{{$x := 1}}".repeat(2_000), FunctionSet::Go).unwrap_err();
    assert_eq!(error.to_string(), "template: name:1: more than 1000 variables");
}

#[test]
fn many_blocks_within_each_other_are_refused() {
    for block in [
        "{{if 1}}",
        "{{with 1}}",
        "{{range 1}}",
        "{{block \"x\" 1}}",
        "{{if 0}}{{else if 1}}",
        "{{if 0}}{{else}}{{if 1}}",
    ] {
        let error = Template::parse("name", &block.repeat(10_000), FunctionSet::Go).unwrap_err();
        assert_eq!(error.to_string(), "template: name:1: max nesting depth exceeded");
    }
}

#[test]
fn the_deepest_template_that_parses_renders() {
    let (open, close) = ("(len (print ".repeat(49), "))".repeat(49));
    let deep = format!("{{{{{open}1{close}}}}}");
    assert_eq!(outcome("", &deep), ("output".into(), b"1".to_vec()));
    let blocks =
        format!("{}{{{{({})}}}}{}", "{{range 1}}{{with 1}}".repeat(48), "(1)", "{{end}}{{end}}".repeat(48));
    assert_eq!(outcome("", &blocks), ("output".into(), b"1".to_vec()));
}

#[test]
fn endless_templates_end() {
    assert!(limited("{{range 1000000000}}{{end}}").contains("more than 100000 steps"));
    assert!(limited("{{range 1000000000}}x{{end}}").contains("steps"));
    assert!(limited("{{range 100}}{{range 100}}{{range 100}}{{end}}{{end}}{{end}}").contains("steps"));
}

#[test]
fn a_template_that_calls_itself_ends() {
    let template = "{{define \"x\"}}{{template \"x\"}}{{end}}{{template \"x\"}}";
    let (kind, message) = outcome("", template);
    assert_eq!(kind, "render error");
    assert_eq!(
        String::from_utf8(message).unwrap(),
        "template: name:1:25: executing \"x\" at <{{template \"x\"}}>: \
         exceeded maximum template depth (100)"
    );
    let wrapped = "{{if 1}}{{with 1}}{{range 1}}".repeat(30);
    let ends = "{{end}}{{end}}{{end}}".repeat(30);
    limited(&format!(
        "{{{{define \"x\"}}}}{wrapped}{{{{template \"x\"}}}}{ends}{{{{end}}}}{{{{template \"x\"}}}}"
    ));
}

#[test]
fn text_that_doubles_is_cut_off() {
    let doubling = "{{$x := \"0123456789\"}}{{range 64}}{{$x = print $x $x}}{{end}}";
    assert!(limited(doubling).contains("more than 65536 bytes of text"));
    for template in [
        "{{printf \"%1000000d\" 1}}",
        "{{printf \"%.1000000d\" 1}}",
        "{{printf \"%.1000000f\" 1.0}}",
        "{{printf \"%1000000s\" \"x\"}}",
        "{{printf \"%.1000000U\" 1}}",
        "{{printf \"%*d\" 1000000 1}}",
        "{{pad \"x\" 9223372036854775807 0}}",
        "{{range 5000}}0123456789abcdef{{end}}",
    ] {
        assert!(limited(template).contains("bytes of text"), "{template}");
    }
    // Nothing is written for these, so there is nothing to refuse.
    assert_eq!(outcome("", "{{printf \"%1000000%|%.1000000s\" \"x\"}}").1, b"%|x");
}

#[test]
fn long_strings_count_as_steps() {
    let template = "{{$x := printf \"%060000d\" 1}}{{range 10000}}{{if eq $x \"\"}}{{end}}{{end}}";
    assert!(limited(template).contains("steps"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_text_is_a_template_or_an_error(text in ".{0,60}") {
        outcome("docker", &text);
        outcome("", &format!("{{{{{text}}}}}"));
    }

    #[test]
    fn any_words_are_a_template_or_an_error(words in proptest::collection::vec(
        prop_oneof![
            Just("{{"), Just("}}"), Just("{{-"), Just("-}}"), Just(" "), Just("\n"), Just("if"),
            Just("else"), Just("end"), Just("range"), Just("with"), Just("define"), Just("block"),
            Just("template"), Just("break"), Just("\"x\""), Just("`y`"), Just("'z'"), Just("("),
            Just(")"), Just("|"), Just("."), Just(".Name"), Just("$"), Just("$x"), Just(":="),
            Just("="), Just(","), Just("1"), Just("-0x1p-2"), Just("nil"), Just("printf"),
            Just("\"%v %d %[2]*.[1]*f %q\""), Just("index"), Just("slice"), Just("and"),
            Just("eq"), Just("split"), Just("/*"), Just("*/"), Just("é"),
        ], 0..40)) {
        outcome("docker", &words.concat());
        outcome("", &format!("{{{{{}}}}}", words.join(" ")));
    }

    #[test]
    fn any_format_prints(format in "[%+\\-# 0-9.*\\[\\]a-zA-Zé]{0,24}") {
        outcome("", &format!("{{{{printf {format:?} 1 -7 \"x\" 2.5 .List .Map .Any .Time nil .}}}}"));
    }
}
