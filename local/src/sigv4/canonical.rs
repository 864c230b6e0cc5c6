//! The canonical request of Signature Version 4, rebuilt from a request as it arrived.

use http::HeaderMap;

/// Joins the six parts that both sides must agree on.
pub fn canonical_request(
    method: &str,
    path: &str,
    query: &str,
    headers: &HeaderMap,
    signed_headers: &[&str],
    payload_digest: &str,
) -> Vec<u8> {
    let mut text = Vec::with_capacity(1024);
    text.extend_from_slice(method.as_bytes());
    text.push(b'\n');
    text.extend_from_slice(canonical_path(path).as_bytes());
    text.push(b'\n');
    text.extend_from_slice(canonical_query(query).as_bytes());
    text.push(b'\n');
    for name in signed_headers {
        text.extend_from_slice(name.to_ascii_lowercase().as_bytes());
        text.push(b':');
        for (nth, value) in headers.get_all(*name).iter().enumerate() {
            if nth > 0 {
                text.push(b',');
            }
            push_collapsed(&mut text, value.as_bytes());
        }
        text.push(b'\n');
    }
    text.push(b'\n');
    text.extend_from_slice(signed_headers.join(";").to_ascii_lowercase().as_bytes());
    text.push(b'\n');
    text.extend_from_slice(payload_digest.as_bytes());
    text
}

/// Removes dot segments and doubled slashes, then encodes the path a second time, as all services but S3 do.
fn canonical_path(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                kept.pop();
            }
            other => kept.push(other),
        }
    }
    let mut text = String::from("/");
    for (nth, segment) in kept.iter().enumerate() {
        if nth > 0 {
            text.push('/');
        }
        push_encoded(&mut text, segment.as_bytes());
    }
    let leads_to_folder = path.ends_with('/') || path.ends_with("/.") || path.ends_with("/..");
    if !kept.is_empty() && leads_to_folder {
        text.push('/');
    }
    text
}

fn canonical_query(query: &str) -> String {
    let mut pairs: Vec<(String, String)> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (recoded(name), recoded(value)))
        .collect();
    pairs.sort();
    let joined: Vec<String> = pairs.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    joined.join("&")
}

/// Decodes what the sender encoded and encodes it by the one rule of the specification.
fn recoded(text: &str) -> String {
    let mut raw = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            raw.push(byte);
            continue;
        }
        let ahead = bytes.clone();
        match hex_pair(bytes.next(), bytes.next()) {
            Some(decoded) => raw.push(decoded),
            None => {
                raw.push(b'%');
                bytes = ahead;
            }
        }
    }
    let mut encoded = String::with_capacity(raw.len());
    push_encoded(&mut encoded, &raw);
    encoded
}

fn hex_pair(high: Option<u8>, low: Option<u8>) -> Option<u8> {
    let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
    u8::try_from(digit(high)? * 16 + digit(low)?).ok()
}

fn push_encoded(text: &mut String, raw: &[u8]) {
    for byte in raw {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                text.push(char::from(*byte));
            }
            other => text.push_str(&format!("%{other:02X}")),
        }
    }
}

/// Trims a header value and turns runs of spaces into one.
fn push_collapsed(text: &mut Vec<u8>, value: &[u8]) {
    let mut after_space = false;
    for byte in value.trim_ascii() {
        let space = *byte == b' ';
        if !(space && after_space) {
            text.push(*byte);
        }
        after_space = space;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_normalised_and_encoded_again() {
        for (path, canonical) in [
            ("/", "/"),
            ("", "/"),
            ("//", "/"),
            ("/./", "/"),
            ("/./example", "/example"),
            ("/example/..", "/"),
            ("/example1/example2/../..", "/"),
            ("//example//", "/example/"),
            ("/a%20b", "/a%2520b"),
            ("/-._~0aZ", "/-._~0aZ"),
        ] {
            assert_eq!(canonical_path(path), canonical, "{path}");
        }
    }

    #[test]
    fn queries_are_sorted_and_encoded_once() {
        for (query, canonical) in [
            ("", ""),
            ("Param2=value2&Param1=value1", "Param1=value1&Param2=value2"),
            ("Param1=value2&Param1=Value1", "Param1=Value1&Param1=value2"),
            ("key", "key="),
            ("%41=b%2f", "A=b%2F"),
            ("a=100%", "a=100%25"),
            ("a=%zz", "a=%25zz"),
        ] {
            assert_eq!(canonical_query(query), canonical, "{query}");
        }
    }

    #[test]
    fn header_values_are_trimmed_and_joined() {
        let mut headers = HeaderMap::new();
        headers.append("my-header1", " value1 ".parse().unwrap());
        headers.append("my-header1", "\"a   b   c\"".parse().unwrap());
        let text = canonical_request("GET", "/", "", &headers, &["My-Header1"], "digest");
        assert_eq!(
            String::from_utf8(text).unwrap(),
            "GET\n/\n\nmy-header1:value1,\"a b c\"\n\nmy-header1\ndigest"
        );
    }
}
