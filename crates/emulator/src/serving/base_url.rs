//! Base URLs: an opaque word that says which item it is for and when it was issued, so that nothing is kept.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::mix::mix2;
use crate::state::ids::Key;

/// Path prefix of base URLs on the emulator's own address.
pub(crate) const PREFIX: &str = "/lh3/";
const LONG: usize = 96;
/// The first byte of what the Picker gives.
const PICKED: u8 = 1;

/// What a base URL says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ticket {
    pub(crate) key: Key,
    pub(crate) issued_ms: i64,
    /// The Picker gave it: its bytes take the access token of whoever picked.
    pub(crate) picked: bool,
}

/// Appends the opaque word for an item at a time. It is as long as Google's are, to keep buffers honest.
pub(crate) fn push_word(out: &mut String, ticket: Ticket, seed: u64) {
    let mut text = [0_u8; LONG / 3 * 4];
    let written = URL_SAFE_NO_PAD.encode_slice(raw(ticket, seed), &mut text);
    debug_assert_eq!(written.ok(), Some(text.len()));
    out.push_str(std::str::from_utf8(&text).unwrap_or_default());
}

/// Reads a word that this emulator issued.
pub(crate) fn parse(word: &str, seed: u64) -> Option<Ticket> {
    let found: [u8; LONG] = URL_SAFE_NO_PAD.decode(word).ok()?.try_into().ok()?;
    let key = u64::from_be_bytes(found[2..10].try_into().ok()?) ^ seed;
    let issued = i64::from_be_bytes(found[10..18].try_into().ok()?);
    let ticket = Ticket {
        key: Key(key),
        issued_ms: issued,
        picked: found[0] == PICKED,
    };
    (raw(ticket, seed) == found).then_some(ticket)
}

fn raw(ticket: Ticket, seed: u64) -> [u8; LONG] {
    let mut out = [0_u8; LONG];
    out[0] = if ticket.picked { PICKED } else { 0 };
    out[1] = 0xcf;
    out[2..10].copy_from_slice(&(ticket.key.0 ^ seed).to_be_bytes());
    out[10..18].copy_from_slice(&ticket.issued_ms.to_be_bytes());
    let mut word = mix2(seed ^ 0x77, ticket.key.0 ^ ticket.issued_ms.cast_unsigned());
    for chunk in out[18..].chunks_mut(8) {
        chunk.copy_from_slice(&word.to_be_bytes()[..chunk.len()]);
        word = mix2(word, 1);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_read_back_and_a_forged_one_refused() {
        let ticket = Ticket {
            key: Key::new(2, 7),
            issued_ms: 1_700_000_000_123,
            picked: true,
        };
        let mut word = String::new();
        push_word(&mut word, ticket, 3);
        assert_eq!(parse(&word, 3), Some(ticket));
        assert_eq!(parse(&word, 4), None);
    }
}
