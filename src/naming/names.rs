//! The names of log group and log stream that each container gets, and who chose them.

use std::fmt;
use std::sync::Arc;

use super::context::Machine;
use super::mode::{Key, Mode, Origin, Overrides};
use super::site::{Site, Sites};
use super::terms::Terms;
use super::{Container, Destination, Kind};
use crate::lines::Sides;
use crate::template::{Limits, Template, Value};

/// How names come about, as the operator gave it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NamingOptions {
    pub mode: Mode,
    pub overrides: Overrides,
    /// Template of the log stream's name where nobody names it otherwise.
    pub tag: Option<String>,
    /// Templates of the names that standard error goes to; without, where standard output goes.
    pub stderr_group: Option<String>,
    pub stderr_stream: Option<String>,
    /// What names of log groups have to begin with.
    pub confine: Option<String>,
    /// The id of the EC2 instance, for templates.
    pub instance_id: String,
    /// Regions that containers may choose; none for all of the partition. Endpoints that they may.
    pub allow_regions: Vec<String>,
    pub allow_endpoints: Vec<String>,
}

/// Rules that can be applied, and the machine they are applied on.
#[derive(Clone, Debug)]
pub struct Names {
    mode: Mode,
    overrides: Overrides,
    group: Option<Rule>,
    stream: Option<Rule>,
    tag: Option<Rule>,
    stderr_group: Option<Rule>,
    stderr_stream: Option<Rule>,
    confine: Option<String>,
    machine: Arc<Machine>,
    /// Where events may go; none: to the operator's site alone.
    sites: Option<Sites>,
}

/// A template of the operator's; or why it is none, where that is no reason to stop.
type Rule = Result<Template, String>;

/// A rule that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NamingError {
    Template {
        kind: Kind,
        option: &'static str,
        source: String,
        reason: String,
    },
    /// Nobody names the log group, and there is no default.
    NoGroup,
}

/// What a container gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// Where its two sides go; or why they go nowhere, for people.
    pub destinations: Result<Sides<Choice>, String>,
    /// What had to be changed, one sentence each.
    pub remarks: Vec<String>,
}

/// A destination, and who chose its names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    pub destination: Destination,
    pub group_by: Origin,
    pub stream_by: Origin,
}

/// What a container says of where its events begin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Beginnings<'a> {
    pub pattern: Option<(Origin, &'a str)>,
    pub format: Option<(Origin, &'a str)>,
}

impl Names {
    /// Reads the templates, and tries them on a container that does not exist. An empty one is not given:
    /// the mode's default stands in.
    ///
    /// # Errors
    /// For what is no template, and for fields and functions that there are not; for a mode without a default
    /// log group, where nobody could name one.
    pub fn parse(
        group: &str,
        stream: &str,
        options: &NamingOptions,
        machine: Machine,
    ) -> Result<Names, NamingError> {
        let machine = Arc::new(machine);
        let mode = options.mode;
        let example = mode.context(&Arc::new(Container::default()), &machine);
        let rule = |kind, option, source: &str| match read(mode, kind, source, Some(&example)) {
            _ if source.is_empty() => Ok(None),
            Ok(template) => Ok(Some(Ok(template))),
            // There a wrong template gives the default name.
            Err(reason) if mode == Mode::Logspout => Ok(Some(Err(reason))),
            Err(reason) => Err(NamingError::Template { kind, option, source: source.to_owned(), reason }),
        };
        let given = |text: &Option<String>| text.clone().unwrap_or_default();
        let names = Names {
            mode,
            overrides: options.overrides,
            group: rule(Kind::Group, "group", group)?,
            stream: rule(Kind::Stream, "stream", stream)?,
            tag: rule(Kind::Stream, "tag", &given(&options.tag))?,
            stderr_group: rule(Kind::Group, "stderr-group", &given(&options.stderr_group))?,
            stderr_stream: rule(Kind::Stream, "stderr-stream", &given(&options.stderr_stream))?,
            confine: options.confine.clone(),
            machine,
            sites: None,
        };
        let none_could_name_it = names.group.is_none() && !names.overrides.any();
        if mode == Mode::Awslogs && none_could_name_it {
            return Err(NamingError::NoGroup);
        }
        Ok(names)
    }

    /// Lets containers choose among these sites, as far as they may choose at all.
    pub fn among(self, sites: Sites) -> Names {
        Names { sites: Some(sites), ..self }
    }

    /// Whether events may go to a log group of this name.
    ///
    /// # Errors
    /// The prefix that the names of log groups are to begin with.
    pub fn admits(&self, group: &str) -> Result<(), &str> {
        match &self.confine {
            Some(prefix) if !group.starts_with(prefix.as_str()) => Err(prefix),
            Some(_) | None => Ok(()),
        }
    }

    /// Where the container's events go.
    pub fn of(&self, container: &Arc<Container>) -> Named {
        let chosen = self.sites.as_ref().map(|sites| sites.chosen(self.overrides, container));
        let (site, remarks) = chosen.unwrap_or_default();
        let context = match &site {
            // The Region that it sees is the one that its events go to.
            Some(site) => {
                let region = site.region.as_str().to_owned();
                self.mode.context(container, &Arc::new(Machine { region, ..Machine::clone(&self.machine) }))
            }
            None => self.mode.context(container, &self.machine),
        };
        let mut naming = Naming { names: self, container, context, site, remarks };
        let destinations = naming.destinations();
        Named { destinations, remarks: naming.remarks }
    }

    /// Where the container's events begin, by its own word, if it may have one; and by what it says so.
    pub fn beginnings<'a>(&self, container: &'a Container) -> Beginnings<'a> {
        let find = |key| self.overrides.find(container, key);
        Beginnings { pattern: find(Key::MultilinePattern), format: find(Key::DatetimeFormat) }
    }

    /// What else the container chooses, and what of that cannot be, one sentence each.
    pub fn terms_of(&self, container: &Container) -> (Terms, Vec<String>) {
        Terms::of(self.overrides, container)
    }

    /// What a template makes of the container.
    ///
    /// # Errors
    /// What is wrong with the template, or with what it does with this container.
    pub fn render(&self, template: &str, container: &Arc<Container>) -> Result<String, String> {
        let template = Template::parse("template", template, self.mode.functions())
            .map_err(|failed| failed.to_string())?;
        let context = self.mode.context(container, &self.machine);
        template.render(&context, Limits::default()).map_err(|failed| failed.to_string())
    }
}

/// Naming under way, of one container.
struct Naming<'a> {
    names: &'a Names,
    container: &'a Arc<Container>,
    context: Value,
    /// Its own choice, if it has one.
    site: Option<Arc<Site>>,
    remarks: Vec<String>,
}

impl Naming<'_> {
    fn destinations(&mut self) -> Result<Sides<Choice>, String> {
        let Names { stderr_group, stderr_stream, .. } = self.names;
        let group = self.group()?;
        let stream = self.stream();
        let stdout = self.choice(group.clone(), stream.clone())?;
        if stderr_group.is_none() && stderr_stream.is_none() {
            return Ok(Sides { stderr: stdout.clone(), stdout });
        }
        let group = self.apart(Kind::Group, Key::Group, stderr_group).unwrap_or(group);
        let stream = self.apart(Kind::Stream, Key::Stream, stderr_stream).unwrap_or(stream);
        Ok(Sides { stdout, stderr: self.choice(group, stream)? })
    }

    fn group(&mut self) -> Result<(Origin, String), String> {
        let names = self.names;
        if let Some(chosen) = self.chosen(Kind::Group, &[(Key::Group, &names.group)]) {
            return Ok(chosen);
        }
        match names.mode {
            Mode::Own | Mode::Logspout => Ok((Origin::Default, names.machine.host_name.clone())),
            Mode::Awslogs => Err(format!(
                "{} has no log group, so its logs wait: name one by --awslogs-group, or by its label awslogs.group",
                self.container.called()
            )),
        }
    }

    fn stream(&mut self) -> (Origin, String) {
        let names = self.names;
        let rules = [(Key::Stream, &names.stream), (Key::Tag, &names.tag)];
        self.chosen(Kind::Stream, &rules).unwrap_or_else(|| {
            let name = match names.mode {
                Mode::Own | Mode::Logspout => &self.container.name,
                Mode::Awslogs => &self.container.id,
            };
            (Origin::Default, name.clone())
        })
    }

    /// The name that the first rule gives: of each key first the container's, then the operator's.
    fn chosen(&mut self, kind: Kind, rules: &[(Key, &Option<Rule>)]) -> Option<(Origin, String)> {
        for (key, operators) in rules {
            let own = self.names.overrides.find(self.container, *key);
            let own = own.map(|(origin, source)| (origin, read(self.names.mode, kind, source, None)));
            let operators = operators.as_ref().map(|rule| (Origin::Operator(*key), rule.clone()));
            for (origin, rule) in own.into_iter().chain(operators) {
                match self.attempt(kind, origin, &rule) {
                    Some(name) => return Some((origin, name)),
                    // There whatever goes wrong gives the default.
                    None if self.names.mode == Mode::Logspout => return None,
                    None => {}
                }
            }
        }
        None
    }

    /// The name that the operator gives to what standard error goes to.
    fn apart(&mut self, kind: Kind, key: Key, rule: &Option<Rule>) -> Option<(Origin, String)> {
        let origin = Origin::Operator(key);
        Some((origin, self.attempt(kind, origin, rule.as_ref()?)?))
    }

    fn attempt(&mut self, kind: Kind, origin: Origin, rule: &Rule) -> Option<String> {
        let rendered = match rule {
            Ok(template) => {
                template.render(&self.context, Limits::default()).map_err(|failed| failed.to_string())
            }
            Err(reason) => Err(reason.clone()),
        };
        rendered
            .inspect_err(|error| {
                self.remarks
                    .push(format!("{kind} of {} is not named by {origin}: {error}", self.container.called()));
            })
            .ok()
    }

    /// The destination of these names, made such as the service takes, unless it is out of bounds.
    fn choice(&mut self, group: (Origin, String), stream: (Origin, String)) -> Result<Choice, String> {
        for (kind, name) in [(Kind::Group, &group.1), (Kind::Stream, &stream.1)] {
            let clean = super::clean(kind, name);
            let remark = format!(
                "{kind} `{name}` of {} is not a name CloudWatch takes; it is `{clean}` there",
                self.container.called()
            );
            if clean != name.as_str() && !self.remarks.contains(&remark) {
                self.remarks.push(remark);
            }
        }
        let destination = Destination::new(&group.1, &stream.1).at(self.site.clone());
        self.names.admits(destination.group()).map_err(|prefix| {
            format!(
                "{} is refused, and its logs wait: {} chooses log group {}, and only such as begin with {prefix} \
                 are allowed (--confine)",
                self.container.called(),
                group.0,
                destination.group(),
            )
        })?;
        Ok(Choice { destination, group_by: group.0, stream_by: stream.0 })
    }
}

/// Reads a template, and tries it on the example, if there is one.
fn read(mode: Mode, kind: Kind, source: &str, example: Option<&Value>) -> Rule {
    let name = if mode == Mode::Awslogs { "log-tag" } else { kind.word() };
    let template = Template::parse(name, source, mode.functions()).map_err(|failed| failed.to_string())?;
    match example.map(|example| template.render(example, Limits::default())) {
        // An empty container has no labels to index; only what no container has is wrong for sure.
        Some(Err(failed)) if failed.to_string().contains("can't evaluate field") => Err(failed.to_string()),
        _ => Ok(template),
    }
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Kind::Group => "group",
            Kind::Stream => "stream",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "log {}", self.word())
    }
}

impl fmt::Display for NamingError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NamingError::Template { kind, option, source, reason } => {
                write!(out, "{} template `{source}`: {reason} (see --{option})", kind.word())
            }
            NamingError::NoGroup => {
                out.write_str("must specify a value for log opt 'awslogs-group' (see --awslogs-group)")
            }
        }
    }
}

impl std::error::Error for NamingError {}

#[cfg(test)]
mod tests;
