//! Which containers are followed, by what the operator wants of them.

use super::glob::Glob;
use super::records::Inspected;

/// What a container has to be like; the default takes any.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// What its id begins with.
    pub id: Option<String>,
    pub name: Option<Glob>,
    /// Labels that it has to have, each with a value like this; one that is missing counts as empty.
    pub labels: Vec<(String, Glob)>,
    /// Labels with these values keep it out, upper or lower case.
    pub excluded: Vec<(String, String)>,
    pub terminals: Terminals,
}

/// What becomes of containers with a terminal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Terminals {
    #[default]
    Follow,
    LeaveOut,
}

impl Filter {
    /// Whether a container is wanted; if not, why.
    pub(super) fn takes(&self, container: &Inspected) -> Result<(), &'static str> {
        let label = |key: &str| container.config.labels.get(key).map(String::as_str);
        if self.terminals == Terminals::LeaveOut && container.config.tty {
            return Err("it has a terminal");
        }
        if self
            .excluded
            .iter()
            .any(|(key, value)| label(key).is_some_and(|has| has.eq_ignore_ascii_case(value)))
        {
            return Err("a label excludes it");
        }
        if self.id.as_ref().is_some_and(|id| !container.id.starts_with(id.as_str())) {
            return Err("its id is another");
        }
        if self.name.as_ref().is_some_and(|name| !name.matches(container.name())) {
            return Err("its name is another");
        }
        if self.labels.iter().any(|(key, value)| !value.matches(label(key).unwrap_or_default())) {
            return Err("its labels are others");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn container(name: &str, labels: &[(&str, &str)]) -> Inspected {
        let mut container = Inspected { id: "0123456789abcdef".into(), ..Inspected::default() };
        container.name = format!("/{name}");
        container.config.labels =
            labels.iter().map(|&(key, value)| (key.to_owned(), value.to_owned())).collect();
        container
    }

    fn glob(pattern: &str) -> Glob {
        Glob::parse(pattern).unwrap()
    }

    #[test]
    fn a_container_has_to_be_all_that_is_asked_for() {
        let shop = container("shop_db", &[("a", "xyz"), ("b", "y")]);
        let labels = |patterns: &[(&str, &str)]| Filter {
            labels: patterns.iter().map(|(key, value)| ((*key).to_owned(), glob(value))).collect(),
            ..Filter::default()
        };
        for (filter, takes) in [
            (Filter::default(), true),
            (Filter { id: Some("0123".into()), ..Filter::default() }, true),
            (Filter { id: Some("123".into()), ..Filter::default() }, false),
            (Filter { name: Some(glob("*_db")), ..Filter::default() }, true),
            (Filter { name: Some(glob("*_app")), ..Filter::default() }, false),
            (labels(&[("a", "x*"), ("b", "*y")]), true),
            (labels(&[("a", "x*"), ("b", "*z")]), false),
            (labels(&[("missing", "*")]), true),
            (labels(&[("missing", "?*")]), false),
            (Filter { excluded: vec![("b".into(), "Y".into())], ..Filter::default() }, false),
            (Filter { excluded: vec![("b".into(), "true".into())], ..Filter::default() }, true),
        ] {
            assert_eq!(filter.takes(&shop).is_ok(), takes, "{filter:?}");
        }
    }

    #[test]
    fn containers_with_a_terminal_are_left_out_where_that_is_wanted() {
        let mut terminal = container("x", &[]);
        terminal.config.tty = true;
        let filter = Filter { terminals: Terminals::LeaveOut, ..Filter::default() };
        assert!(filter.takes(&terminal).is_err() && filter.takes(&container("x", &[])).is_ok());
        assert!(Filter::default().takes(&terminal).is_ok());
    }
}
