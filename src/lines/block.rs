//! Finds, sixteen bytes at a time, the bytes that cannot stand in a JSON string as they are.

/// How many bytes are looked at together.
pub const BLOCK: usize = 16;

/// A bit for every byte that is a control character, a quote, a backslash or not ASCII; the lowest bit
/// is the first byte.
#[inline(always)]
pub fn special(block: &[u8; BLOCK]) -> u32 {
    let (low, high) = halves(block);
    imp::special(low, high)
}

#[inline(always)]
fn halves(block: &[u8; BLOCK]) -> (u64, u64) {
    let both = u128::from_le_bytes(*block);
    (both as u64, (both >> 64) as u64)
}

#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod imp {
    use core::arch::wasm32::{i8x16_bitmask, i8x16_eq, i8x16_lt, i8x16_splat, u64x2, v128_or};

    #[inline(always)]
    pub fn special(low: u64, high: u64) -> u32 {
        let block = u64x2(low, high);
        // As signed numbers, bytes that are not ASCII are below the space too.
        let outside = i8x16_lt(block, i8x16_splat(b' ' as i8));
        let quote = i8x16_eq(block, i8x16_splat(b'"' as i8));
        let backslash = i8x16_eq(block, i8x16_splat(b'\\' as i8));
        u32::from(i8x16_bitmask(v128_or(outside, v128_or(quote, backslash))))
    }
}

#[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
mod imp {
    use core::arch::x86_64::{
        _mm_cmpeq_epi8, _mm_cmplt_epi8, _mm_movemask_epi8, _mm_or_si128, _mm_set_epi64x, _mm_set1_epi8,
    };

    #[inline(always)]
    #[expect(unsafe_code, reason = "SSE2 is part of x86-64, and this module exists only where it is on")]
    pub fn special(low: u64, high: u64) -> u32 {
        unsafe { special_sse2(low, high) }
    }

    #[inline]
    #[target_feature(enable = "sse2")]
    fn special_sse2(low: u64, high: u64) -> u32 {
        let block = _mm_set_epi64x(high as i64, low as i64);
        // As signed numbers, bytes that are not ASCII are below the space too.
        let outside = _mm_cmplt_epi8(block, _mm_set1_epi8(b' ' as i8));
        let quote = _mm_cmpeq_epi8(block, _mm_set1_epi8(b'"' as i8));
        let backslash = _mm_cmpeq_epi8(block, _mm_set1_epi8(b'\\' as i8));
        _mm_movemask_epi8(_mm_or_si128(outside, _mm_or_si128(quote, backslash))) as u32
    }
}

#[cfg(not(any(
    all(target_arch = "wasm32", target_feature = "simd128"),
    all(target_arch = "x86_64", target_feature = "sse2")
)))]
mod imp {
    pub fn special(low: u64, high: u64) -> u32 {
        let bit = |byte: u8| u32::from(byte < b' ' || byte == b'"' || byte == b'\\' || byte >= 0x80);
        let bytes = low.to_le_bytes().into_iter().chain(high.to_le_bytes());
        bytes.enumerate().fold(0, |bits, (at, byte)| bits | (bit(byte) << at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_is_told_apart() {
        for byte in 0..=255u8 {
            for at in 0..BLOCK {
                let mut block = [b'a'; BLOCK];
                block[at] = byte;
                let special_byte = byte < 0x20 || byte == b'"' || byte == b'\\' || byte >= 0x80;
                assert_eq!(special(&block), u32::from(special_byte) << at, "{byte} at {at}");
            }
        }
    }
}
