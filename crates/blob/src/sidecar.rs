//! Sidecars of mirrored files: the caller's JSON object, with a last field that shows damage.

use tintype_model::BlobHash;
use tintype_ports::ArchiveError;

const FIELD: &str = ",\"check\":\"";
const END: &str = "\"}\n";

/// Adds the field `check`: BLAKE3 of all bytes before it.
pub(crate) fn with_check(json: &str) -> Result<String, ArchiveError> {
    let fields: Option<serde_json::Map<String, serde_json::Value>> =
        serde_json::from_str(json).ok();
    let is_object = fields.is_some_and(|it| !it.is_empty() && !it.contains_key("check"));
    let body = json.trim_end().strip_suffix('}').map(str::trim_end);
    match body {
        Some(body) if is_object => Ok(format!(
            "{body}{FIELD}{}{END}",
            BlobHash::of(body.as_bytes())
        )),
        _ => Err(ArchiveError::Settings(
            "a sidecar is a JSON object with at least one field and none called check".to_owned(),
        )),
    }
}

/// Whether a sidecar is as it was written.
pub(crate) fn is_intact(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return false;
    };
    let Some((body, digits)) = text.rsplit_once(FIELD) else {
        return false;
    };
    digits.strip_suffix(END) == Some(BlobHash::of(body.as_bytes()).to_string().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sidecar_stays_json_and_shows_every_flipped_bit() {
        let text = with_check("{\n  \"id\": \"a\"\n}\n").unwrap();
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(json["id"], "a");
        assert!(is_intact(text.as_bytes()));
        for bit in 0..text.len() * 8 {
            let mut damaged = text.clone().into_bytes();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert!(!is_intact(&damaged), "bit {bit} may not be flipped");
        }
    }
}
