//! Where on AWS a container's events go: the Region and the endpoint, if they are not the operator's.

use std::cmp::Ordering;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use super::Container;
use super::mode::{Key, Overrides};
use crate::cloudwatch::{Endpoint, EndpointError, Region};

/// A Region, for signatures, and where requests go.
#[derive(Clone, Debug)]
pub struct Site {
    pub region: Region,
    pub endpoint: Endpoint,
    /// The endpoint as it is written: what tells two sites apart, beside the Region.
    url: String,
}

/// The operator's site, and which others containers may choose.
#[derive(Clone, Debug)]
pub struct Sites {
    own: Site,
    /// Whether the endpoint is the operator's choice, and so stays where a container chooses the Region.
    fixed: bool,
    /// None: any of the partition.
    regions: Vec<Region>,
    endpoints: Vec<Endpoint>,
}

impl Sites {
    /// `endpoint`: none for the Region's own. The lists are what containers may choose from; an empty one of Regions
    /// is all of the partition's, an empty one of endpoints is none.
    ///
    /// # Errors
    /// For what is no Region, and for what is no URL of a host.
    pub fn of(
        region: &str,
        endpoint: Option<&str>,
        regions: &[String],
        endpoints: &[String],
    ) -> Result<Sites, EndpointError> {
        let region = Region::parse(region)?;
        let regions: Result<_, _> = regions.iter().map(|name| Region::parse(name)).collect();
        let endpoints: Result<_, _> = endpoints.iter().map(|url| Endpoint::parse(url)).collect();
        let fixed = endpoint.is_some();
        let endpoint = endpoint.map_or_else(|| Endpoint::of(&region), Endpoint::parse)?;
        Ok(Sites { own: Site::new(region, endpoint), fixed, regions: regions?, endpoints: endpoints? })
    }

    /// The operator's.
    pub fn own(&self) -> &Site {
        &self.own
    }

    /// The site that the container chooses, if it is another than the operator's; and what of its choice cannot be,
    /// one sentence each.
    pub(super) fn chosen(
        &self,
        overrides: Overrides,
        container: &Container,
    ) -> (Option<Arc<Site>>, Vec<String>) {
        let mut remarks = Vec::new();
        let mut choice = |key, read: &dyn Fn(&str) -> Result<Site, String>| {
            let (origin, text) = overrides.find(container, key)?;
            read(text)
                .inspect_err(|why| {
                    remarks.push(format!("{}: {origin} is passed over: {why}", container.called()));
                })
                .ok()
        };
        let by_region = choice(Key::Region, &|name| self.in_region(name));
        let by_endpoint = choice(Key::Endpoint, &|url| self.at_endpoint(url));
        let region = by_region.as_ref().map_or(&self.own.region, |site| &site.region).clone();
        let site = match by_endpoint {
            Some(site) => Some(Site { region, ..site }),
            None => by_region,
        };
        let other = site.filter(|site| *site != self.own);
        (other.map(Arc::new), remarks)
    }

    fn in_region(&self, name: &str) -> Result<Site, String> {
        let region = Region::parse(name).map_err(|_| format!("`{name}` is not the name of an AWS Region"))?;
        if self.regions.is_empty() && !region.is_beside(&self.own.region) {
            return Err(format!(
                "{name} is in another partition than {}; --allow-region lets it",
                self.own.region.as_str()
            ));
        }
        if !self.regions.is_empty() && region != self.own.region && !self.regions.contains(&region) {
            return Err(format!("{name} is none that --allow-region lets containers choose"));
        }
        let endpoint = if self.fixed { Ok(self.own.endpoint.clone()) } else { Endpoint::of(&region) };
        Ok(Site::new(region, endpoint.map_err(|error| error.to_string())?))
    }

    fn at_endpoint(&self, url: &str) -> Result<Site, String> {
        if self.endpoints.is_empty() {
            return Err("only the operator can choose that; --allow-endpoint lets it".to_owned());
        }
        let allowed = Endpoint::parse(url).ok().filter(|endpoint| self.endpoints.contains(endpoint));
        let endpoint =
            allowed.ok_or_else(|| format!("`{url}` is none that --allow-endpoint lets containers choose"))?;
        Ok(Site::new(self.own.region.clone(), endpoint))
    }
}

impl Site {
    fn new(region: Region, endpoint: Endpoint) -> Site {
        let url = endpoint.to_string();
        Site { region, endpoint, url }
    }

    /// The URL of its endpoint.
    pub fn url(&self) -> &str {
        &self.url
    }

    fn key(&self) -> (&str, &str) {
        (self.region.as_str(), &self.url)
    }
}

impl PartialEq for Site {
    fn eq(&self, other: &Site) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Site {}

impl Ord for Site {
    fn cmp(&self, other: &Site) -> Ordering {
        self.key().cmp(&other.key())
    }
}

impl PartialOrd for Site {
    fn partial_cmp(&self, other: &Site) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Hash for Site {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key().hash(state);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LABELS: Overrides = Overrides { labels: true, env: false, log_options: false };

    /// What a container with these labels gets of an operator in eu-central-1: Region, endpoint, and remarks.
    fn chosen(sites: &Sites, labels: &[(&str, &str)]) -> (Option<(String, String)>, String) {
        let labels = labels.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let container = Container { name: "web".to_owned(), labels, ..Container::default() };
        let (site, remarks) = sites.chosen(LABELS, &container);
        let key = site.map(|site| (site.region.as_str().to_owned(), site.url.clone()));
        (key, remarks.join("; "))
    }

    fn sites(endpoint: Option<&str>, regions: &[&str], endpoints: &[&str]) -> Sites {
        let owned = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        Sites::of("eu-central-1", endpoint, &owned(regions), &owned(endpoints)).unwrap()
    }

    #[test]
    fn a_container_chooses_a_region_of_the_partition() {
        let free = sites(None, &[], &[]);
        let there = ("us-east-1".to_owned(), "https://logs.us-east-1.amazonaws.com/".to_owned());
        assert_eq!(chosen(&free, &[("awslogs.region", "us-east-1")]), (Some(there), String::new()));
        assert_eq!(chosen(&free, &[("awslogs.region", "eu-central-1")]), (None, String::new()));
        assert_eq!(chosen(&free, &[]), (None, String::new()));
        for (region, words) in [
            (
                "cn-north-1",
                "container web: its label awslogs.region is passed over: cn-north-1 is in another partition",
            ),
            ("mars", "`mars` is not the name of an AWS Region"),
        ] {
            let (site, remarks) = chosen(&free, &[("awslogs.region", region)]);
            assert!(site.is_none() && remarks.contains(words), "{remarks}");
        }
    }

    #[test]
    fn an_operator_bounds_the_regions() {
        let bounded = sites(None, &["us-east-1", "cn-north-1"], &[]);
        for (region, taken) in [("us-east-1", true), ("cn-north-1", true), ("us-east-2", false)] {
            let (site, remarks) = chosen(&bounded, &[("awslogs.region", region)]);
            assert_eq!(
                (site.is_some(), remarks.contains("--allow-region")),
                (taken, !taken),
                "{region}: {remarks}"
            );
        }
    }

    #[test]
    fn an_endpoint_of_the_operators_stays_where_the_region_is_chosen() {
        let fixed = sites(Some("http://127.0.0.1:4586"), &[], &[]);
        let there = ("us-east-1".to_owned(), "http://127.0.0.1:4586/".to_owned());
        assert_eq!(chosen(&fixed, &[("awslogs.region", "us-east-1")]).0, Some(there));
    }

    #[test]
    fn endpoints_are_chosen_from_the_operators_list_alone() {
        let labels = [("awslogs.endpoint", "https://vpce.example"), ("awslogs.region", "us-east-1")];
        let (_, remarks) = chosen(&sites(None, &[], &[]), &labels);
        assert!(
            remarks.contains("its label awslogs.endpoint is passed over: only the operator can choose that")
        );
        let listed = sites(None, &[], &["https://vpce.example/"]);
        let there = ("us-east-1".to_owned(), "https://vpce.example/".to_owned());
        assert_eq!(chosen(&listed, &labels), (Some(there), String::new()));
        let (site, remarks) = chosen(&listed, &[("awslogs.endpoint", "https://evil.example")]);
        assert!(site.is_none() && remarks.contains("--allow-endpoint"), "{remarks}");
    }
}
