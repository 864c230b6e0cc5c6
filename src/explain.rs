//! Which names containers would get, and why, without shipping anything.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::lines::{Side, Sides};
use crate::naming::{Choice, Container, Destination};
use crate::settings::Settings;

/// What would become of one container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// Where each side would go; or why both would go nowhere.
    pub places: Result<Sides<Option<Choice>>, String>,
    /// Another of the containers, before this one, that goes to the same log stream.
    pub shares_with: Option<String>,
    pub remarks: Vec<String>,
    /// What a template makes of it, if there is one.
    pub rendered: Option<Result<String, String>>,
}

/// Explains the names of these containers, as if they came in this order.
pub fn explain(
    settings: &Settings,
    containers: &[Arc<Container>],
    template: Option<&str>,
) -> Vec<Explanation> {
    let mut taken = BTreeMap::new();
    containers.iter().map(|container| explain_one(settings, container, template, &mut taken)).collect()
}

/// `taken`: who came first to which destination.
fn explain_one(
    settings: &Settings,
    container: &Arc<Container>,
    template: Option<&str>,
    taken: &mut BTreeMap<Destination, String>,
) -> Explanation {
    let named = settings.names.of(container);
    let mut shares_with = None;
    let places = named.destinations.map(|sides| {
        let mut place = |side, choice: Choice| {
            if settings.only.is_some_and(|only| only != side) {
                return None;
            }
            let called = container.called();
            let holder = taken.get(&choice.destination).filter(|holder| **holder != called).cloned();
            let destination = match &holder {
                Some(_) => settings.collisions.resolve(choice.destination, container),
                None => choice.destination,
            };
            shares_with = shares_with.take().or(holder);
            taken.entry(destination.clone()).or_insert(called);
            Some(Choice { destination, ..choice })
        };
        Sides { stdout: place(Side::Stdout, sides.stdout), stderr: place(Side::Stderr, sides.stderr) }
    });
    Explanation {
        places,
        shares_with,
        remarks: [named.remarks, settings.names.terms_of(container).1].concat(),
        rendered: template.map(|template| settings.names.render(template, container)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::naming::{Collisions, Key, NamingOptions, Origin};
    use crate::settings::Options;

    fn options() -> Options {
        Options { region: "eu-central-1".into(), group: "g".into(), ..Options::default() }
    }

    fn containers() -> [Arc<Container>; 2] {
        ["one", "two"].map(|name| {
            let id = format!("{name}0123456789abcdef");
            Arc::new(Container { name: name.into(), id, ..Container::default() })
        })
    }

    fn streams(options: &Options) -> Vec<(String, Option<String>)> {
        let explained = explain(&Settings::of(options).unwrap(), &containers(), None);
        let stream = |one: Explanation| {
            let place = one.places.unwrap().stdout.unwrap();
            (place.destination.stream().to_owned(), one.shares_with)
        };
        explained.into_iter().map(stream).collect()
    }

    #[test]
    fn names_are_explained_by_the_rule_that_gave_them() {
        let settings = Settings::of(&options()).unwrap();
        let [one, _] = explain(&settings, &containers(), Some("<{{.Name}}>")).try_into().unwrap();
        let places = one.places.unwrap();
        let stdout = places.stdout.clone().unwrap();
        assert_eq!((stdout.group_by, stdout.stream_by), (Origin::Operator(Key::Group), Origin::Default));
        assert_eq!(places.stdout, places.stderr);
        assert_eq!(one.rendered, Some(Ok("<one>".into())));
        let [failed, _] = explain(&settings, &containers(), Some("{{.Nope}}")).try_into().unwrap();
        assert!(failed.rendered.unwrap().unwrap_err().contains("Nope"));
    }

    #[test]
    fn who_would_share_a_log_stream_is_seen() {
        let shared = Options { stream: "app".into(), ..options() };
        let first = Some("container one (one012345678)".to_owned());
        assert_eq!(streams(&shared), [("app".into(), None), ("app".into(), first.clone())]);
        let distinct = Options { collisions: Collisions::Distinct, ..shared };
        assert_eq!(streams(&distinct), [("app".into(), None), ("app-two012345678".into(), first)]);
        assert_eq!(streams(&options()), [("one".into(), None), ("two".into(), None)]);
    }

    #[test]
    fn what_would_go_nowhere_says_why() {
        let naming = NamingOptions { confine: Some("/a/".into()), ..NamingOptions::default() };
        let settings = Settings::of(&Options { naming, ..options() }).unwrap();
        for one in explain(&settings, &containers(), None) {
            assert!(one.places.unwrap_err().contains("--confine"));
        }
    }
}
