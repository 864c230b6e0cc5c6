//! What Envoy knows of a request, by the names that Envoy gives it, and how each is written.
//!
//! Names and types: <https://www.envoyproxy.io/docs/envoy/v1.40.0/intro/arch_overview/advanced/attributes>.
//! Numbers, durations and moments come as 64 bits, a truth as a byte, everything else as text.

use std::io::Write as _;

use cloudspout::lines::{Rest, Text};
use cloudspout::time::Timestamp;

/// An attribute that Envoy has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribute {
    /// The parts of its name with a NUL between them, as Envoy wants to be asked.
    path: Vec<u8>,
    kind: Kind,
}

/// Where attributes are read from: the request at hand, or outside one, the node.
pub trait Attributes {
    /// The value of a path, as Envoy hands it over.
    fn read(&self, path: &[u8]) -> Option<Vec<u8>>;
}

/// What an attribute is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// A line, of a request.
    Line,
    /// The name of a log group or log stream, which is the same for all requests.
    Name,
}

/// How a value is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// As it stands.
    Text,
    /// As a value of JSON.
    Json,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Text,
    Integer,
    /// A whole number without a sign.
    Natural,
    Real,
    Truth,
    /// Nanoseconds, written as milliseconds.
    Duration,
    /// Nanoseconds since 1970, written as RFC 3339 has it.
    Moment,
    /// A bit for each of [`FLAGS`], written as Envoy's logs have them.
    Flags,
}

/// Attributes of a request that are not text.
const TYPED: [(&str, Kind); 21] = [
    ("request.headers_bytes", Kind::Integer),
    ("request.time", Kind::Moment),
    ("request.duration", Kind::Duration),
    ("request.size", Kind::Integer),
    ("request.total_size", Kind::Integer),
    ("response.code", Kind::Integer),
    ("response.flags", Kind::Flags),
    ("response.grpc_status", Kind::Integer),
    ("response.headers_bytes", Kind::Integer),
    ("response.size", Kind::Integer),
    ("response.total_size", Kind::Integer),
    ("response.backend_latency", Kind::Duration),
    ("source.port", Kind::Integer),
    ("destination.port", Kind::Integer),
    ("connection.id", Kind::Natural),
    ("connection.mtls", Kind::Truth),
    ("upstream.num_endpoints", Kind::Natural),
    ("upstream.port", Kind::Integer),
    ("upstream.request_attempt_count", Kind::Natural),
    ("upstream.cx_pool_ready_duration", Kind::Duration),
    ("xds.listener_direction", Kind::Integer),
];

/// Attributes of a request that are text, by what their names begin with.
const TEXTS: [(&str, &[&str]); 7] = [
    (
        "request",
        &["path", "url_path", "host", "scheme", "method", "referer", "useragent", "id", "protocol", "query"],
    ),
    ("response", &["code_details"]),
    ("source", &["address"]),
    ("destination", &["address"]),
    (
        "connection",
        &[
            "requested_server_name",
            "tls_version",
            "subject_local_certificate",
            "subject_peer_certificate",
            "dns_san_local_certificate",
            "dns_san_peer_certificate",
            "uri_san_local_certificate",
            "uri_san_peer_certificate",
            "sha256_peer_certificate_digest",
            "peer_certificate",
            "transport_failure_reason",
            "termination_details",
        ],
    ),
    (
        "upstream",
        &[
            "address",
            "local_address",
            "tls_version",
            "subject_local_certificate",
            "subject_peer_certificate",
            "dns_san_local_certificate",
            "dns_san_peer_certificate",
            "uri_san_local_certificate",
            "uri_san_peer_certificate",
            "sha256_peer_certificate_digest",
            "peer_certificate",
            "transport_failure_reason",
            "locality.region",
            "locality.zone",
            "locality.sub_zone",
        ],
    ),
    ("xds", &["cluster_name", "route_name", "virtual_host_name", "filter_chain_name"]),
];

/// Attributes that are there without a request, too.
const OF_THE_NODE: [&str; 8] = [
    "xds.node.id",
    "xds.node.cluster",
    "xds.node.locality.region",
    "xds.node.locality.zone",
    "xds.node.locality.sub_zone",
    "plugin_name",
    "plugin_root_id",
    "plugin_vm_id",
];

/// Headers: what follows is the name of one.
const HEADERS: [[&str; 2]; 3] = [["request", "headers"], ["response", "headers"], ["response", "trailers"]];

/// What follows is of the operator's own making, and Envoy does not say of which kind.
const FREE: [&[&str]; 10] = [
    &["metadata", "filter_metadata"],
    &["filter_state"],
    &["upstream_filter_state"],
    &["xds", "cluster_metadata", "filter_metadata"],
    &["xds", "route_metadata", "filter_metadata"],
    &["xds", "virtual_host_metadata", "filter_metadata"],
    &["xds", "listener_metadata", "filter_metadata"],
    &["xds", "upstream_host_metadata", "filter_metadata"],
    &["xds", "upstream_host_locality_metadata", "filter_metadata"],
    &["xds", "node", "metadata"],
];

/// The number of a worker, counted from 0; we give it, Envoy does not know it.
pub const WORKER: &str = "worker";

/// What happened to a request, by bit, in the words of Envoy's logs.
/// <https://www.envoyproxy.io/docs/envoy/v1.40.0/configuration/observability/access_log/usage#command-operators>
const FLAGS: [&str; 30] = [
    "LH", "UH", "UT", "LR", "UR", "UF", "UC", "UO", "NR", "DI", "FI", "RL", "UAEX", "RLSE", "DC", "URX",
    "SI", "IH", "DPE", "UMSDR", "RFCF", "NFCF", "DT", "UPE", "NC", "OM", "DF", "DO", "DR", "UDO",
];

impl Attribute {
    /// Finds an attribute by its name. A part with a dot in it is written `["like.this"]`; what is of the
    /// operator's own making may end in `:number` or `:bool`.
    ///
    /// # Errors
    /// For what is no attribute, or none that is there in this place.
    pub fn parse(name: &str, place: Place) -> Result<Attribute, String> {
        let (parts, kind) = parts_of(name).ok_or_else(|| unknown(name, place))?;
        let parts: Vec<_> = parts.iter().map(String::as_str).collect();
        let dotted = parts.join(".");
        let attribute = |parts: &[&str], kind| Attribute { path: parts.join("\0").into_bytes(), kind };
        match free(&parts) {
            Some(of_the_node) if of_the_node || place == Place::Line => {
                return Ok(attribute(&parts, kind.unwrap_or(Kind::Text)));
            }
            _ if kind.is_some() => {
                return Err(format!(
                    "`{name}`: Envoy says of which kind it is: leave `:` and what follows out"
                ));
            }
            _ => {}
        }
        let of_the_node =
            OF_THE_NODE.contains(&dotted.as_str()) || (place == Place::Name && dotted == WORKER);
        if of_the_node {
            return Ok(attribute(&parts, Kind::Text));
        }
        if place == Place::Name {
            return Err(unknown(name, place));
        }
        if let Some(map) = HEADERS.iter().find(|map| parts.starts_with(&map[..]))
            && let Some(header @ [_, ..]) = parts.get(map.len()..)
        {
            let header = header.join(".").to_ascii_lowercase();
            let [message, map] = map;
            return Ok(attribute(&[message, map, header.as_str()], Kind::Text));
        }
        if let Some((_, kind)) = TYPED.iter().find(|(known, _)| *known == dotted) {
            return Ok(attribute(&parts, *kind));
        }
        let text = TEXTS.iter().any(|(begin, ends)| {
            let end = dotted.strip_prefix(begin).and_then(|rest| rest.strip_prefix('.'));
            end.is_some_and(|end| ends.contains(&end))
        });
        if text { Ok(attribute(&parts, Kind::Text)) } else { Err(unknown(name, place)) }
    }

    /// Its name, with dots.
    pub fn name(&self) -> String {
        String::from_utf8_lossy(&self.path).replace('\0', ".")
    }

    /// Appends its value. `false`: there is none, and nothing is appended.
    pub fn write(&self, attributes: &impl Attributes, form: Form, out: &mut Vec<u8>) -> bool {
        let Some(raw) = attributes.read(&self.path) else { return false };
        match self.kind {
            Kind::Text => text(&raw, form, out),
            Kind::Integer => number(i64_of(&raw), out),
            Kind::Natural => number(i64_of(&raw).map(i64::cast_unsigned), out),
            Kind::Real => number(real_of(&raw), out),
            Kind::Truth => number(truth_of(&raw), out),
            Kind::Duration => number(i64_of(&raw).map(Milliseconds), out),
            Kind::Moment => {
                let moment = i64_of(&raw).and_then(|nanos| u64::try_from(nanos).ok());
                let moment = moment.map(|nanos| Timestamp::from_nanos(nanos).to_rfc3339());
                moment.is_some_and(|moment| text(moment.as_bytes(), form, out))
            }
            Kind::Flags => {
                let flags = i64_of(&raw).map(i64::cast_unsigned).filter(|flags| *flags != 0);
                flags.is_some_and(|flags| text(flags_of(flags).as_bytes(), form, out))
            }
        }
    }
}

/// Whether what these parts name is of the operator's own making, and if so, whether it is the node's.
fn free(parts: &[&str]) -> Option<bool> {
    let begin = FREE.iter().find(|begin| parts.starts_with(begin) && parts.len() > begin.len())?;
    Some(begin.get(..2) == Some(&["xds", "node"]))
}

fn unknown(name: &str, place: Place) -> String {
    match place {
        Place::Line => {
            format!("`{name}` is no attribute that Envoy has of a request; docs/ENVOY.md lists them")
        }
        Place::Name => format!(
            "`{name}` cannot be in a name: only what is the same for every request can, as {{xds.node.id}}, \
             {{xds.node.cluster}}, {{plugin_name}} or {{worker}}"
        ),
    }
}

/// The parts of a name, and the kind that it asks for.
fn parts_of(name: &str) -> Option<(Vec<String>, Option<Kind>)> {
    let mut parts = Vec::new();
    let mut rest = name;
    loop {
        let end = rest.find(['.', '[', ':']).unwrap_or(rest.len());
        let (part, after) = rest.split_at(end);
        parts.push(part.to_owned());
        rest = after;
        while let Some(quoted) = rest.strip_prefix("[\"") {
            let (part, after) = quoted.split_once("\"]")?;
            parts.push(part.to_owned());
            rest = after;
        }
        match rest.strip_prefix('.') {
            Some(after) => rest = after,
            None => break,
        }
    }
    let kind = match rest {
        "" => None,
        ":number" => Some(Kind::Real),
        ":bool" => Some(Kind::Truth),
        _ => return None,
    };
    // A NUL would make two parts of one.
    let whole = parts.iter().all(|part| !part.is_empty() && !part.contains('\0'));
    whole.then_some((parts, kind))
}

fn text(raw: &[u8], form: Form, out: &mut Vec<u8>) -> bool {
    match form {
        Form::Text => out.extend_from_slice(raw),
        Form::Json => {
            out.push(b'"');
            Text::Raw(raw).append_to(out, usize::MAX, Rest::None);
            out.push(b'"');
        }
    }
    true
}

/// Numbers and truths are the same in both forms.
fn number(value: Option<impl std::fmt::Display>, out: &mut Vec<u8>) -> bool {
    // Writing to memory cannot fail.
    value.is_some_and(|value| write!(out, "{value}").is_ok())
}

/// Nanoseconds, displayed as milliseconds with no more digits than it takes, to the microsecond.
struct Milliseconds(i64);

impl std::fmt::Display for Milliseconds {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let micros = self.0.unsigned_abs() / 1_000;
        let sign = if self.0 < 0 && micros > 0 { "-" } else { "" };
        let (whole, fraction) = (micros / 1_000, micros % 1_000);
        match fraction {
            0 => write!(out, "{sign}{whole}"),
            _ if fraction % 100 == 0 => write!(out, "{sign}{whole}.{}", fraction / 100),
            _ if fraction % 10 == 0 => write!(out, "{sign}{whole}.{:02}", fraction / 10),
            _ => write!(out, "{sign}{whole}.{fraction:03}"),
        }
    }
}

fn i64_of(raw: &[u8]) -> Option<i64> {
    Some(i64::from_le_bytes(raw.try_into().ok()?))
}

fn real_of(raw: &[u8]) -> Option<f64> {
    let value = f64::from_le_bytes(raw.try_into().ok()?);
    value.is_finite().then_some(value)
}

fn truth_of(raw: &[u8]) -> Option<bool> {
    match raw {
        [value] => Some(*value != 0),
        _ => None,
    }
}

fn flags_of(flags: u64) -> String {
    let mut names = String::new();
    for bit in (0..u64::BITS).filter(|bit| flags >> bit & 1 == 1) {
        if !names.is_empty() {
            names.push(',');
        }
        match FLAGS.get(bit as usize) {
            Some(name) => names.push_str(name),
            // Younger than this table.
            None => names.push_str(&format!("bit{bit}")),
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Request, int};
    use super::*;

    fn path(name: &str) -> String {
        Attribute::parse(name, Place::Line).unwrap_or_else(|why| panic!("{why}")).name()
    }

    #[test]
    fn every_attribute_that_envoy_has_is_known() {
        for (name, expected) in [
            ("request.path", "request.path"),
            ("request.headers.x-a", "request.headers.x-a"),
            ("request.headers[\"X.A\"]", "request.headers.x.a"),
            ("request.headers.X.A", "request.headers.x.a"),
            ("response.trailers.grpc-message", "response.trailers.grpc-message"),
            ("response.code_details", "response.code_details"),
            ("upstream.locality.zone", "upstream.locality.zone"),
            ("xds.node.metadata.team", "xds.node.metadata.team"),
            ("xds.node.id", "xds.node.id"),
            ("filter_state[\"a.b\"]", "filter_state.a.b"),
            ("metadata.filter_metadata[\"envoy.lb\"][\"k\"]:bool", "metadata.filter_metadata.envoy.lb.k"),
            ("xds.route_metadata.filter_metadata.a.b", "xds.route_metadata.filter_metadata.a.b"),
        ] {
            assert_eq!(path(name), expected, "{name}");
        }
        for (begin, ends) in TEXTS {
            for end in ends {
                path(&format!("{begin}.{end}"));
            }
        }
    }

    #[test]
    fn what_is_no_attribute_is_refused() {
        for (name, reason) in [
            ("", "is no attribute"),
            ("request", "is no attribute"),
            ("request.headers", "is no attribute"),
            ("request.headers.", "is no attribute"),
            ("request..path", "is no attribute"),
            ("request.path.x", "is no attribute"),
            ("node.id", "is no attribute"),
            ("worker", "is no attribute"),
            ("metadata.filter_metadata", "is no attribute"),
            ("metadata.filter_metadata[\"a", "is no attribute"),
            ("metadata.filter_metadata.a.b:word", "is no attribute"),
            ("request.path:number", "Envoy says of which kind it is"),
        ] {
            let error = Attribute::parse(name, Place::Line).unwrap_err();
            assert!(error.contains(reason), "{name}: {error}");
        }
        assert!(Attribute::parse("worker", Place::Name).is_ok());
        assert!(Attribute::parse("xds.node.metadata.pod", Place::Name).is_ok());
        assert!(Attribute::parse("request.path", Place::Name).is_err());
        assert!(Attribute::parse("filter_state.x", Place::Name).is_err());
    }

    #[test]
    fn values_are_written_as_people_read_them() {
        for (name, raw, written) in [
            ("response.code", int(200), "200"),
            ("response.code", int(-1), "-1"),
            ("response.code", vec![200], ""),
            ("connection.id", int(-1), "18446744073709551615"),
            ("connection.mtls", vec![0], "false"),
            ("connection.mtls", vec![], ""),
            ("request.duration", int(0), "0"),
            ("request.duration", int(999), "0"),
            ("request.duration", int(5_000_000), "5"),
            ("request.duration", int(5_100_999), "5.1"),
            ("request.duration", int(5_010_000), "5.01"),
            ("request.duration", int(61_000_123_456), "61000.123"),
            ("request.duration", int(-5_010_000), "-5.01"),
            ("request.time", int(-1), ""),
            ("response.flags", int(0), ""),
            ("response.flags", int(1 << 40 | 1 << 8), "NR,bit40"),
            ("filter_state.x:number", f64::NAN.to_le_bytes().to_vec(), ""),
            ("filter_state.x:number", 200f64.to_le_bytes().to_vec(), "200"),
            ("filter_state.x", b"abc".to_vec(), "abc"),
        ] {
            let attribute = Attribute::parse(name, Place::Line).unwrap();
            for form in [Form::Text, Form::Json] {
                let mut out = Vec::new();
                let known = attribute.name().leak();
                let there = attribute.write(&Request(vec![(known, raw.clone())]), form, &mut out);
                let out = String::from_utf8(out).unwrap();
                assert_eq!((there, out.trim_matches('"')), (!written.is_empty(), written), "{name}");
            }
        }
    }
}
