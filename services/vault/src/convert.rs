//! Between the contract's types and the port's. What a caller got wrong is told by field.

use std::{fmt::Display, str::FromStr};

use secrecy::SecretString;
use tintype_model::storage::GoogleScope;
use tintype_ports::vault::{
    AuditEntry, KeyStanding, OAuthClient, RefusedBy, Secret, SecretInfo, SignInAnswer,
    SignInRequest,
};
use tintype_proto::vault::v1;
use tonic::Status;

/// The longest text field that is not a token.
const LONGEST: usize = 4096;

pub(crate) fn id<T>(field: &str, text: &str) -> Result<T, Status>
where
    T: FromStr,
    T::Err: Display,
{
    text.parse()
        .map_err(|error| Status::invalid_argument(format!("{field}: {error}")))
}

pub(crate) fn secret(credential: Option<v1::Credential>) -> Result<Secret, Status> {
    use v1::credential::Kind;
    let kind = credential.and_then(|credential| credential.kind);
    match kind.ok_or_else(|| Status::invalid_argument("credential: it is missing"))? {
        Kind::Google(mut google) => Ok(Secret::Google {
            client_id: filled("credential.google.client_id", &mut google.client_id)?,
            client_secret: hidden("credential.google.client_secret", &mut google.client_secret)?,
            refresh_token: hidden("credential.google.refresh_token", &mut google.refresh_token)?,
        }),
        Kind::S3(mut s3) => Ok(Secret::S3 {
            access_key_id: filled("credential.s3.access_key_id", &mut s3.access_key_id)?,
            secret_access_key: hidden(
                "credential.s3.secret_access_key",
                &mut s3.secret_access_key,
            )?,
        }),
    }
}

pub(crate) fn sign_in(asked: v1::BeginSignInRequest) -> Result<SignInRequest, Status> {
    let scopes = asked.scopes().map(|scope| match scope {
        v1::Scope::Read => Ok(GoogleScope::Read),
        v1::Scope::Append => Ok(GoogleScope::Append),
        v1::Scope::Edit => Ok(GoogleScope::Edit),
        v1::Scope::Pick => Ok(GoogleScope::Pick),
        v1::Scope::Unspecified => Err(Status::invalid_argument("scopes: one is not known")),
    });
    let scopes: Vec<GoogleScope> = scopes.collect::<Result<_, _>>()?;
    if scopes.is_empty() {
        return Err(Status::invalid_argument("scopes: none is asked for"));
    }
    let client = asked.client.map(|mut client| {
        Ok::<_, Status>(OAuthClient {
            id: filled("client.id", &mut client.id)?,
            secret: hidden("client.secret", &mut client.secret)?,
        })
    });
    let mut redirect_uri = asked.redirect_uri;
    Ok(SignInRequest {
        client: client.transpose()?,
        redirect_uri: filled("redirect_uri", &mut redirect_uri)?,
        scopes,
        other_account: asked.other_account,
    })
}

/// The secret that lets an answer in, and the answer.
pub(crate) fn answer(
    mut given: v1::FinishSignInRequest,
) -> Result<(SecretString, SignInAnswer), Status> {
    let state = hidden("state", &mut given.state)?;
    let answer = match (given.code.is_empty(), given.error.is_empty()) {
        (false, true) => SignInAnswer::Code(hidden("code", &mut given.code)?),
        (true, false) => SignInAnswer::Error(filled("error", &mut given.error)?),
        _ => return Err(Status::invalid_argument("code: give either this or error")),
    };
    Ok((state, answer))
}

fn hidden(field: &str, text: &mut String) -> Result<SecretString, Status> {
    filled(field, text).map(SecretString::from)
}

fn filled(field: &str, text: &mut String) -> Result<String, Status> {
    match text.len() {
        0 => Err(Status::invalid_argument(format!("{field}: it is empty"))),
        length if length > LONGEST => Err(Status::invalid_argument(format!(
            "{field}: it has {length} bytes, {LONGEST} are the most"
        ))),
        _ => Ok(std::mem::take(text)),
    }
}

/// Who refuses a credential, among the reasons for a refused call.
pub(crate) const fn refused_by(by: RefusedBy) -> v1::Reason {
    match by {
        RefusedBy::Token => v1::Reason::Refused,
        RefusedBy::Client => v1::Reason::ClientRefused,
        RefusedBy::Keeper => v1::Reason::Revoked,
    }
}

pub(crate) fn info(info: SecretInfo) -> v1::CredentialInfo {
    let by = info.refused.as_ref().map(|it| refused_by(it.by));
    v1::CredentialInfo {
        kind: info.kind,
        public_id: info.public_id,
        version: info.version,
        scopes: info.scopes,
        refresh_token_expires_at: info
            .refresh_token_expires_at
            .map(|at| at.timestamp_micros()),
        refused_by: by.unwrap_or(v1::Reason::Unspecified).into(),
        refused: info.refused.map(|it| it.reason),
        used_at: info.used_at.map(|at| at.timestamp_micros()),
        failures: info.failures,
        retry_at: info.retry_at.map(|at| at.timestamp_micros()),
    }
}

pub(crate) fn entry(entry: AuditEntry) -> v1::AccessLogEntry {
    v1::AccessLogEntry {
        number: entry.number,
        at: entry.at.timestamp_micros(),
        action: entry.action,
        storage: entry.storage.map(|id| id.to_string()),
        run: entry.run.map(|id| id.to_string()),
        purpose: entry.purpose,
    }
}

pub(crate) fn standing(standing: KeyStanding) -> v1::KeyStanding {
    v1::KeyStanding {
        newest: standing.newest,
        in_use: standing.in_use,
        waiting: standing.waiting,
        failed: standing.failed,
    }
}
