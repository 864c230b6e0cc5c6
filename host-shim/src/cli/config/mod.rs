//! `--config FILE`: what `run`'s options say, and for whom.
//!
//! A key is the long name of an option of `run`, and its value is what would follow it: the file is turned into
//! arguments for the same parser, so that an option is defined once. What stands at the top is said for
//! all tenants; the command line wins over it, and a tenant's own keys win over both.

mod document;
mod tenant;

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::ArgAction;
use clap::error::{ContextKind, ContextValue};
use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Args, CommandFactory, FromArgMatches};

use strsim::levenshtein;

pub use document::ConfigError;
use document::{Document, Place, Said, Table, Value};
pub use tenant::TenantArgs;

use super::Cli;
use super::ship::Run;

/// Heading of options that the program as a whole has, and no tenant.
pub const PROGRAM: &str = "Program";

/// A file, understood.
pub struct Config {
    /// What is said at the top: for all tenants, or without any, for the only one there is.
    pub top: Run,
    pub tenants: Vec<Tenant>,
    /// What is said of the whole program.
    pub program: ProgramKeys,
    path: PathBuf,
}

/// What is said of the program as a whole, by key; it holds for as long as the program runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProgramKeys(BTreeMap<String, Value>);

impl ProgramKeys {
    /// Keys that say something else there, or that only one of the two has.
    pub fn unlike(&self, other: &ProgramKeys) -> Vec<String> {
        let keys: BTreeSet<_> = self.0.keys().chain(other.0.keys()).collect();
        keys.into_iter().filter(|&key| self.0.get(key) != other.0.get(key)).cloned().collect()
    }
}

/// A tenant of the file.
pub struct Tenant {
    pub run: Run,
    pub own: TenantArgs,
    /// All that is said of it, to tell whether it has changed.
    pub said: String,
    place: Place,
}

impl Config {
    /// Reads a file; `line` is what the command line says beside it.
    ///
    /// # Errors
    /// Something in it is no option, is no value for its option, or does not go together.
    pub fn read(path: &Path, line: &CommandLine) -> Result<Config, ConfigError> {
        let document = Document::read(path)?;
        let wrong = |(place, text)| ConfigError { path: path.to_owned(), place, text };
        let mut said = document.top.keys.clone();
        said.extend(line.0.clone());
        let top_table = Table { keys: said, ..Table::default() };
        let top = Parser::of::<Run>().parse::<Run>(&top_table, None).map_err(wrong)?;
        let parser = Parser::of::<TenantLine>();
        let program = top_table.keys.iter().filter(|(key, said)| {
            // A switch that is off says what no switch says.
            parser.is_programs(key) && said.value != Value::Switch(false)
        });
        let program = program.map(|(key, said)| (key.clone(), said.value.clone())).collect();
        let mut tenants = Vec::new();
        let mut names: BTreeMap<String, Place> = BTreeMap::new();
        for table in document.tenants {
            let name = match table.keys.get("name").map(|said| (&said.value, said.place)) {
                Some((Value::Words(words), place)) if words.len() == 1 => (words.concat(), place),
                _ => return Err(wrong((table.place, "a tenant needs a name".to_owned()))),
            };
            let (name, place) = name;
            let known = names.insert(name.clone(), place);
            if known.is_some() {
                return Err(wrong((place, format!("there is another tenant {name:?}"))));
            }
            let keys = tenant_keys(&parser, &top_table, &table, &name).map_err(wrong)?;
            let table = Table { keys, place: table.place };
            let TenantLine { run, own } = parser.parse(&table, Some(&name)).map_err(wrong)?;
            own.check().map_err(|text| wrong((table.place, format!("tenant {name:?}: {text}"))))?;
            let said = table.keys.iter().map(|(key, said)| format!("{key} = {:?}\n", said.value)).collect();
            tenants.push(Tenant { run, own, said, place: table.place });
        }
        if let Some(second) = tenants.iter().filter(|tenant| tenant.own.default).nth(1) {
            let text = "another tenant is the default already".to_owned();
            return Err(wrong((second.place, text)));
        }
        Ok(Config { top, tenants, program: ProgramKeys(program), path: path.to_owned() })
    }

    /// An error that concerns a tenant as a whole.
    pub fn error(&self, tenant: &Tenant, text: &str) -> ConfigError {
        let text = format!("tenant {:?}: {text}", tenant.own.name);
        ConfigError { path: self.path.clone(), place: tenant.place, text }
    }
}

impl Tenant {
    /// With other programs' options as those that they stand for.
    ///
    /// # Errors
    /// For options that contradict each other, and for routes, of which a tenant has none.
    pub fn settled(&self) -> Result<Run, String> {
        let mut runs = self.run.clone().settled().map_err(|ending| ending.to_string())?;
        match (runs.pop(), runs.is_empty()) {
            (Some(run), true) => Ok(run),
            _ => Err("logspout's routes are not for tenants: each says by its own keys where it ships to"
                .to_owned()),
        }
    }
}

/// All that is said of a tenant. What the whole program has is not a tenant's to say.
fn tenant_keys(
    parser: &Parser,
    top: &Table,
    table: &Table,
    name: &str,
) -> Result<BTreeMap<String, Said>, (Place, String)> {
    for (key, said) in &table.keys {
        if parser.is_programs(key) {
            let text = format!("tenant {name:?}: {key} is the whole program's: say it before any tenant");
            return Err((said.place, text));
        }
    }
    let inherited = top.keys.iter().filter(|(key, _)| !parser.is_programs(key));
    Ok(inherited.chain(&table.keys).map(|(key, said)| (key.clone(), said.clone())).collect())
}

/// What is to be said of a tenant.
#[derive(Args)]
struct TenantLine {
    #[command(flatten)]
    run: Run,
    #[command(flatten)]
    own: TenantArgs,
}

/// What was said on the command line, by the long names of options.
#[derive(Clone, Debug, Default)]
pub struct CommandLine(BTreeMap<String, Said>);

impl CommandLine {
    /// What this program was started with, beside `--config`.
    pub fn of_this_process() -> CommandLine {
        let command = Cli::command();
        let matches = command.clone().get_matches();
        let run = matches.subcommand_matches("run");
        let options = command.find_subcommand("run").into_iter().flat_map(clap::Command::get_arguments);
        CommandLine(run.map(|run| said_in(options, run)).unwrap_or_default())
    }
}

fn said_in<'a>(options: impl Iterator<Item = &'a Arg>, matches: &ArgMatches) -> BTreeMap<String, Said> {
    let mut said = BTreeMap::new();
    for option in options {
        let id = option.get_id().as_str();
        let Some(long) = option.get_long().filter(|long| *long != CONFIG) else { continue };
        if matches.value_source(id) != Some(ValueSource::CommandLine) {
            continue;
        }
        let value = match option.get_action() {
            ArgAction::SetTrue => Value::Switch(true),
            _ => {
                let raw = matches.get_raw(id).into_iter().flatten();
                Value::Words(raw.map(|word| word.to_string_lossy().into_owned()).collect())
            }
        };
        said.insert(long.to_owned(), Said { value, place: Place(None) });
    }
    said
}

/// Turns keys into options.
struct Parser {
    command: clap::Command,
}

impl Parser {
    fn of<T: Args>() -> Parser {
        let command = clap::Command::new("cloudspout").no_binary_name(true).disable_help_flag(true);
        Parser { command: T::augment_args(command) }
    }

    fn option(&self, key: &str) -> Option<&Arg> {
        self.command.get_arguments().find(|option| option.get_long() == Some(key) && key != CONFIG)
    }

    /// Whether a key is one that the program as a whole has, and no tenant.
    fn is_programs(&self, key: &str) -> bool {
        self.option(key).is_some_and(|option| option.get_help_heading() == Some(PROGRAM))
    }

    fn parse<T: FromArgMatches>(&self, table: &Table, tenant: Option<&str>) -> Result<T, (Place, String)> {
        let whose = tenant.map(|name| format!("tenant {name:?}: ")).unwrap_or_default();
        let mut all = Vec::new();
        for (key, said) in &table.keys {
            all.extend(self.arguments(key, said).map_err(|text| (said.place, format!("{whose}{text}")))?);
        }
        let wrong = |error: clap::Error| {
            let place = accused(&error, table).map_or(table.place, |said| said.place);
            (place, format!("{whose}{}", told(&error)))
        };
        let matches = self.command.clone().try_get_matches_from(all).map_err(wrong)?;
        T::from_arg_matches(&matches).map_err(wrong)
    }

    fn arguments(&self, key: &str, said: &Said) -> Result<Vec<OsString>, String> {
        let Some(option) = self.option(key) else {
            return Err(match self.nearest(key) {
                Some(near) => format!("there is no option {key:?}; did you mean {near:?}?"),
                None => format!("there is no option {key:?}"),
            });
        };
        let switch = matches!(option.get_action(), ArgAction::SetTrue);
        match &said.value {
            Value::Switch(true) if switch => Ok(vec![format!("--{key}").into()]),
            Value::Switch(false) if switch => Ok(Vec::new()),
            Value::Switch(other) => Ok(vec![format!("--{key}={other}").into()]),
            Value::Words(_) if switch => Err(format!("{key}: true or false is expected")),
            Value::Words(words) if words.len() > 1 && !matches!(option.get_action(), ArgAction::Append) => {
                Err(format!("{key}: one value is expected, not a list"))
            }
            Value::Words(words) => Ok(words.iter().map(|word| format!("--{key}={word}").into()).collect()),
        }
    }

    /// The option that is spelled most like this.
    fn nearest(&self, key: &str) -> Option<&str> {
        let options = self.command.get_arguments().filter_map(Arg::get_long).filter(|long| *long != CONFIG);
        let distances = options.map(|option| (levenshtein(key, option), option));
        distances.min().filter(|(distance, _)| *distance <= 2.max(key.len() / 4)).map(|(_, option)| option)
    }
}

/// The key that an error is about.
fn accused<'a>(error: &clap::Error, table: &'a Table) -> Option<&'a Said> {
    let option = match error.get(ContextKind::InvalidArg)? {
        ContextValue::String(option) => option,
        ContextValue::Strings(options) => options.first()?,
        _ => return None,
    };
    // It is shown with its value: `--buffer <SIZE>`.
    let key = option.trim_start_matches('-').split([' ', '=']).next()?;
    table.keys.get(key)
}

/// What clap has to say, in one line.
fn told(error: &clap::Error) -> String {
    let text = error.render().to_string();
    let first = text.strip_prefix("error: ").unwrap_or(&text);
    let paragraph = first.split("\n\n").next().unwrap_or_default();
    paragraph.split_whitespace().collect::<Vec<_>>().join(" ")
}

const CONFIG: &str = "config";

#[cfg(test)]
mod tests {
    use cloudspout_host::Ec2;

    use super::*;

    /// What becomes of a file: nothing, or the error without its path.
    fn read(text: &str) -> Result<Config, String> {
        let path = std::env::temp_dir().join(format!(
            "cloudspout-config-{}-{:?}",
            std::process::id(),
            std::thread::current().id()
        ));
        std::fs::write(&path, text).unwrap();
        let config = Config::read(&path, &CommandLine::default());
        std::fs::remove_file(&path).unwrap();
        config.map_err(|error| error.to_string().split_once(':').unwrap().1.to_owned())
    }

    #[test]
    fn options_at_the_top_are_said_for_all_and_a_tenants_own_win() {
        let config = read(
            "region = 'eu-central-1'\nmark-gaps = true\nbuffer = '8MiB'\nstate-dir = '/var/lib/x'\n\
             [[tenant]]\nname = 'a'\nmatch-name = ['a-*', 'b']\nmark-gaps = false\ngroup = '/t/a'\n\
             [[tenant]]\nname = 'b'\ndefault = true\nbuffer = '16MiB'\nin-flight = 2\ncreate-group = false\n",
        )
        .unwrap();
        let [a, b] = config.tenants.as_slice() else { panic!("two tenants") };
        let (a, b) = (a.run.options(Ec2::default()), b.run.options(Ec2::default()));
        assert_eq!((a.mark_gaps, a.buffer_bytes, a.log_group_name.as_str()), (false, 8 << 20, "/t/a"));
        assert_eq!((b.mark_gaps, b.buffer_bytes, b.in_flight, b.create_group), (true, 16 << 20, 2, false));
        assert_eq!(config.top.state_dir.as_deref(), Some(Path::new("/var/lib/x")));
        assert!(config.tenants[1].own.default && !config.tenants[0].own.default);
    }

    #[test]
    fn a_file_without_tenants_is_options_for_one() {
        let config = read("region = 'eu-central-1'\ngroup = 'g'\nonce = true\n").unwrap();
        assert!(config.tenants.is_empty() && config.top.once);
    }

    #[test]
    fn what_the_command_line_says_wins_over_the_top_and_not_over_a_tenant() {
        let command = Cli::command();
        let words =
            ["cloudspout", "run", "--config", "x", "--buffer", "5MiB", "--mark-gaps", "--group", "line"];
        let matches = command.clone().get_matches_from(words);
        let options = command.find_subcommand("run").unwrap().get_arguments();
        let line = CommandLine(said_in(options, matches.subcommand_matches("run").unwrap()));
        let path = std::env::temp_dir().join(format!("cloudspout-config-{}-line", std::process::id()));
        let text = "buffer = '9MiB'\n[[tenant]]\nname = 'a'\ndefault = true\ngroup = 'own'\n";
        std::fs::write(&path, text).unwrap();
        let config = Config::read(&path, &line).unwrap();
        std::fs::remove_file(&path).unwrap();
        let options = config.tenants[0].run.options(Ec2::default());
        assert_eq!((options.buffer_bytes, options.mark_gaps), (5 << 20, true));
        assert_eq!(options.log_group_name, "own");
    }

    #[test]
    fn what_a_tenant_may_take_is_what_its_keys_say() {
        let keys = "cpu-weight = 300\nmax-requests = 5\nmax-bytes = '1MiB'\nmax-containers = 7\nmax-memory = '256MiB'\n";
        let limits = |keys: &str| {
            let config = read(&format!("[[tenant]]\nname = 'a'\ndefault = true\n{keys}")).unwrap();
            config.tenants[0].own.limits(64 << 20).unwrap()
        };
        let said = limits(keys);
        assert_eq!((said.bounds.weight, said.bounds.memory), (300, Some(256 << 20)));
        assert_eq!(
            (said.requests, said.bytes, said.containers),
            (Some(5.0), Some(f64::from(1 << 20)), Some(7))
        );
        let unsaid = limits("");
        assert_eq!((unsaid.bounds.weight, unsaid.bounds.memory), (100, Some(192 << 20)));
        assert_eq!((unsaid.requests, unsaid.bytes, unsaid.containers), (None, None, None));
    }

    #[test]
    fn what_is_said_of_the_whole_program_is_told_apart_where_it_differs() {
        let tenant = "[[tenant]]\nname = 'a'\ndefault = true\n";
        let program = |top: &str| read(&format!("{top}{tenant}")).unwrap().program;
        let before = program("state-dir = 'a'\nregion = 'eu-central-1'\nwatch-config = false\n");
        for (after, expected) in [
            ("state-dir = 'a'\nregion = 'us-east-1'\n", [].as_slice()),
            ("state-dir = 'b'\nregion = 'eu-central-1'\n", &["state-dir"]),
            ("source = 'api'\nwatch-config = true\n", &["source", "state-dir", "watch-config"]),
        ] {
            assert_eq!(before.unlike(&program(after)), expected, "{after}");
        }
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place_and_whose_it_is() {
        let tenant = "[[tenant]]\nname = 'a'\ndefault = true\n";
        for (text, place, words) in [
            ("bufer = '1MiB'".to_owned(), "1:1:", ["bufer", "did you mean \"buffer\""]),
            ("\nbuffer = 'lots'".to_owned(), "2:1:", ["lots", "64MiB"]),
            ("compression = 'brotli'".to_owned(), "1:1:", ["brotli", "gzip"]),
            ("mark-gaps = 'yes'".to_owned(), "1:1:", ["mark-gaps", "true or false"]),
            ("group = ['a', 'b']".to_owned(), "1:1:", ["group", "one value"]),
            ("config = 'x'".to_owned(), "1:1:", ["config", "no option"]),
            ("max-memory = '64MiB'".to_owned(), "1:1:", ["max-memory", "no option"]),
            (format!("{tenant}in-flight = 0"), "4:1:", ["tenant \"a\"", "0 is not in"]),
            (format!("{tenant}state-dir = 'x'"), "4:1:", ["state-dir", "whole program"]),
            (format!("{tenant}role-external-id = 'x'"), "1:1:", ["tenant \"a\"", "--role-arn"]),
            (format!("{tenant}{tenant}"), "5:1:", ["another tenant", "\"a\""]),
            ("[[tenant]]\ndefault = true".to_owned(), "1:1:", ["needs a name", ""]),
            ("[[tenant]]\nname = 'a'".to_owned(), "1:1:", ["match-label", "default"]),
            ("[[tenant]]\nname = 'a b'\ndefault = true".to_owned(), "1:1:", ["name", "letters"]),
            ("[[tenant]]\nname = 'a'\nmatch-name = '[a'".to_owned(), "1:1:", ["tenant \"a\"", "[a"]),
            (format!("{tenant}[[tenant]]\nname = 'b'\ndefault = true"), "4:1:", ["default", "already"]),
            (format!("{tenant}max-bytes = '1KiB'"), "1:1:", ["max-bytes", "64KiB"]),
            (format!("{tenant}secret = 'wJalrXUtnFEMI'"), "4:1:", ["secret", "no option"]),
        ] {
            let Err(told) = read(&text) else { panic!("{text} is taken") };
            assert!(told.starts_with(place), "{text}: {told}");
            for word in words {
                assert!(told.contains(word), "{text}: {word:?} is not in {told}");
            }
            assert!(!told.contains("wJalr"), "{told}");
        }
    }

    #[test]
    fn a_secret_in_the_wrong_place_is_not_repeated() {
        let text = "[[tenant]]\nname = 'a'\ndefault = true\naccess-key-id-from = 'env:A'\n\
                    secret-access-key-from = 'wJalrXUtnFEMI'\n";
        let told = read(text).err().unwrap();
        assert!(told.contains("secret-access-key-from") && !told.contains("wJalr"), "{told}");
    }
}
