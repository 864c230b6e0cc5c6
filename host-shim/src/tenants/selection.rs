//! Which containers are a tenant's own.

use globset::{Glob, GlobMatcher};

use crate::docker::Candidate;

/// What a container must be like to be a tenant's: each kind of condition that is given must be met, by any one
/// of its patterns.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// By key; without a pattern, with whatever value.
    labels: Vec<(String, Option<Pattern>)>,
    names: Vec<Pattern>,
    networks: Vec<Pattern>,
    compose_projects: Vec<Pattern>,
}

/// A pattern. Each container is held against each tenant's, so one that only a single text can match is compared
/// with it, in a hundredth of the time.
#[derive(Clone, Debug)]
enum Pattern {
    Text(String),
    Glob(GlobMatcher),
}

/// Patterns as they were written: `*`, `?`, `[a-z]` and `{a,b}` stand for what they do in a shell.
#[derive(Clone, Debug, Default)]
pub struct Patterns<'a> {
    /// `KEY`, which must be there, or `KEY=PATTERN`.
    pub labels: &'a [String],
    pub names: &'a [String],
    pub networks: &'a [String],
    pub compose_projects: &'a [String],
}

impl Selection {
    /// # Errors
    /// A pattern that is none.
    pub fn parse(patterns: &Patterns<'_>) -> Result<Selection, globset::Error> {
        let all = |patterns: &[String]| {
            patterns.iter().map(|pattern| Pattern::parse(pattern)).collect::<Result<Vec<_>, _>>()
        };
        let labels = patterns.labels.iter().map(|label| {
            Ok(match label.split_once('=') {
                Some((key, pattern)) => (key.to_owned(), Some(Pattern::parse(pattern)?)),
                None => (label.clone(), None),
            })
        });
        Ok(Selection {
            labels: labels.collect::<Result<_, globset::Error>>()?,
            names: all(patterns.names)?,
            networks: all(patterns.networks)?,
            compose_projects: all(patterns.compose_projects)?,
        })
    }

    /// Whether nothing is asked, and so nothing matches.
    pub fn is_empty(&self) -> bool {
        let Selection { labels, names, networks, compose_projects } = self;
        labels.is_empty() && names.is_empty() && networks.is_empty() && compose_projects.is_empty()
    }

    pub fn matches(&self, candidate: &Candidate<'_>) -> bool {
        let any = |patterns: &[Pattern], text: &str| {
            patterns.is_empty() || patterns.iter().any(|pattern| pattern.matches(text))
        };
        let label = |(key, pattern): &(String, Option<Pattern>)| {
            let matches = |value: &String| pattern.as_ref().is_none_or(|pattern| pattern.matches(value));
            candidate.labels.get(key).is_some_and(matches)
        };
        let project = candidate.labels.get(COMPOSE_PROJECT).map_or("", String::as_str);
        !self.is_empty()
            && (self.labels.is_empty() || self.labels.iter().any(label))
            && any(&self.names, candidate.name)
            && (self.networks.is_empty()
                || candidate.networks.iter().any(|network| any(&self.networks, network)))
            && any(&self.compose_projects, project)
    }
}

impl Pattern {
    fn parse(text: &str) -> Result<Pattern, globset::Error> {
        let glob = Glob::new(text)?;
        Ok(match text.contains(SPECIAL) {
            true => Pattern::Glob(glob.compile_matcher()),
            false => Pattern::Text(text.to_owned()),
        })
    }

    fn matches(&self, text: &str) -> bool {
        match self {
            Pattern::Text(only) => only == text,
            Pattern::Glob(glob) => glob.is_match(text),
        }
    }
}

/// What may stand for something else in a pattern.
const SPECIAL: [char; 7] = ['*', '?', '[', ']', '{', '}', '\\'];

/// Docker Compose labels each container with its project.
const COMPOSE_PROJECT: &str = "com.docker.compose.project";

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn strings(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|&text| text.to_owned()).collect()
    }

    #[test]
    fn each_kind_of_condition_is_met_by_any_of_its_patterns() {
        let labels: BTreeMap<_, _> = [("team", "red"), ("com.docker.compose.project", "shop")]
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into();
        let web = Candidate { id: "1", name: "shop-web-1", labels: &labels, networks: vec!["front", "back"] };
        let check = |labels: &[&str],
                     names: &[&str],
                     networks: &[&str],
                     projects: &[&str],
                     expected: bool| {
            let (labels, names) = (strings(labels), strings(names));
            let (networks, projects) = (strings(networks), strings(projects));
            let patterns =
                Patterns { labels: &labels, names: &names, networks: &networks, compose_projects: &projects };
            let selection = Selection::parse(&patterns).unwrap();
            assert_eq!(selection.matches(&web), expected, "{patterns:?}");
        };
        check(&[], &[], &[], &[], false);
        check(&["team"], &[], &[], &[], true);
        check(&["team=r*"], &[], &[], &[], true);
        check(&["team=blue", "team=red"], &[], &[], &[], true);
        check(&["team=blue"], &[], &[], &[], false);
        check(&["team=re"], &[], &[], &[], false);
        check(&["team=\\red"], &[], &[], &[], true);
        check(&["team="], &[], &[], &[], false);
        check(&["none"], &[], &[], &[], false);
        check(&[], &["shop-web-1"], &[], &[], true);
        check(&["Team"], &[], &[], &[], false);
        check(&[], &["shop-*"], &[], &[], true);
        check(&[], &["shop"], &[], &[], false);
        check(&[], &["shop-*"], &["middle"], &[], false);
        check(&[], &["shop-*"], &["b?ck"], &[], true);
        check(&[], &[], &[], &["{shop,cart}"], true);
        check(&["team=red"], &["pay-*"], &[], &["shop"], false);
    }

    #[test]
    fn without_a_project_none_matches() {
        let labels = BTreeMap::new();
        let web = Candidate { id: "1", name: "web", labels: &labels, networks: vec![] };
        let projects = strings(&["shop"]);
        let patterns = Patterns { compose_projects: &projects, ..Patterns::default() };
        assert!(!Selection::parse(&patterns).unwrap().matches(&web));
    }
}
