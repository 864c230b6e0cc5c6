//! `cloudspout check`: what is wrong is said before anything runs.

use cloudspout_tests::peers::free_port;
use cloudspout_tests::program::{Outcome, Program, REGION};
use cloudspout_tests::strict::Strict;

use crate::{Config, TOP};

fn check(config: &Config, options: &[&str]) -> Outcome {
    let path = config.path();
    let arguments = ["--log-level", "error", path.to_str().expect("UTF-8")];
    Program::new("check").args(&arguments).args(options).env("AWS_REGION", REGION).finish()
}

fn tenant(name: &str, rest: &str) -> String {
    format!("[[tenant]]\nname = '{name}'\nmatch-name = ['{name}-*']\n{rest}\n")
}

#[test]
fn errors_are_told_with_their_place() {
    for (text, words) in [
        (tenant("a", "flush-after = 'soon'"), ["cloudspout.toml:6:1: tenant \"a\": ", "soon"]),
        (tenant("a", "bufer = 1"), ["cloudspout.toml:6:1: ", "did you mean \"buffer\"?"]),
        (tenant("a", "group = 1979-05-27"), ["cloudspout.toml:6:9: ", "group"]),
        (tenant("a", "="), ["cloudspout.toml:6:1: ", ""]),
        (tenant("a", "max-memory = '16MiB'"), ["cloudspout.toml:3:1: ", "max-memory"]),
    ] {
        let config = Config::new(&format!("{TOP}{text}"));
        check(&config, &[]).assert_complaint(3, &words);
    }
}

#[test]
fn each_tenant_is_looked_at_by_the_component_itself() {
    let config = Config::new(&format!(
        "{TOP}{}{}{}{}",
        tenant("good", "group = '/t/{{.Name}}'\nconfine = '/t/'"),
        tenant("template", "group = '/t/{{.Nam'"),
        tenant("region", "region = 'nowhere'"),
        tenant("confined", "group = '/other/{{.Name}}'\nconfine = '/t/'"),
    ));
    let outcome = check(&config, &[]).assert_code(3);
    let lines: Vec<&str> = outcome.stdout.lines().collect();
    assert_eq!(lines.len(), 4, "{}", outcome.stdout);
    for (line, words) in lines.iter().zip([
        ["tenant \"good\": good", "eu-central-1"],
        ["tenant \"template\": ", "group"],
        ["tenant \"region\": ", "nowhere"],
        ["tenant \"confined\": ", "/t/"],
    ]) {
        for word in words {
            assert!(line.contains(word), "{word:?} is not in {line}");
        }
    }
}

#[test]
fn online_credentials_endpoint_and_permissions_are_tried_and_nothing_is_changed() {
    let online = |strict: &str, rest: &str| {
        let config =
            Config::new(&format!("{TOP}{}", tenant("a", &format!("endpoint-url = '{strict}'\n{rest}"))));
        check(&config, &["--online"])
    };
    let strict = Strict::start();
    let outcome = online(&strict.url(), "group = '/t/{{.Name}}'").assert_code(0);
    assert!(outcome.stdout.contains("tried"), "{}", outcome.stdout);
    let journal = strict.stop();
    assert_eq!((journal.count("PutLogEvents"), journal.count("CreateLogGroup")), (1, 0));
    assert!(journal.0.iter().all(|request| request.stored.is_empty()));

    for (plan, code) in
        [("any@*=denied", 6), ("stream@*=denied", 6), ("any@*=unrecognized", 5), ("any@*=not-aws", 7)]
    {
        let strict = Strict::with_plan(plan);
        let outcome = online(&strict.url(), "").assert_code(code);
        assert!(outcome.stdout.starts_with("tenant \"a\": "), "{plan}: {}", outcome.stdout);
    }
    online(&format!("http://127.0.0.1:{}", free_port()), "").assert_code(7);
    let strict = Strict::start();
    let nowhere = "access-key-id-from = 'env:NONE'\nsecret-access-key-from = 'file:/nowhere'";
    let outcome = online(&strict.url(), nowhere).assert_code(5);
    assert!(outcome.stdout.contains("NONE") || outcome.stdout.contains("/nowhere"), "{}", outcome.stdout);
}
