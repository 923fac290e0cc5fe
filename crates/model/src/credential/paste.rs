//! Takes away what terminals, mail programs and rclone put around and into a pasted text.

use base64::{
    Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use secrecy::zeroize::Zeroizing;

const OPENING: &str = "Paste the following into your remote machine";
const ARROW: &str = "--->";
const CLOSING: &str = "<---End paste";

/// rclone writes its blob without padding; mail programs and people add some.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// The text without white space, byte order mark and quotes around it.
pub(super) fn trim(text: &str) -> &str {
    let is_wrapping = |c: char| {
        c.is_whitespace() || matches!(c, '\u{feff}' | '\'' | '`' | '“' | '”' | '‘' | '’' | '"')
    };
    text.trim_matches(is_wrapping)
}

/// What stands between rclone's paste markers, and whether an opening marker lacks its closing one.
pub(super) fn between_markers(text: &str) -> (&str, bool) {
    let inner = text.find(OPENING).and_then(|start| {
        text[start..]
            .find(ARROW)
            .map(|arrow| start + arrow + ARROW.len())
    });
    let opened = inner.is_some();
    let rest = inner.map_or(text, |start| &text[start..]);
    match rest.find(CLOSING) {
        Some(end) => (&rest[..end], false),
        None => (rest, opened),
    }
}

/// The text without any white space: a terminal breaks long lines in the middle of a token.
pub(super) fn unwrapped(text: &str) -> Zeroizing<String> {
    Zeroizing::new(text.chars().filter(|c| !c.is_whitespace()).collect())
}

/// Whether every character is one of base64, in either alphabet.
pub(super) fn looks_like_base64(text: &str) -> bool {
    text.bytes().all(|byte| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_' | b'=')
    })
}

/// Decodes base64 of either alphabet, padded or not.
pub(super) fn decode_base64(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let standard = Zeroizing::new(text.replace('-', "+").replace('_', "/"));
    LENIENT.decode(standard.as_bytes()).ok().map(Zeroizing::new)
}

/// Whether the text has only characters that occur in tokens and secrets: visible ASCII.
pub(super) fn is_token_text(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_graphic())
}
