//! The token endpoint: authorization codes and refresh tokens become access tokens.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::{Refused, TESTING_MS, Who, access};
use crate::net::call::{Call, Reply, parameter};
use crate::state::World;
use crate::state::people::{Access, People};
use crate::switches::Switches;
use crate::sync::write;

const CODE_MS: i64 = 10 * 60 * 1000;
/// Refresh tokens unused for so long die.
const UNUSED_MS: i64 = 182 * 86_400_000;
/// The refresh token of an online grant: there is none.
const NO_REFRESH: u64 = u64::MAX;

/// `POST /token`
pub(crate) fn token(world: &World, switches: &Switches, call: &Call, form: &str) -> (Reply, Who) {
    let mut people = write(&world.people);
    let client = match client(&people, call, form) {
        Ok(client) => client,
        Err(refused) => return (refused.reply(), None),
    };
    let now_ms = world.clock.now_ms();
    let result = match parameter(form, "grant_type").as_deref() {
        Some("refresh_token") => refresh(world, switches, &mut people, client, form, now_ms),
        Some("authorization_code") => exchange(world, switches, &mut people, client, form, now_ms),
        Some(other) => Err(Refused::new(
            400,
            "unsupported_grant_type",
            format!("Invalid grant_type: {other}"),
        )),
        None => Err(Refused::new(
            400,
            "invalid_request",
            "Missing required parameter: grant_type",
        )),
    };
    match result {
        Ok((body, account)) => {
            let reply = Reply::value(200, &body).header(
                http::header::CACHE_CONTROL,
                "no-cache, no-store, max-age=0, must-revalidate",
            );
            (reply, Some((account, client)))
        }
        Err(refused) => (refused.reply(), None),
    }
}

/// The client that calls, by form or by HTTP Basic.
fn client(people: &People, call: &Call, form: &str) -> Result<u16, Refused> {
    let basic = call
        .header("authorization")
        .and_then(|text| text.strip_prefix("Basic "))
        .and_then(|encoded| {
            let text = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
            let (id, secret) = text.split_once(':')?;
            let plain = |part: &str| parameter(&format!("x={part}"), "x");
            Some((plain(id)?, plain(secret)?))
        });
    let (id, secret) = match basic {
        Some(pair) => pair,
        None => (
            parameter(form, "client_id").unwrap_or_default(),
            parameter(form, "client_secret").unwrap_or_default(),
        ),
    };
    let Some(client) = people.client(&id) else {
        return Err(Refused::new(
            401,
            "invalid_client",
            "The OAuth client was not found.",
        ));
    };
    if people.clients[usize::from(client)].client_secret != secret {
        return Err(Refused::new(401, "invalid_client", "Unauthorized"));
    }
    Ok(client)
}

fn refresh(
    world: &World,
    switches: &Switches,
    people: &mut People,
    client: u16,
    form: &str,
    now_ms: i64,
) -> Result<(Value, u16), Refused> {
    let expired = || Refused::new(400, "invalid_grant", "Token has been expired or revoked.");
    let token = parameter(form, "refresh_token").unwrap_or_default();
    let mut place = people
        .refresh_place(&token)
        .ok_or_else(|| Refused::new(400, "invalid_grant", "Bad Request"))?;
    let found = people.refresh(place).ok_or_else(expired)?;
    if found.client != client {
        return Err(Refused::new(401, "unauthorized_client", "Unauthorized"));
    }
    let too_old = switches.testing_mode && now_ms - found.issued_ms >= TESTING_MS;
    if found.revoked || too_old || now_ms - found.used_ms >= UNUSED_MS {
        return Err(expired());
    }
    let (account, scopes, issued_ms) = (found.account, found.scopes.clone(), found.issued_ms);
    if let Some(found) = people.refresh_mut(place) {
        found.used_ms = now_ms;
    }
    let mut body = json!({"scope": scopes, "token_type": "Bearer"});
    if switches.rotate_refresh_token {
        let most = switches.max_refresh_tokens;
        place = people.new_refresh(world.seed, (account, client), &scopes, now_ms, most);
        if let Some(fresh) = people.refresh_mut(place) {
            // The grant is as old as it was.
            fresh.issued_ms = issued_ms;
            body["refresh_token"] = fresh.token.as_str().into();
        }
    }
    if switches.testing_mode {
        body["refresh_token_expires_in"] = ((issued_ms + TESTING_MS - now_ms) / 1000).into();
    }
    let expires_ms = now_ms + switches.access_token_seconds * 1000;
    body["access_token"] = access(people, world.seed, place, expires_ms, now_ms).into();
    body["expires_in"] = switches.access_token_seconds.into();
    Ok((body, account))
}

fn exchange(
    world: &World,
    switches: &Switches,
    people: &mut People,
    client: u16,
    form: &str,
    now_ms: i64,
) -> Result<(Value, u16), Refused> {
    let malformed = || Refused::new(400, "invalid_grant", "Malformed auth code.");
    let code = parameter(form, "code").unwrap_or_default();
    let found = people
        .codes
        .get_mut(&code)
        .filter(|code| code.client == client)
        .ok_or_else(malformed)?;
    if found.used || now_ms - found.issued_ms > CODE_MS {
        return Err(Refused::new(400, "invalid_grant", "Bad Request"));
    }
    if parameter(form, "redirect_uri").unwrap_or_default() != found.redirect_uri {
        return Err(Refused::new(400, "redirect_uri_mismatch", "Bad Request"));
    }
    if let Some(challenge) = &found.challenge {
        let Some(verifier) = parameter(form, "code_verifier") else {
            return Err(Refused::new(400, "invalid_grant", "Missing code verifier."));
        };
        let hashed = URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.as_bytes()));
        if hashed != *challenge {
            return Err(Refused::new(400, "invalid_grant", "Invalid code verifier."));
        }
    }
    found.used = true;
    let found = found.clone();
    let seconds = switches.access_token_seconds;
    let expires_ms = now_ms + seconds * 1000;
    let mut body = json!({"scope": found.scopes, "token_type": "Bearer", "expires_in": seconds});
    if !found.offline {
        let entry = Access {
            account: found.account,
            client,
            scopes: found.scopes,
            expires_ms,
            refresh: NO_REFRESH,
        };
        body["access_token"] = people.new_access(world.seed, entry, now_ms).into();
        return Ok((body, found.account));
    }
    let most = switches.max_refresh_tokens;
    let place = people.new_refresh(
        world.seed,
        (found.account, client),
        &found.scopes,
        now_ms,
        most,
    );
    body["access_token"] = access(people, world.seed, place, expires_ms, now_ms).into();
    if let Some(refresh) = people.refresh(place) {
        body["refresh_token"] = refresh.token.as_str().into();
    }
    if switches.testing_mode {
        body["refresh_token_expires_in"] = (TESTING_MS / 1000 - 1).into();
    }
    Ok((body, found.account))
}
