//! `--log-driver awslogs` and `--log-opt NAME=VALUE`, as the docker command takes them.

use std::ffi::OsString;

use super::exit::Ending;

/// Every option of Docker's driver; each is an option of `run` by the same name.
const KNOWN: [&str; 15] = [
    "awslogs-region",
    "awslogs-endpoint",
    "awslogs-group",
    "awslogs-stream",
    "awslogs-create-group",
    "awslogs-create-stream",
    "awslogs-datetime-format",
    "awslogs-multiline-pattern",
    "awslogs-credentials-endpoint",
    "awslogs-force-flush-interval-seconds",
    "awslogs-max-buffered-events",
    "awslogs-format",
    "tag",
    "mode",
    "max-buffer-size",
];

/// The arguments, with each `--log-opt NAME=VALUE` as the option `--NAME=VALUE`.
///
/// # Errors
/// For an option that the driver does not have, and for another driver.
pub fn spelled_out(arguments: impl IntoIterator<Item = OsString>) -> Result<Vec<OsString>, Ending> {
    let mut arguments = arguments.into_iter();
    let mut spelled = Vec::new();
    while let Some(argument) = arguments.next() {
        let (name, value) = match argument.to_str() {
            Some("--") => {
                spelled.push(argument);
                spelled.extend(arguments);
                break;
            }
            Some(text) => match text.split_once('=') {
                Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
                None => (text.to_owned(), None),
            },
            None => (String::new(), None),
        };
        let mut next = || value.clone().or_else(|| arguments.next()?.into_string().ok());
        match name.as_str() {
            "--log-opt" => {
                let given = next().ok_or_else(|| Ending::usage("--log-opt needs NAME=VALUE"))?;
                spelled.push(option(&given)?.into());
            }
            "--log-driver" => match next().as_deref() {
                Some("awslogs") => spelled.push("--compat=awslogs".into()),
                driver => {
                    return Err(Ending::usage(format!(
                        "--log-driver {}: only awslogs is spoken here",
                        driver.unwrap_or_default()
                    )));
                }
            },
            _ => spelled.push(argument),
        }
    }
    Ok(spelled)
}

fn option(given: &str) -> Result<String, Ending> {
    let (name, value) = given
        .split_once('=')
        .ok_or_else(|| Ending::usage(format!("--log-opt {given}: write it as NAME=VALUE")))?;
    if KNOWN.contains(&name) {
        return Ok(format!("--{name}={value}"));
    }
    Err(Ending::usage(format!("unknown log opt '{name}' for awslogs log driver")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spelled(arguments: &[&str]) -> Result<Vec<String>, String> {
        let spelled = spelled_out(arguments.iter().map(OsString::from));
        let texts =
            |spelled: Vec<OsString>| spelled.into_iter().map(|text| text.into_string().unwrap()).collect();
        spelled.map(texts).map_err(|ending| ending.to_string())
    }

    #[test]
    fn options_as_docker_takes_them_are_our_own() {
        let docker = [
            "cloudspout",
            "run",
            "--log-driver=awslogs",
            "--log-opt",
            "awslogs-region=us-east-1",
            "--log-opt=tag={{.Name}}={{.ID}}",
            "--source",
            "api",
        ];
        let own = [
            "cloudspout",
            "run",
            "--compat=awslogs",
            "--awslogs-region=us-east-1",
            "--tag={{.Name}}={{.ID}}",
            "--source",
            "api",
        ];
        assert_eq!(spelled(&docker).unwrap(), own);
        assert_eq!(spelled(&["run", "--", "--log-opt", "x"]).unwrap(), ["run", "--", "--log-opt", "x"]);
    }

    #[test]
    fn options_that_docker_does_not_know_are_refused_by_name() {
        for (arguments, words) in [
            (&["--log-opt", "awslogs-grup=x"][..], "unknown log opt 'awslogs-grup' for awslogs log driver"),
            (&["--log-opt", "tag"], "NAME=VALUE"),
            (&["--log-opt"], "NAME=VALUE"),
            (&["--log-driver", "syslog"], "syslog"),
        ] {
            let error = spelled(arguments).unwrap_err();
            assert!(error.contains(words), "{error}");
        }
    }
}
