//! Where the service is: a Region's own endpoint, or one the operator names.

use std::fmt;

use http::Uri;
use http::uri::{Authority, Scheme};

/// The name of an AWS Region, such as `eu-central-1`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Region(String);

/// Scheme and authority of the service; requests go to its path `/`, or to the base path given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    scheme: Scheme,
    authority: Authority,
    path: String,
}

/// Why a Region or an endpoint cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EndpointError {
    NoRegion,
    Region(String),
    Url(String),
}

/// Domains of the partitions of AWS, by the beginning of their Regions' names; the first that fits.
/// <https://docs.aws.amazon.com/general/latest/gr/cwl_region.html>
const PARTITIONS: [(&str, &str); 8] = [
    ("cn-", "amazonaws.com.cn"),
    ("us-gov-", "amazonaws.com"),
    ("us-iso-", "c2s.ic.gov"),
    ("us-isob-", "sc2s.sgov.gov"),
    ("eu-isoe-", "cloud.adc-e.uk"),
    ("us-isof-", "csp.hci.ic.gov"),
    ("eusc-", "amazonaws.eu"),
    ("", "amazonaws.com"),
];

impl Region {
    /// # Errors
    /// For what cannot be the name of a Region: words and a number, joined by hyphens.
    pub fn parse(name: &str) -> Result<Region, EndpointError> {
        if name.is_empty() {
            return Err(EndpointError::NoRegion);
        }
        let parts: Vec<_> = name.split('-').collect();
        let word = |part: &&str| {
            (1..=12).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_lowercase())
        };
        let number =
            |part: &&str| (1..=2).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
        match parts.split_last() {
            Some((last, words)) if number(last) && words.len() >= 2 && words.iter().all(word) => {
                Ok(Region(name.to_owned()))
            }
            _ => Err(EndpointError::Region(name.to_owned())),
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is of the same partition as another.
    pub fn is_beside(&self, other: &Region) -> bool {
        self.partition() == other.partition()
    }

    /// The beginning of its partition's Regions, and their domain.
    fn partition(&self) -> (&'static str, &'static str) {
        PARTITIONS.iter().find(|(prefix, _)| self.0.starts_with(prefix)).copied().unwrap_or_default()
    }
}

impl Endpoint {
    /// The Region's own.
    pub fn of(region: &Region) -> Result<Endpoint, EndpointError> {
        let name = region.as_str();
        let (_, domain) = region.partition();
        Endpoint::parse(&format!("https://logs.{name}.{domain}"))
    }

    /// # Errors
    /// For what is no `http` or `https` URL of a host.
    pub fn parse(url: &str) -> Result<Endpoint, EndpointError> {
        let wrong = || EndpointError::Url(url.to_owned());
        let uri: Uri = url.parse().map_err(|_| wrong())?;
        let parts = uri.into_parts();
        let scheme =
            parts.scheme.filter(|scheme| [Scheme::HTTP, Scheme::HTTPS].contains(scheme)).ok_or_else(wrong)?;
        let authority =
            parts.authority.filter(|authority| !authority.as_str().contains('@')).ok_or_else(wrong)?;
        let path = parts.path_and_query.map_or("/".to_owned(), |path| path.path().to_owned());
        Ok(Endpoint { scheme, authority, path })
    }

    pub fn is_tls(&self) -> bool {
        self.scheme == Scheme::HTTPS
    }

    pub fn authority(&self) -> &str {
        self.authority.as_str()
    }

    pub fn path(&self) -> &str {
        &self.path
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}://{}{}", self.scheme, self.authority, self.path)
    }
}

impl fmt::Display for EndpointError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            EndpointError::NoRegion => {
                write!(out, "no region: give --region or set AWS_REGION, for example to eu-central-1")
            }
            EndpointError::Region(name) => write!(
                out,
                "region `{name}`: not the name of an AWS Region; they look like eu-central-1 (see --region, AWS_REGION)"
            ),
            EndpointError::Url(url) => write!(
                out,
                "endpoint `{url}`: not a URL such as https://logs.eu-central-1.amazonaws.com or http://127.0.0.1:4586 (see --endpoint-url)"
            ),
        }
    }
}

impl std::error::Error for EndpointError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_partition_has_its_domain() {
        for (region, url) in [
            ("eu-central-1", "https://logs.eu-central-1.amazonaws.com/"),
            ("cn-north-1", "https://logs.cn-north-1.amazonaws.com.cn/"),
            ("us-gov-west-1", "https://logs.us-gov-west-1.amazonaws.com/"),
            ("us-iso-east-1", "https://logs.us-iso-east-1.c2s.ic.gov/"),
            ("us-isob-east-1", "https://logs.us-isob-east-1.sc2s.sgov.gov/"),
            ("eu-isoe-west-1", "https://logs.eu-isoe-west-1.cloud.adc-e.uk/"),
            ("us-isof-south-1", "https://logs.us-isof-south-1.csp.hci.ic.gov/"),
            ("eusc-de-east-1", "https://logs.eusc-de-east-1.amazonaws.eu/"),
        ] {
            let region = Region::parse(region).unwrap();
            assert_eq!(Endpoint::of(&region).unwrap().to_string(), url);
        }
    }

    #[test]
    fn what_is_no_region_is_refused() {
        for name in [
            "",
            "mars",
            "eu-central",
            "eu_central_1",
            "EU-CENTRAL-1",
            "eu-central-1a",
            "eu--1",
            "eu-central-1/x",
        ] {
            assert!(Region::parse(name).is_err(), "{name}");
        }
    }

    #[test]
    fn an_endpoint_is_a_url_of_a_host() {
        assert_eq!(Endpoint::parse("http://[::1]:80").unwrap().to_string(), "http://[::1]:80/");
        assert_eq!(Endpoint::parse("https://proxy/logs/").unwrap().path(), "/logs/");
        for url in [
            "",
            "localhost",
            "localhost:4586",
            "ftp://host",
            "http://",
            "http://a b",
            "https://user:word@host",
        ] {
            assert!(Endpoint::parse(url).is_err(), "{url}");
        }
    }
}
