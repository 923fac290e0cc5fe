//! Every form a token is pasted in, every thing it is mistaken for, and no echo of a secret.

use base64::{Engine as _, engine::general_purpose};
use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use secrecy::ExposeSecret;

use super::{ClientId, ClientSecretFile, CredentialError, Field, MAX_INPUT, Problem, TokenBlob};

const ACCESS: &str = "ya29.a0CANARY-access_token";
const REFRESH: &str = "1//0gCANARYrefresh-token_x";
const PLAIN: &str = r#"{"access_token":"ya29.a0CANARY-access_token","token_type":"Bearer","refresh_token":"1//0gCANARYrefresh-token_x","expiry":"2026-11-22T14:03:05.123456789+05:30","expires_in":3599}"#;
const LEGACY: &str = r#"{"AccessToken":"ya29.a0CANARY-access_token","RefreshToken":"1//0gCANARYrefresh-token_x","Expiry":"2026-11-22T14:03:05.123456789+05:30"}"#;

fn expiry() -> DateTime<Utc> {
    "2026-11-22T08:33:05.123456789Z".parse().unwrap()
}

fn assert_reads(text: &str) {
    let token = TokenBlob::parse(text).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(token.access_token.as_ref().unwrap().expose_secret(), ACCESS);
    assert_eq!(token.refresh_token.expose_secret(), REFRESH);
    assert_eq!(token.expiry, Some(expiry()));
}

fn problem(text: &str) -> Problem {
    let error = TokenBlob::parse(text).unwrap_err();
    assert_eq!(error.field, Field::Token);
    error.problem
}

fn config_blob() -> String {
    serde_json::json!({ "token": PLAIN, "token_url": "https://evil.example/token" }).to_string()
}

#[test]
fn a_token_reads_the_same_in_every_form_it_is_printed_in() {
    let wrapped_lines: String = PLAIN
        .as_bytes()
        .chunks(40)
        .map(|line| format!("{}\r\n", str::from_utf8(line).unwrap()))
        .collect();
    let forms = [
        PLAIN.to_owned(),
        LEGACY.to_owned(),
        format!("\u{feff}  {PLAIN}\n\n"),
        format!("'{PLAIN}'"),
        format!("“{PLAIN}”"),
        format!("token = {PLAIN}"),
        serde_json::to_string(PLAIN).unwrap(),
        format!("Paste the following into your remote machine --->\n{PLAIN}\n<---End paste\n"),
        format!(
            "2026/11/22 NOTICE: Got code\nPaste the following into your remote machine --->\n{wrapped_lines}<---End paste"
        ),
        wrapped_lines,
        general_purpose::STANDARD_NO_PAD.encode(config_blob()),
        general_purpose::STANDARD.encode(config_blob()),
        general_purpose::URL_SAFE_NO_PAD.encode(config_blob()),
        format!(
            "Paste the following into your remote machine --->\n{}\n<---End paste",
            general_purpose::STANDARD_NO_PAD.encode(config_blob())
        ),
        config_blob(),
        general_purpose::STANDARD.encode(PLAIN),
    ];
    for form in forms {
        assert_reads(&form);
    }
}

#[test]
fn a_token_that_never_had_an_expiry_says_so() {
    let text = format!(r#"{{"refresh_token":"{REFRESH}","expiry":"0001-01-01T00:00:00Z"}}"#);
    let token = TokenBlob::parse(&text).unwrap();
    assert_eq!(token.expiry, None);
    assert!(token.access_token.is_none());
}

#[test]
fn every_other_thing_is_called_by_its_name() {
    let cases: &[(&str, Problem)] = &[
        ("", Problem::Empty),
        (" '' \n", Problem::Empty),
        (
            "Paste the following into your remote machine --->\n",
            Problem::CutOff,
        ),
        (&PLAIN[..60], Problem::CutOff),
        (&PLAIN[20..], Problem::CutOff),
        ("hello", Problem::NotJson),
        ("<html>", Problem::NotJson),
        (r#"{"a":1}"#, Problem::NotAToken),
        (
            r#"{"access_token":"ya29.x","token_type":"Bearer"}"#,
            Problem::NoRefreshToken,
        ),
        (
            r#"{"access_token":"ya29.x","refresh_token":""}"#,
            Problem::NoRefreshToken,
        ),
        (
            r#"{"access_token":"ya29.x","refresh_token":7}"#,
            Problem::Damaged,
        ),
        (r#"{"refresh_token":"1//a\u0000b"}"#, Problem::Damaged),
        (
            r#"{"refresh_token":"1//a","expiry":"tomorrow"}"#,
            Problem::BadExpiry,
        ),
        ("4/0AQlEd8xCANARY", Problem::VerificationCode),
        ("1//0gCANARY", Problem::BareToken),
        ("ya29.CANARY", Problem::BareToken),
        (
            r#"{"access_token":"sl.CANARY","refresh_token":"x","token_type":"bearer"}"#,
            Problem::OtherProvider,
        ),
        (
            r#"{"access_token":"x","refresh_token":"x","token_type":"mac"}"#,
            Problem::OtherProvider,
        ),
        (
            r#"{"type":"service_account","private_key":"CANARY"}"#,
            Problem::ServiceAccountKey,
        ),
        (
            r#"{"type":"authorized_user","client_id":"a","client_secret":"b","refresh_token":"CANARY"}"#,
            Problem::GcloudLogin,
        ),
        (
            r#"{"installed":{"client_id":"a","client_secret":"CANARY"}}"#,
            Problem::ClientFileAsToken,
        ),
        (
            r#"{"client_id":"a","client_secret":"CANARY"}"#,
            Problem::RequestBlob,
        ),
        (r#"{"token":7}"#, Problem::Damaged),
    ];
    for (text, expected) in cases {
        assert_eq!(problem(text), *expected, "{text}");
    }
}

#[test]
fn a_blob_cut_anywhere_is_never_read() {
    let blob = general_purpose::STANDARD_NO_PAD.encode(config_blob());
    for end in 4..blob.len() - 1 {
        assert_eq!(problem(&blob[..end]), Problem::CutOff, "{end}");
    }
}

#[test]
fn a_dead_token_that_cannot_be_renewed_is_told_from_a_living_one() {
    let text = r#"{"access_token":"ya29.x","expiry":"2026-11-22T08:00:00Z"}"#;
    let dies_at: DateTime<Utc> = "2026-11-22T08:00:00Z".parse().unwrap();
    let at = |now| TokenBlob::parse_at(text, now).unwrap_err().problem;
    assert_eq!(at(dies_at), Problem::ExpiredWithoutRefreshToken);
    assert_eq!(at(dies_at - TimeDelta::seconds(1)), Problem::NoRefreshToken);
}

#[test]
fn a_text_beyond_the_limit_is_not_looked_at() {
    assert_eq!(problem(&"{".repeat(MAX_INPUT + 1)), Problem::TooLong);
    assert_ne!(problem(&"{".repeat(MAX_INPUT)), Problem::TooLong);
    assert_ne!(problem(&r#"{"a":"#.repeat(12_000)), Problem::TooLong);
}

#[test]
fn an_error_names_the_field_what_is_wrong_and_what_to_do() {
    let error = TokenBlob::parse(r#"{"access_token":"ya29.x"}"#).unwrap_err();
    assert_eq!(
        error.to_string(),
        "token: has no refresh_token; run rclone authorize again with access_type offline: first remove the app \
         under 'Third-party access' of the Google account, then sign in anew"
    );
}

#[test]
fn a_client_id_knows_its_cloud_project() {
    let id = ClientId::parse(" 123456789012-abc0def.apps.googleusercontent.com\n").unwrap();
    assert_eq!(id.project().to_string(), "123456789012");
    assert_eq!(
        id.to_string(),
        "123456789012-abc0def.apps.googleusercontent.com"
    );
}

#[test]
fn what_is_no_client_id_is_refused() {
    let not = CredentialError {
        field: Field::ClientId,
        problem: Problem::NotClientId,
    };
    for text in [
        "123",
        "abc-def.apps.googleusercontent.com",
        "123-.apps.googleusercontent.com",
        "123-a b.apps.googleusercontent.com",
        "123-abc.apps.googleusercontent.com.evil.example",
        "-abc.apps.googleusercontent.com",
        "123-abc/../x.apps.googleusercontent.com",
    ] {
        assert_eq!(ClientId::parse(text), Err(not), "{text}");
    }
    assert_eq!(ClientId::parse("\"\"").unwrap_err().problem, Problem::Empty);
}

#[test]
fn googles_client_file_gives_id_and_secret() {
    for part in ["installed", "web"] {
        let text = format!(
            r#"{{"{part}":{{"client_id":"123-abc.apps.googleusercontent.com","project_id":"p","token_uri":"https://evil.example","client_secret":"GOCSPX-CANARY"}}}}"#
        );
        let file = ClientSecretFile::parse(&text).unwrap();
        assert_eq!(
            file.client_id.as_str(),
            "123-abc.apps.googleusercontent.com"
        );
        assert_eq!(file.client_secret.expose_secret(), "GOCSPX-CANARY");
        assert!(!format!("{file:?}").contains("CANARY"));
    }
}

#[test]
fn what_is_no_client_file_is_called_by_its_name() {
    let cases: &[(&str, Problem)] = &[
        (PLAIN, Problem::TokenAsClientFile),
        (r#"{"type":"service_account"}"#, Problem::ServiceAccountKey),
        (
            r#"{"installed":{"client_id":"123-abc.apps.googleusercontent.com"}}"#,
            Problem::NotAClientFile,
        ),
        (
            r#"{"installed":{"client_id":"x","client_secret":"CANARY"}}"#,
            Problem::NotClientId,
        ),
        (r#"{"installed":{"client_id""#, Problem::CutOff),
        ("no", Problem::NotAClientFile),
        ("", Problem::Empty),
    ];
    for (text, expected) in cases {
        assert_eq!(
            ClientSecretFile::parse(text).unwrap_err().problem,
            *expected,
            "{text}"
        );
    }
}

/// The token text, damaged: cut, with bytes replaced, doubled, or wrapped.
fn damaged() -> impl Strategy<Value = String> {
    let source = prop_oneof![
        Just(PLAIN.to_owned()),
        Just(LEGACY.to_owned()),
        Just(general_purpose::STANDARD_NO_PAD.encode(config_blob())),
    ];
    (
        source,
        any::<prop::sample::Index>(),
        any::<prop::sample::Index>(),
        any::<char>(),
    )
        .prop_map(|(mut text, from, to, with)| {
            let (from, to) = (from.index(text.len()), to.index(text.len()));
            text.replace_range(from.min(to)..from.max(to), &with.to_string());
            text
        })
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused_without_a_panic(text in any::<String>()) {
        let _ = TokenBlob::parse(&text);
        let _ = ClientId::parse(&text);
        let _ = ClientSecretFile::parse(&text);
    }

    #[test]
    fn a_damaged_token_never_echoes_its_secrets(text in damaged()) {
        let shown = match TokenBlob::parse(&text) {
            Ok(token) => format!("{token:?}"),
            Err(error) => format!("{error} {error:?}"),
        };
        prop_assert!(!shown.contains("CANARY"), "{shown}");
    }

    #[test]
    fn any_token_survives_any_form(secret in "[!#-\\[\\]-~]{1,200}") {
        let refresh = format!("1//{secret}");
        let json = serde_json::json!({ "refresh_token": &refresh }).to_string();
        let blob = general_purpose::STANDARD_NO_PAD.encode(serde_json::json!({ "token": &json }).to_string());
        for form in [json, blob] {
            let token = TokenBlob::parse(&form).unwrap();
            prop_assert_eq!(token.refresh_token.expose_secret(), &refresh);
        }
    }
}
