//! Small steps that all streaming walks share: gather a few bytes, skip many.

use tintype_model::fidelity::Dimensions;

/// Collects a few bytes that may arrive in pieces.
#[derive(Debug, Default)]
pub(crate) struct Gather {
    bytes: Vec<u8>,
}

impl Gather {
    /// The next `want` bytes, once they are all here; the gathering then begins anew.
    pub(crate) fn take(&mut self, data: &mut &[u8], want: usize) -> Option<Vec<u8>> {
        let missing = want.saturating_sub(self.bytes.len()).min(data.len());
        let (taken, rest) = data.split_at(missing);
        self.bytes.extend_from_slice(taken);
        *data = rest;
        (self.bytes.len() >= want).then(|| std::mem::take(&mut self.bytes))
    }

    /// Gathers on behind these bytes.
    pub(crate) fn go_on_behind(&mut self, bytes: &[u8]) {
        self.bytes = bytes.to_vec();
    }

    /// What is gathered so far.
    pub(crate) fn gathered(&self) -> &[u8] {
        &self.bytes
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }
}

/// Skips up to `left` bytes and returns those that were skipped; `left` shrinks by as many.
pub(crate) fn skip<'a>(left: &mut u64, data: &mut &'a [u8]) -> &'a [u8] {
    let here = usize::try_from(*left).unwrap_or(usize::MAX).min(data.len());
    let (skipped, rest) = data.split_at(here);
    *data = rest;
    *left -= here as u64;
    skipped
}

pub(crate) fn be16(bytes: &[u8], at: usize) -> Option<u16> {
    bytes
        .get(at..at + 2)?
        .try_into()
        .ok()
        .map(u16::from_be_bytes)
}

pub(crate) fn be32(bytes: &[u8], at: usize) -> Option<u32> {
    bytes
        .get(at..at + 4)?
        .try_into()
        .ok()
        .map(u32::from_be_bytes)
}

pub(crate) fn be64(bytes: &[u8], at: usize) -> Option<u64> {
    bytes
        .get(at..at + 8)?
        .try_into()
        .ok()
        .map(u64::from_be_bytes)
}

pub(crate) fn le16(bytes: &[u8], at: usize) -> Option<u16> {
    bytes
        .get(at..at + 2)?
        .try_into()
        .ok()
        .map(u16::from_le_bytes)
}

pub(crate) fn le24(bytes: &[u8], at: usize) -> Option<u32> {
    let &[a, b, c] = bytes.get(at..at + 3)? else {
        return None;
    };
    Some(u32::from_le_bytes([a, b, c, 0]))
}

pub(crate) fn le32(bytes: &[u8], at: usize) -> Option<u32> {
    bytes
        .get(at..at + 4)?
        .try_into()
        .ok()
        .map(u32::from_le_bytes)
}

/// A size in pixels, where both sides are known.
pub(crate) fn size(width: u32, height: u32) -> Option<Dimensions> {
    (width > 0 && height > 0).then_some(Dimensions { width, height })
}
