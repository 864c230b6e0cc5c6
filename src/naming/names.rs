//! The operator's templates for the names of log group and log stream.

use std::fmt;
use std::sync::Arc;

use super::context::{Context, Machine};
use super::{Container, Destination, Kind};
use crate::template::{FunctionSet, Limits, Template, Value};

/// Two templates that can be rendered, and the machine they are rendered on.
#[derive(Clone, Debug)]
pub struct Names {
    group: Template,
    stream: Template,
    machine: Arc<Machine>,
}

/// A template that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamingError {
    kind: Kind,
    source: String,
    reason: String,
}

/// A destination, and what had to be changed to come to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    pub destination: Destination,
    /// For people, one sentence each.
    pub remarks: Vec<String>,
}

impl Names {
    /// Reads the templates, and tries them on a container that does not exist.
    ///
    /// # Errors
    /// For what is no template, and for fields and functions that there are not.
    pub fn parse(group: &str, stream: &str, machine: Machine) -> Result<Names, NamingError> {
        let machine = Arc::new(machine);
        let example = Context::of(Arc::new(Container::default()), &machine);
        Ok(Names {
            group: parse(Kind::Group, group, &example)?,
            stream: parse(Kind::Stream, stream, &example)?,
            machine,
        })
    }

    /// Where the container's events go.
    pub fn of(&self, container: &Arc<Container>) -> Named {
        let mut remarks = Vec::new();
        let context = Context::of(Arc::clone(container), &self.machine);
        let mut name = |kind, template: &Template, otherwise: &str| {
            let name = template.render(&context, Limits::default()).unwrap_or_else(|error| {
                remarks.push(format!(
                    "{kind} template fails for {}, which gets `{otherwise}`: {error}",
                    container.called()
                ));
                otherwise.to_owned()
            });
            let clean = super::clean(kind, &name);
            if clean != name {
                remarks.push(format!(
                    "{kind} `{name}` of {} is not a name CloudWatch takes; it is `{clean}` there",
                    container.called()
                ));
            }
            clean.into_owned()
        };
        let group = name(Kind::Group, &self.group, &self.machine.host_name);
        let stream = name(Kind::Stream, &self.stream, &container.name);
        Named { destination: Destination::new(&group, &stream), remarks }
    }
}

fn parse(kind: Kind, source: &str, example: &Value) -> Result<Template, NamingError> {
    let error = |reason: String| NamingError { kind, source: source.to_owned(), reason };
    if source.is_empty() {
        return Err(error("it is empty".to_owned()));
    }
    let template = Template::parse(kind.word(), source, FunctionSet::Docker)
        .map_err(|failed| error(failed.to_string()))?;
    match template.render(example, Limits::default()) {
        // An empty container has no labels to index; only what no container has is wrong for sure.
        Err(failed) if failed.to_string().contains("can't evaluate field") => Err(error(failed.to_string())),
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
        let NamingError { kind, source, reason } = self;
        write!(out, "{} template `{source}`: {reason} (see --{})", kind.word(), kind.word())
    }
}

impl std::error::Error for NamingError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine(host_name: &str) -> Machine {
        Machine { host_name: host_name.into(), region: "eu-central-1".into() }
    }

    fn container() -> Arc<Container> {
        Arc::new(Container {
            id: "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef".into(),
            name: "web".into(),
            image_name: "nginx:1".into(),
            labels: vec![("app".into(), "shop: 1".into())],
            env: vec!["STAGE=prod".into()],
            ..Container::default()
        })
    }

    #[test]
    fn templates_see_the_container_and_the_host() {
        for (template, name) in [
            ("plain", "plain"),
            ("{{.Hostname}}/{{.Name}}", "node-1/web"),
            ("{{.ID}}", "0123456789ab"),
            ("{{.FullID}}", "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"),
            ("{{.ImageName}}", "nginx:1"),
            ("{{index .ContainerLabels \"app\"}}", "shop: 1"),
            ("{{index .Labels \"nope\"}}-", "-"),
            ("{{.Lbl \"app\"}}", "shop: 1"),
            ("{{.Env.STAGE}}", "prod"),
            ("{{range .ContainerEnv}}{{.}}{{end}}", "STAGE=prod"),
            ("{{upper .Name}}", "WEB"),
            ("{{.Region}}", "eu-central-1"),
        ] {
            let names = Names::parse("g", template, machine("node-1")).unwrap();
            let expected = Destination::new("g", name);
            assert_eq!(names.of(&container()).destination, expected, "{template}");
        }
    }

    #[test]
    fn what_cannot_be_used_is_refused_before_it_is_needed() {
        for (template, reason) in [
            ("", "it is empty"),
            ("{{.Name", "unclosed action"),
            ("{{.Nmae}}", "can't evaluate field Nmae"),
            ("{{nope .Name}}", "function \"nope\" not defined"),
        ] {
            let error = Names::parse(template, "s", machine("h")).unwrap_err().to_string();
            assert!(error.contains(reason) && error.contains("--group"), "{error}");
        }
    }

    #[test]
    fn a_name_that_had_to_be_changed_is_remarked_on() {
        let names = Names::parse("{{.Lbl \"app\"}}", "{{index .ContainerEnv 7}}", machine("h")).unwrap();
        let named = names.of(&container());
        assert_eq!(named.destination, Destination::new("shop__1", "web"));
        assert_eq!(named.remarks.len(), 2, "{:?}", named.remarks);
    }
}
