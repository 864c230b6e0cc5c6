//! Reads arguments, and the environment for what they leave out.

use std::fmt;

use super::environment::Environment;
use super::options::{Command, Default, ENTRIES, Entry};

/// What the arguments say to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    Ship(Box<Command>),
    Help,
    Version,
}

/// What is wrong with the command line, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsageError(String);

/// Reads `arguments`, which come without the program's own name. `seed` is of chance.
///
/// # Errors
/// For what is no option, is given twice, lacks its value or has a wrong one, or is missing.
pub fn parse(arguments: &[String], environment: &Environment, seed: u64) -> Result<Said, UsageError> {
    let given = match given(arguments)? {
        Given::Options(given) => given,
        Given::Help => return Ok(Said::Help),
        Given::Version => return Ok(Said::Version),
    };
    let host_name = environment.get("HOSTNAME").unwrap_or("localhost");
    let mut command = Command::blank(host_name, seed);
    for entry in &ENTRIES {
        let argument = given.iter().find(|(name, _)| *name == entry.name).map(|(_, value)| *value);
        let (from, value) = match (argument, entry.set_in(environment), &entry.default) {
            (Some(value), _, _) => (entry.name, value),
            (None, Some(found), _) => found,
            (None, None, Default::Value(value)) => (entry.name, *value),
            (None, None, Default::Absent) => continue,
            (None, None, Default::Required) => return Err(entry.missing()),
        };
        (entry.set)(&mut command, value)
            .map_err(|problem| UsageError(format!("{from} `{value}`: {problem}")))?;
    }
    Ok(Said::Ship(Box::new(command)))
}

enum Given<'a> {
    Options(Vec<(&'static str, &'a str)>),
    Help,
    Version,
}

/// Options and their values, as `--name value` or `--name=value`.
fn given(arguments: &[String]) -> Result<Given<'_>, UsageError> {
    let mut given: Vec<(&'static str, &str)> = Vec::new();
    let mut arguments = arguments.iter().map(String::as_str);
    while let Some(argument) = arguments.next() {
        match argument {
            "-h" | "--help" => return Ok(Given::Help),
            "-V" | "--version" => return Ok(Given::Version),
            _ => {}
        }
        let (name, value) = match argument.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (argument, None),
        };
        let Some(entry) = ENTRIES.iter().find(|entry| entry.name == name) else {
            return Err(UsageError(format!("`{name}` is no option; --help lists them")));
        };
        let value = value.or_else(|| arguments.next());
        let value = value.ok_or_else(|| UsageError(format!("{name} needs a value: {}", entry.usage())))?;
        if given.iter().any(|(known, _)| *known == entry.name) {
            return Err(UsageError(format!("{name} is given twice")));
        }
        given.push((entry.name, value));
    }
    Ok(Given::Options(given))
}

impl Entry {
    /// How it is written.
    pub fn usage(&self) -> String {
        format!("{} <{}>", self.name, self.value)
    }

    fn set_in<'a>(&self, environment: &'a Environment) -> Option<(&'static str, &'a str)> {
        self.variables.iter().find_map(|name| Some((*name, environment.get(name)?)))
    }

    fn missing(&self) -> UsageError {
        let variables = self.variables.join(" or ");
        UsageError(format!("{} is missing; {variables} in the environment will do too", self.usage()))
    }
}

impl fmt::Display for UsageError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl std::error::Error for UsageError {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lines::{Framing, WrapForm};
    use crate::settings::{Compression, Options};
    use crate::shipper::Severity;
    use crate::time::Millis;

    fn said(arguments: &[&str], variables: &[(&str, &str)]) -> Result<Said, String> {
        let arguments: Vec<_> = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        parse(&arguments, &Environment::new(variables.collect()), 7).map_err(|error| error.to_string())
    }

    #[track_caller]
    fn command(arguments: &[&str], variables: &[(&str, &str)]) -> Command {
        match said(arguments, variables) {
            Ok(Said::Ship(command)) => *command,
            other => panic!("{arguments:?}: {other:?}"),
        }
    }

    fn usual() -> Command {
        Command {
            options: Options {
                group: "g".into(),
                stream: "s".into(),
                fail_fast: true,
                seed: 7,
                ..Options::default()
            },
            framing: Framing::Lines,
            level: Severity::Info,
        }
    }

    #[test]
    fn every_option_sets_what_it_says() {
        type Change = fn(&mut Command);
        let cases: [(&[&str], Change); 29] = [
            (&[], |_| {}),
            (&["--framing", "json-lines"], |command| command.framing = Framing::JsonLines),
            (&["--framing=frames-with-times"], |command| command.framing = Framing::FramesWithTimes),
            (&["--time-field", "t"], |command| command.options.fields.time = Some("t".into())),
            (&["--message-field=m"], |command| command.options.fields.message = Some("m".into())),
            (&["--awslogs-multiline-pattern", "^{"], |command| {
                command.options.lines.multiline_pattern = Some("^{".into());
            }),
            (&["--time-format=%T"], |command| command.options.lines.time_format = Some("%T".into())),
            (&["--time-zone=+02:00"], |command| command.options.lines.time_zone = Some("+02:00".into())),
            (&["--wrap=json-nested"], |command| command.options.lines.wrap = WrapForm::Nested),
            (&["--wrap-fields=host,stream"], |command| {
                command.options.lines.wrap_fields = vec!["host".into(), "stream".into()];
            }),
            (&["--awslogs-format", "json/emf"], |command| command.options.format = Some("json/emf".into())),
            (&["--retention-days=30"], |command| command.options.new_groups.retention_days = Some(30)),
            (&["--retain-existing=true"], |command| command.options.new_groups.retain_existing = true),
            (&["--group-tags=a=b,c="], |command| {
                command.options.new_groups.tags = vec!["a=b".into(), "c=".into()];
            }),
            (&["--kms-key-id=arn:x"], |command| command.options.new_groups.kms_key = Some("arn:x".into())),
            (&["--log-group-class=STANDARD"], |command| {
                command.options.new_groups.class = Some("STANDARD".into());
            }),
            (&["--awslogs-datetime-format=%Y"], |command| {
                command.options.lines.datetime_format = Some("%Y".into());
            }),
            (&["--region", "eu-central-1"], |command| command.options.region = "eu-central-1".into()),
            (&["--endpoint-url", "http://a?b=c"], |command| {
                command.options.endpoint = Some("http://a?b=c".into());
            }),
            (&["--create-group", "false"], |command| command.options.create_group = false),
            (&["--create-stream=false"], |command| command.options.create_stream = false),
            (&["--create-stream=true"], |_| {}),
            (&["--flush-after", "200ms"], |command| command.options.flush_after = Millis(200)),
            (&["--buffer", "8m"], |command| command.options.buffer_bytes = 8 << 20),
            (&["--compression", "gzip"], |command| command.options.compression = Compression::Gzip),
            (&["--in-flight", "64"], |command| command.options.in_flight = 64),
            (&["--log-level", "debug"], |command| command.level = Severity::Debug),
            (&["--log-level", "error"], |command| command.level = Severity::Error),
            (&["--in-flight=2", "--buffer=1g"], |command| {
                command.options.in_flight = 2;
                command.options.buffer_bytes = 1 << 30;
            }),
        ];
        for (arguments, change) in cases {
            let mut expected = usual();
            change(&mut expected);
            let arguments = [&["--group", "g", "--stream=s"], arguments].concat();
            assert_eq!(command(&arguments, &[]), expected, "{arguments:?}");
        }
    }

    #[test]
    fn the_environment_stands_in_for_what_is_not_said() {
        let destination = [("CLOUDSPOUT_GROUP", "g"), ("CLOUDSPOUT_STREAM", "s")];
        assert_eq!(command(&[], &destination), usual());
        for (variables, region) in [
            (&[("AWS_REGION", "a-b-1"), ("AWS_DEFAULT_REGION", "a-b-2")][..], "a-b-1"),
            (&[("AWS_REGION", ""), ("AWS_DEFAULT_REGION", "a-b-2")][..], "a-b-2"),
        ] {
            let variables = [&destination, variables].concat();
            assert_eq!(command(&[], &variables).options.region, region);
            assert_eq!(command(&["--region", "a-b-3"], &variables).options.region, "a-b-3");
        }
        let variables = [&destination[..], &[("HOSTNAME", "h"), ("AWS_ENDPOINT_URL", "http://e")]].concat();
        let options = command(&[], &variables).options;
        assert_eq!((options.host_name.as_str(), options.endpoint.as_deref()), ("h", Some("http://e")));
    }

    #[test]
    fn help_and_version_are_heard_wherever_they_stand() {
        for (arguments, expected) in [
            (&["--help"][..], Said::Help),
            (&["--group", "g", "-h"], Said::Help),
            (&["-V"], Said::Version),
            (&["--version", "--help"], Said::Version),
        ] {
            assert_eq!(said(arguments, &[]), Ok(expected), "{arguments:?}");
        }
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (arguments, words) in [
            (&["--group", "g"][..], "--stream <NAME> is missing; CLOUDSPOUT_STREAM"),
            (&["--no-such"], "`--no-such` is no option"),
            (&["surplus"], "`surplus` is no option"),
            (&["--group"], "--group needs a value: --group <NAME>"),
            (&["--group", "g", "--group=h"], "--group is given twice"),
            (&["--group=g", "--stream=s", "--in-flight=65"], "--in-flight `65`: not a number from 1 to 64"),
            (&["--group=g", "--stream=s", "--framing=tar"], "--framing `tar`: not one of lines, "),
            (&["--group=g", "--stream=s", "--create-group=yes"], "`yes`: not one of true, false"),
            (&["--group=g", "--stream=s", "--buffer=x"], "--buffer `x`: "),
            (&["--group=g", "--stream=s", "--flush-after=25h"], "more than a day"),
        ] {
            let error = said(arguments, &[]).expect_err("an error");
            assert!(error.contains(words), "{arguments:?}: {error}");
        }
        let error = said(&["--group=g", "--stream=s"], &[("CLOUDSPOUT_LOG", "loud")]).expect_err("an error");
        assert!(error.starts_with("CLOUDSPOUT_LOG `loud`"), "{error}");
    }
}
