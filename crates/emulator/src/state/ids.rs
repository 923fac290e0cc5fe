//! Keys and ids: a key is a small number inside, an id is what Google would show, and each follows from the other.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::mix::{mix, mix2};

const INDEX_BITS: u32 = 40;
/// The set that holds stored (not generated) items.
pub(crate) const STORED: u64 = 0;
/// The set number of albums.
pub(crate) const ALBUMS: u64 = (1 << (64 - INDEX_BITS)) - 1;
const ID_BYTES: usize = 42;

/// A set number in the high 24 bits and an index in the low 40.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Key(pub(crate) u64);

impl Key {
    pub(crate) fn new(set: u64, index: u64) -> Self {
        debug_assert!(index < 1 << INDEX_BITS && set <= ALBUMS);
        Self(set << INDEX_BITS | index)
    }

    pub(crate) fn set(self) -> u64 {
        self.0 >> INDEX_BITS
    }

    pub(crate) fn index(self) -> u64 {
        self.0 & ((1 << INDEX_BITS) - 1)
    }

    pub(crate) fn place(self) -> usize {
        usize::try_from(self.index()).unwrap_or(usize::MAX)
    }

    /// Appends the 56-character id of this key.
    pub(crate) fn push_id(self, seed: u64, out: &mut String) {
        let mut text = [0_u8; ID_BYTES / 3 * 4];
        let written = URL_SAFE_NO_PAD.encode_slice(raw_id(self.0, seed), &mut text);
        debug_assert_eq!(written.ok(), Some(text.len()));
        out.push_str(std::str::from_utf8(&text).unwrap_or_default());
    }

    pub(crate) fn id(self, seed: u64) -> String {
        let mut out = String::with_capacity(ID_BYTES / 3 * 4);
        self.push_id(seed, &mut out);
        out
    }

    /// The key of an id that this emulator made; `None` for anything else.
    pub(crate) fn parse(id: &str, seed: u64) -> Option<Self> {
        let raw: [u8; ID_BYTES] = URL_SAFE_NO_PAD.decode(id).ok()?.try_into().ok()?;
        let masked = u64::from_be_bytes(raw[2..10].try_into().ok()?);
        let key = masked ^ mask(seed);
        (raw_id(key, seed) == raw).then_some(Self(key))
    }
}

fn mask(seed: u64) -> u64 {
    mix(seed ^ 0x7469_6e74_7970_6531)
}

fn raw_id(key: u64, seed: u64) -> [u8; ID_BYTES] {
    let mut raw = [0_u8; ID_BYTES];
    // Google's ids begin with "A"; 0x00.. in base64 does too.
    raw[1] = 0x9f;
    raw[2..10].copy_from_slice(&(key ^ mask(seed)).to_be_bytes());
    for (step, chunk) in (0_u64..).zip(raw[10..].chunks_exact_mut(8)) {
        chunk.copy_from_slice(&mix2(seed ^ step, key).to_be_bytes());
    }
    raw
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_leads_back_to_its_key_and_a_changed_one_to_nothing() {
        let key = Key::new(3, 499_999);
        let id = key.id(7);
        assert_eq!(id.len(), 56);
        assert_eq!(Key::parse(&id, 7), Some(key));
        assert_eq!(Key::parse(&id, 8), None);
        let last = if id.ends_with('A') { "B" } else { "A" };
        assert_eq!(Key::parse(&format!("{}{last}", &id[..55]), 7), None);
    }
}
