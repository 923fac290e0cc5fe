//! Google's OAuth: the consent page, the token endpoint, revocation and identity.

mod consent;
mod token;

use std::sync::Arc;

use serde_json::json;

use crate::kind::CallKind;
use crate::net::call::{Call, Dropped, Reply, parameter};
use crate::state::World;
use crate::state::people::{Access, Grant, People};
use crate::switches::Switches;
use crate::sync::{read, write};

const MOST_FORM: usize = 64 * 1024;
/// A refresh token of an app in Testing lives so long.
pub(crate) const TESTING_MS: i64 = 7 * 86_400_000;

/// Who an OAuth call turned out to be about, for the ledger.
pub(crate) type Who = Option<(u16, u16)>;

/// Runs an OAuth or identity call.
pub(crate) async fn handle(
    world: &Arc<World>,
    switches: &Switches,
    call: &mut Call,
    kind: CallKind,
) -> Result<(Reply, Who), Dropped> {
    let body = call.text(MOST_FORM).await?;
    let form = String::from_utf8_lossy(&body).into_owned();
    Ok(match kind {
        CallKind::Token => token::token(world, switches, call, &form),
        CallKind::Consent => (consent::consent(world, switches, call, &form), None),
        CallKind::Revoke => revoke(world, call, &form),
        CallKind::UserInfo => user_info(world, call),
        _ => (discovery(call), None),
    })
}

fn revoke(world: &World, call: &Call, form: &str) -> (Reply, Who) {
    let token = parameter(form, "token")
        .or_else(|| call.parameter("token"))
        .unwrap_or_default();
    if write(&world.people).revoke(&token) {
        return (Reply::json(200, "{}"), None);
    }
    (
        Refused::new(400, "invalid_token", "Token expired or revoked").reply(),
        None,
    )
}

fn user_info(world: &World, call: &Call) -> (Reply, Who) {
    let bearer = call
        .header("authorization")
        .and_then(|text| text.strip_prefix("Bearer "));
    let people = read(&world.people);
    let access = bearer.and_then(|token| people.live_access(token, world.clock.now_ms()));
    let Some(access) = access else {
        return (
            Refused::new(401, "invalid_request", "Invalid Credentials").reply(),
            None,
        );
    };
    let email = people.email(access.account);
    let mut info = json!({
        "sub": format!("1000000000000000{:05}", access.account),
        "name": email.split('@').next().unwrap_or(email),
    });
    if access.scopes.split(' ').any(|scope| scope == "email") {
        info["email"] = email.into();
        info["email_verified"] = true.into();
    }
    (
        Reply::value(200, &info),
        Some((access.account, access.client)),
    )
}

fn discovery(call: &Call) -> Reply {
    let own = call.own_base();
    let at = |google: &str, path: &str| match call.link.google_host {
        Some(_) => format!("https://{google}{path}"),
        None => format!("{own}{path}"),
    };
    Reply::value(
        200,
        &json!({
            "issuer": "https://accounts.google.com",
            "authorization_endpoint": at("accounts.google.com", "/o/oauth2/v2/auth"),
            "token_endpoint": at("oauth2.googleapis.com", "/token"),
            "userinfo_endpoint": at("www.googleapis.com", "/oauth2/v3/userinfo"),
            "revocation_endpoint": at("oauth2.googleapis.com", "/revoke"),
            "response_types_supported": ["code"],
            "scopes_supported": ["openid", "email", "profile"],
            "code_challenge_methods_supported": ["plain", "S256"],
        }),
    )
}

/// An OAuth error answer.
struct Refused {
    status: u16,
    code: &'static str,
    description: String,
}

impl Refused {
    fn new(status: u16, code: &'static str, description: impl Into<String>) -> Self {
        Self {
            status,
            code,
            description: description.into(),
        }
    }

    fn reply(&self) -> Reply {
        let body = json!({"error": self.code, "error_description": self.description});
        Reply::value(self.status, &body)
    }
}

/// Issues a refresh and an access token without a person, for the control API and tests.
pub(crate) fn grant(world: &World, account: u16, client: u16, scopes: &str) -> Grant {
    let switches = world.switches();
    let now_ms = world.clock.now_ms();
    let mut people = write(&world.people);
    let place = people.new_refresh(
        world.seed,
        (account, client),
        scopes,
        now_ms,
        switches.max_refresh_tokens,
    );
    let expires_ms = now_ms + switches.access_token_seconds * 1000;
    let access_token = access(&mut people, world.seed, place, expires_ms, now_ms);
    let refresh_token = people
        .refresh(place)
        .map(|found| found.token.clone())
        .unwrap_or_default();
    Grant {
        refresh_token,
        access_token,
        expires_ms,
        scope: scopes.to_owned(),
    }
}

/// A new access token under a refresh token.
fn access(people: &mut People, seed: u64, place: u64, expires_ms: i64, now_ms: i64) -> String {
    let Some(refresh) = people.refresh(place) else {
        return String::new();
    };
    let entry = Access {
        account: refresh.account,
        client: refresh.client,
        scopes: refresh.scopes.clone(),
        expires_ms,
        refresh: place,
    };
    people.new_access(seed, entry, now_ms)
}
