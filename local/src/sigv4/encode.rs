//! SHA-256, hexadecimal and Base64, as signatures and their error messages need them.

use ring::digest;

pub fn sha256(bytes: &[u8]) -> digest::Digest {
    digest::digest(&digest::SHA256, bytes)
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) {
        return None;
    }
    text.as_bytes()
        .chunks_exact(2)
        .map(|pair| {
            let digits = std::str::from_utf8(pair).ok()?;
            // `from_str_radix` alone would take a sign.
            digits.bytes().all(|digit| digit.is_ascii_hexdigit()).then_some(())?;
            u8::from_str_radix(digits, 16).ok()
        })
        .collect()
}

pub fn base64(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let padded = [0, 1, 2].map(|nth| u32::from(group.get(nth).copied().unwrap_or(0)));
        let word = padded.into_iter().fold(0, |word, byte| word << 8 | byte);
        for nth in 0..4 {
            let symbol = usize::try_from(word >> (18 - 6 * nth) & 63).unwrap_or(0);
            let symbol = ALPHABET.get(symbol).copied().unwrap_or(b'=');
            text.push(if nth > group.len() { '=' } else { char::from(symbol) });
        }
    }
    text
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_encoded_as_everybody_does() {
        assert_eq!(
            hex(sha256(b"").as_ref()),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
        assert_eq!(unhex("00ff"), Some(vec![0, 255]));
        assert_eq!(unhex("+1"), None);
        assert_eq!(unhex("0"), None);
        for (raw, text) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg==")] {
            assert_eq!(base64(raw.as_bytes()), text);
        }
    }
}
