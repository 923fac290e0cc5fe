//! The upload token that an answer holds.

use tintype_ports::photos::UploadToken;

use crate::{
    attempt::Answer,
    failure::{Failure, unreadable},
};

/// Google's tokens have some 200 characters; nothing near this limit is one.
const LONGEST_TOKEN: usize = 8 * 1024;

/// The answer is the token itself.
pub(super) fn read(answer: &Answer) -> Result<UploadToken, Failure> {
    token(&answer.body).ok_or_else(|| unreadable("it is no upload token"))
}

fn token(body: &[u8]) -> Option<UploadToken> {
    let text = std::str::from_utf8(body).ok()?.trim();
    let is_token = (1..=LONGEST_TOKEN).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_graphic());
    is_token.then(|| UploadToken::new(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_no_token() {
        assert_eq!(token(b"CAIS-x_1\n").unwrap().expose(), "CAIS-x_1");
        for wrong in [&b""[..], b"<html> </html>", b"\xff", &[b'a'; 9000]] {
            assert!(token(wrong).is_none());
        }
    }
}
