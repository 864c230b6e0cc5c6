//! Which containers are a tenant's own.

use globset::{Glob, GlobMatcher};

use crate::docker::Candidate;

/// What a container must be like to be a tenant's: each kind of condition that is given must be met, by any one
/// of its patterns.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    labels: Vec<(String, GlobMatcher)>,
    names: Vec<GlobMatcher>,
    networks: Vec<GlobMatcher>,
    compose_projects: Vec<GlobMatcher>,
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
            patterns.iter().map(|pattern| matcher(pattern)).collect::<Result<Vec<_>, _>>()
        };
        let labels = patterns.labels.iter().map(|label| {
            let (key, pattern) = label.split_once('=').unwrap_or((label, "*"));
            Ok((key.to_owned(), matcher(pattern)?))
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
        let any = |patterns: &[GlobMatcher], text: &str| {
            patterns.is_empty() || patterns.iter().any(|pattern| pattern.is_match(text))
        };
        let label = |(key, pattern): &(String, GlobMatcher)| {
            candidate.labels.get(key).is_some_and(|value| pattern.is_match(value))
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

fn matcher(pattern: &str) -> Result<GlobMatcher, globset::Error> {
    Ok(Glob::new(pattern)?.compile_matcher())
}

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
