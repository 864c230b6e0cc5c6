//! Looks at sixteen bytes at a time: what cannot stand in a JSON string as it is, and what is UTF-8.

/// How many bytes are looked at together.
pub const BLOCK: usize = 16;

/// How many bytes are looked at together where they are likely to be plain.
pub const WIDE: usize = 4 * BLOCK;

/// Whether none of these bytes is `special`.
#[inline(always)]
pub fn is_plain(wide: &[u8; WIDE]) -> bool {
    let (blocks, _) = wide.as_chunks::<BLOCK>();
    blocks.iter().fold(0, |special, block| special | Block::of(block).special()) == 0
}

/// Sixteen bytes.
#[derive(Clone, Copy)]
pub struct Block {
    low: u64,
    high: u64,
}

impl Block {
    #[inline(always)]
    pub fn of(bytes: &[u8; BLOCK]) -> Block {
        let both = u128::from_le_bytes(*bytes);
        Block { low: both as u64, high: (both >> 64) as u64 }
    }

    /// Fewer than sixteen bytes, and zeros behind them. A longer text is cut.
    #[inline(always)]
    pub fn padded(bytes: &[u8]) -> Block {
        let length = bytes.len();
        if let (Some(first), Some(last)) = (bytes.first_chunk::<8>(), bytes.last_chunk::<8>()) {
            // The two overlap; what they share is shifted out.
            let high = (u64::from_le_bytes(*last) >> 8).unbounded_shr(8 * (15 - length.min(15)) as u32);
            return Block { low: u64::from_le_bytes(*first), high };
        }
        if let (Some(first), Some(last)) = (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
            let last = u64::from(u32::from_le_bytes(*last)) << (8 * (length - 4));
            return Block { low: u64::from(u32::from_le_bytes(*first)) | last, high: 0 };
        }
        let byte = |at: usize| bytes.get(at).map_or(0, |byte| u64::from(*byte) << (8 * at));
        Block { low: byte(0) | byte(1) | byte(2), high: 0 }
    }

    #[inline(always)]
    pub fn bytes(self) -> [u8; BLOCK] {
        (u128::from(self.low) | (u128::from(self.high) << 64)).to_le_bytes()
    }

    /// A bit for every byte that is a control character, a quote, a backslash or not ASCII; the lowest bit
    /// is the first byte.
    #[inline(always)]
    pub fn special(self) -> u32 {
        imp::special(self.low, self.high)
    }

    /// A bit for every byte that is not ASCII.
    #[inline(always)]
    pub fn foreign(self) -> u32 {
        imp::below(self.low, self.high, 0)
    }

    /// How many bytes at the start are whole characters of valid UTF-8, none of them one of the `special`
    /// that are ASCII.
    // Apart, so that text without such characters does not carry it along.
    #[inline(never)]
    pub fn characters(self, special: u32) -> usize {
        let below = |bound: i8| imp::below(self.low, self.high, bound);
        let equal = |byte: u8| imp::equal(self.low, self.high, byte);
        // Bytes as signed numbers: 0x80 is the least, 0xFF is -1.
        let foreign = below(0);
        let following = below(-0x40);
        let lead = foreign & !following;
        let of_three = lead & !below(-0x20);
        let of_four = lead & !below(-0x10);
        let expected = (lead << 1) | (of_three << 2) | (of_four << 3);
        // 0xC0 and 0xC1 begin nothing that is not shorter; above 0xF4 there are no characters.
        let never = lead & (below(-0x3E) | !below(-0x0B));
        let mut wrong = (expected ^ following) | never;
        let [three, surrogate, four, last] = [equal(0xE0), equal(0xED), equal(0xF0), equal(0xF4)];
        if three | surrogate | four | last != 0 {
            let (under_90, under_a0) = (below(-0x70), below(-0x60));
            wrong |= ((three << 1) & under_a0) | ((surrogate << 1) & !under_a0);
            wrong |= ((four << 1) & under_90) | ((last << 1) & !under_90);
        }
        let escaped = special & !foreign;
        let stop = (wrong | escaped | (1 << BLOCK)).trailing_zeros();
        if (expected >> stop) & 1 == 0 {
            return stop as usize;
        }
        // A character is cut, by what stands here or by the block's end.
        let before = lead & ((1 << stop) - 1);
        before.checked_ilog2().unwrap_or(0) as usize
    }
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

    #[inline(always)]
    pub fn below(low: u64, high: u64, bound: i8) -> u32 {
        u32::from(i8x16_bitmask(i8x16_lt(u64x2(low, high), i8x16_splat(bound))))
    }

    #[inline(always)]
    pub fn equal(low: u64, high: u64, byte: u8) -> u32 {
        u32::from(i8x16_bitmask(i8x16_eq(u64x2(low, high), i8x16_splat(byte as i8))))
    }
}

#[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
#[expect(unsafe_code, reason = "SSE2 is part of x86-64, and this module exists only where it is on")]
mod imp {
    use core::arch::x86_64::{
        _mm_cmpeq_epi8, _mm_cmplt_epi8, _mm_movemask_epi8, _mm_or_si128, _mm_set_epi64x, _mm_set1_epi8,
    };

    #[inline(always)]
    pub fn special(low: u64, high: u64) -> u32 {
        // SAFETY: the instructions are there.
        unsafe {
            let block = _mm_set_epi64x(high as i64, low as i64);
            // As signed numbers, bytes that are not ASCII are below the space too.
            let outside = _mm_cmplt_epi8(block, _mm_set1_epi8(b' ' as i8));
            let quote = _mm_cmpeq_epi8(block, _mm_set1_epi8(b'"' as i8));
            let backslash = _mm_cmpeq_epi8(block, _mm_set1_epi8(b'\\' as i8));
            _mm_movemask_epi8(_mm_or_si128(outside, _mm_or_si128(quote, backslash))) as u32
        }
    }

    #[inline(always)]
    pub fn below(low: u64, high: u64, bound: i8) -> u32 {
        // SAFETY: as above.
        unsafe {
            let block = _mm_set_epi64x(high as i64, low as i64);
            _mm_movemask_epi8(_mm_cmplt_epi8(block, _mm_set1_epi8(bound))) as u32
        }
    }

    #[inline(always)]
    pub fn equal(low: u64, high: u64, byte: u8) -> u32 {
        // SAFETY: as above.
        unsafe {
            let block = _mm_set_epi64x(high as i64, low as i64);
            _mm_movemask_epi8(_mm_cmpeq_epi8(block, _mm_set1_epi8(byte as i8))) as u32
        }
    }
}

#[cfg(not(any(
    all(target_arch = "wasm32", target_feature = "simd128"),
    all(target_arch = "x86_64", target_feature = "sse2")
)))]
mod imp {
    pub fn special(low: u64, high: u64) -> u32 {
        bits(low, high, |byte| byte < b' ' || byte == b'"' || byte == b'\\' || byte >= 0x80)
    }

    pub fn below(low: u64, high: u64, bound: i8) -> u32 {
        bits(low, high, |byte| (byte as i8) < bound)
    }

    pub fn equal(low: u64, high: u64, other: u8) -> u32 {
        bits(low, high, |byte| byte == other)
    }

    fn bits(low: u64, high: u64, holds: impl Fn(u8) -> bool) -> u32 {
        let bytes = low.to_le_bytes().into_iter().chain(high.to_le_bytes());
        bytes.enumerate().fold(0, |bits, (at, byte)| bits | (u32::from(holds(byte)) << at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_byte_is_told_apart() {
        for byte in 0..=255u8 {
            for at in 0..BLOCK {
                let mut block = [b'a'; BLOCK];
                block[at] = byte;
                let special_byte = byte < 0x20 || byte == b'"' || byte == b'\\' || byte >= 0x80;
                let block = Block::of(&block);
                assert_eq!(block.special(), u32::from(special_byte) << at, "{byte} at {at}");
                assert_eq!(block.foreign(), u32::from(byte >= 0x80) << at, "{byte} at {at}");
            }
        }
    }

    #[test]
    fn a_short_text_is_padded_with_zeros() {
        let text = *b"0123456789abcdef";
        for length in 0..BLOCK {
            let mut expected = [0; BLOCK];
            expected[..length].copy_from_slice(&text[..length]);
            assert_eq!(Block::padded(&text[..length]).bytes(), expected, "{length}");
        }
    }

    /// Whole characters that need no escape at the start of a block, as the standard library sees it.
    fn characters(block: &[u8; BLOCK]) -> usize {
        let plain = |byte: &u8| *byte >= b' ' && *byte != b'"' && *byte != b'\\';
        let end = block.iter().position(|byte| !plain(byte)).unwrap_or(BLOCK);
        std::str::from_utf8(&block[..end]).map_or_else(|error| error.valid_up_to(), str::len)
    }

    #[test]
    fn every_beginning_of_a_character_is_told_from_what_is_none() {
        // All pairs of bytes, with continuations behind them, at the block's start and across its end.
        for (first, second) in (0..=255u8).flat_map(|first| (0..=255u8).map(move |second| (first, second))) {
            for (at, tail) in
                [(0, [0x80, 0xBF, b'z']), (9, [0x80, b'z', b'z']), (14, [0; 3]), (11, [0xBF, 0x80, 0x80])]
            {
                let mut block = [b'a'; BLOCK];
                let text = [first, second, tail[0], tail[1], tail[2]];
                let length = text.len().min(BLOCK - at);
                block[at..at + length].copy_from_slice(&text[..length]);
                let looked_at = Block::of(&block);
                assert_eq!(looked_at.characters(looked_at.special()), characters(&block), "{block:x?}");
            }
        }
    }

    proptest! {
        #[test]
        fn characters_are_those_of_the_standard_library(
            text in "[a-c\"\\\\\u{80}\u{7FF}\u{800}\u{D7FF}\u{E000}\u{FFFF}\u{10000}\u{10FFFF}\u{0}ž你🐎]{16}",
            skip in 0usize..4,
            broken in proptest::option::of((0..BLOCK, any::<u8>())),
        ) {
            let mut block = *text.as_bytes()[skip.min(text.len() - BLOCK)..].first_chunk::<BLOCK>().unwrap();
            if let Some((at, byte)) = broken {
                block[at] = byte;
            }
            let looked_at = Block::of(&block);
            prop_assert_eq!(looked_at.characters(looked_at.special()), characters(&block));
        }
    }
}
