//! The token that `rclone authorize "google photos"` prints, in every form it is printed in.

use chrono::{DateTime, Datelike, Utc};
use secrecy::SecretString;
use serde_json::{Map, Value};

use super::{CredentialError, Field, MAX_INPUT, Problem, paste};

/// How tokens of other providers begin: Dropbox, then Microsoft's opaque ones, then JWTs (Microsoft, Box).
const FOREIGN_ACCESS_TOKENS: [&str; 5] = ["sl.", "EwA", "EwB", "EwC", "eyJ"];

/// An OAuth token of a Google account. Any endpoint named in the pasted text is ignored.
#[derive(Debug, Clone)]
pub struct TokenBlob {
    /// The access token, perhaps dead already.
    pub access_token: Option<SecretString>,
    /// What new access tokens are had with.
    pub refresh_token: SecretString,
    /// When the access token dies; `None` where the text does not say.
    pub expiry: Option<DateTime<Utc>>,
}

impl TokenBlob {
    /// Reads a pasted token: plain JSON, the legacy members `AccessToken`, `RefreshToken`, `Expiry`, or rclone's base64
    /// config blob; with or without paste markers, quotes and broken lines.
    ///
    /// # Errors
    /// When there is no lasting Google token in it; the error says what the text is instead where that can be told.
    pub fn parse(text: &str) -> Result<Self, CredentialError> {
        read(text, None).map_err(|problem| CredentialError::new(Field::Token, problem))
    }

    /// Like [`Self::parse`], and tells a token that has died already from one that merely cannot be renewed.
    ///
    /// # Errors
    /// As [`Self::parse`].
    pub fn parse_at(text: &str, now: DateTime<Utc>) -> Result<Self, CredentialError> {
        read(text, Some(now)).map_err(|problem| CredentialError::new(Field::Token, problem))
    }
}

fn read(text: &str, now: Option<DateTime<Utc>>) -> Result<TokenBlob, Problem> {
    if text.len() > MAX_INPUT {
        return Err(Problem::TooLong);
    }
    let (inner, unclosed) = paste::between_markers(text);
    let trimmed = paste::trim(inner);
    let core = strip_config_key(trimmed);
    if core.is_empty() {
        return Err(if unclosed {
            Problem::CutOff
        } else {
            Problem::Empty
        });
    }
    let object = if core.starts_with('{') {
        json_object(core)?
    } else {
        blob_object(core)?
    };
    from_object(&object, now)
}

/// `token = {…}` is how the token stands in rclone's configuration file.
fn strip_config_key(text: &str) -> &str {
    text.strip_prefix("token")
        .and_then(|rest| rest.trim_start().strip_prefix('='))
        .map_or(text, paste::trim)
}

fn json_object(text: &str) -> Result<Map<String, Value>, Problem> {
    if let Ok(object) = serde_json::from_str(text) {
        return Ok(object);
    }
    let unwrapped = paste::unwrapped(text);
    if let Ok(object) = serde_json::from_str(&unwrapped) {
        return Ok(object);
    }
    // A JSON string that holds the JSON: quotes were trimmed away, the backslashes are still there.
    let quoted = secrecy::zeroize::Zeroizing::new(format!("\"{}\"", unwrapped.as_str()));
    let inner = serde_json::from_str::<String>(&quoted).map(secrecy::zeroize::Zeroizing::new);
    if let Some(object) = inner
        .ok()
        .and_then(|inner| serde_json::from_str(&inner).ok())
    {
        return Ok(object);
    }
    match serde_json::from_str::<Map<String, Value>>(&unwrapped) {
        Err(error) if error.is_eof() => Err(Problem::CutOff),
        _ => Err(Problem::NotJson),
    }
}

/// rclone's blob: base64, without padding, of a JSON object of configuration values.
fn blob_object(text: &str) -> Result<Map<String, Value>, Problem> {
    let unwrapped = paste::unwrapped(text);
    if !paste::looks_like_base64(&unwrapped) {
        return Err(not_a_blob(&unwrapped));
    }
    let Some(bytes) = paste::decode_base64(&unwrapped) else {
        // One character cannot stand alone: the last of a blob that is otherwise well formed was lost.
        let begins_like_json = unwrapped.starts_with("ey");
        return Err(if begins_like_json {
            Problem::CutOff
        } else {
            not_a_blob(&unwrapped)
        });
    };
    serde_json::from_slice(&bytes).map_err(|error| {
        if error.is_eof() && bytes.starts_with(b"{") {
            Problem::CutOff
        } else {
            not_a_blob(&unwrapped)
        }
    })
}

fn not_a_blob(text: &str) -> Problem {
    if text.starts_with("4/") {
        return Problem::VerificationCode;
    }
    if text.starts_with("ya29.") || text.starts_with("1//") || text.starts_with("1/") {
        return Problem::BareToken;
    }
    if text.contains("refresh_token\"") || text.contains("RefreshToken\"") || text.ends_with('}') {
        return Problem::CutOff;
    }
    Problem::NotJson
}

fn from_object(
    object: &Map<String, Value>,
    now: Option<DateTime<Utc>>,
) -> Result<TokenBlob, Problem> {
    if is_token(object) {
        return from_token(object, now);
    }
    match object.get("token") {
        Some(Value::String(text)) => from_token(&json_object(paste::trim(text))?, now),
        Some(Value::Object(token)) => from_token(token, now),
        Some(_) => Err(Problem::Damaged),
        None => Err(foreign(object)),
    }
}

fn is_token(object: &Map<String, Value>) -> bool {
    [
        "access_token",
        "refresh_token",
        "AccessToken",
        "RefreshToken",
    ]
    .iter()
    .any(|name| object.contains_key(*name))
}

/// What an object without a token is, as far as that can be told.
fn foreign(object: &Map<String, Value>) -> Problem {
    let kind = object.get("type").and_then(Value::as_str);
    if kind == Some("service_account") || object.contains_key("private_key") {
        return Problem::ServiceAccountKey;
    }
    if object.contains_key("installed") || object.contains_key("web") {
        return Problem::ClientFileAsToken;
    }
    // rclone's request blob holds the settings that differ from the defaults; its secrets are never files of Google.
    if object.contains_key("client_secret") || object.contains_key("client_id") {
        return Problem::RequestBlob;
    }
    Problem::NotAToken
}

fn from_token(
    object: &Map<String, Value>,
    now: Option<DateTime<Utc>>,
) -> Result<TokenBlob, Problem> {
    if !is_token(object) {
        return Err(foreign(object));
    }
    if object.get("type").and_then(Value::as_str) == Some("authorized_user") {
        return Err(Problem::GcloudLogin);
    }
    let token_type = text_member(object, &["token_type"])?;
    if token_type.is_some_and(|kind| !kind.eq_ignore_ascii_case("bearer")) {
        return Err(Problem::OtherProvider);
    }
    let access_token = text_member(object, &["access_token", "AccessToken"])?;
    if access_token.is_some_and(is_foreign_token) {
        return Err(Problem::OtherProvider);
    }
    let expiry = expiry(object)?;
    let Some(refresh_token) = text_member(object, &["refresh_token", "RefreshToken"])? else {
        let is_dead = now.zip(expiry).is_some_and(|(now, expiry)| expiry <= now);
        return Err(if is_dead {
            Problem::ExpiredWithoutRefreshToken
        } else {
            Problem::NoRefreshToken
        });
    };
    Ok(TokenBlob {
        access_token: access_token.map(SecretString::from),
        refresh_token: SecretString::from(refresh_token),
        expiry,
    })
}

fn is_foreign_token(token: &str) -> bool {
    FOREIGN_ACCESS_TOKENS
        .iter()
        .any(|beginning| token.starts_with(beginning))
}

/// The first of these members that is there and not empty.
fn text_member<'a>(
    object: &'a Map<String, Value>,
    names: &[&str],
) -> Result<Option<&'a str>, Problem> {
    for name in names {
        match object.get(*name) {
            None | Some(Value::Null) => {}
            Some(Value::String(text)) if text.is_empty() => {}
            Some(Value::String(text)) if paste::is_token_text(text) => return Ok(Some(text)),
            Some(_) => return Err(Problem::Damaged),
        }
    }
    Ok(None)
}

fn expiry(object: &Map<String, Value>) -> Result<Option<DateTime<Utc>>, Problem> {
    let Some(text) = text_member(object, &["expiry", "Expiry"])? else {
        return Ok(None);
    };
    let at = DateTime::parse_from_rfc3339(text)
        .map_err(|_| Problem::BadExpiry)?
        .to_utc();
    // Go writes year 1 for "never set".
    Ok((at.year() > 1).then_some(at))
}
