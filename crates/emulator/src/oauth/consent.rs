//! The consent page: a person chooses an account and allows or denies.

use http::header::LOCATION;
use url::Url;

use crate::net::call::{Call, Reply, parameter};
use crate::state::World;
use crate::state::people::{Code, People};
use crate::switches::{ConsentAnswer, Switches};
use crate::sync::{read, write};

/// `GET /o/oauth2/v2/auth` shows the page; `POST` with `decision=allow|deny` and `account` answers it.
pub(crate) fn consent(world: &World, switches: &Switches, call: &Call, form: &str) -> Reply {
    let query = call.query();
    let asked = match Asked::read(&read(&world.people), query) {
        Ok(asked) => asked,
        Err(message) => return page(400, &format!("<h1>Access blocked</h1><p>{message}</p>")),
    };
    let decision = match (switches.consent, parameter(form, "decision").as_deref()) {
        (Some(ConsentAnswer::Allow), _) | (None, Some("allow")) => ConsentAnswer::Allow,
        (Some(ConsentAnswer::Deny), _) | (None, Some("deny")) => ConsentAnswer::Deny,
        _ => return show(&read(&world.people), query, &asked),
    };
    let mut back = asked.redirect.clone();
    if decision == ConsentAnswer::Deny {
        back.query_pairs_mut().append_pair("error", "access_denied");
    } else {
        let code = issue(world, &asked, form);
        let mut pairs = back.query_pairs_mut();
        pairs
            .append_pair("code", &code)
            .append_pair("scope", &asked.scopes);
    }
    if let Some(state) = &asked.state {
        back.query_pairs_mut().append_pair("state", state);
    }
    Reply::html(302, "").header(LOCATION, back.as_str())
}

fn issue(world: &World, asked: &Asked, form: &str) -> String {
    let mut people = write(&world.people);
    let chosen = parameter(form, "account").and_then(|email| people.account(&email));
    let serial = people.next_serial();
    let code = format!(
        "4/0A{}",
        crate::mix::opaque(world.seed ^ 0x3c3c, serial, 52)
    );
    let entry = Code {
        account: chosen.unwrap_or(0),
        client: asked.client,
        scopes: asked.scopes.clone(),
        redirect_uri: asked.redirect_text.clone(),
        challenge: asked.challenge.clone(),
        offline: asked.offline,
        issued_ms: world.clock.now_ms(),
        used: false,
    };
    people.codes.insert(code.clone(), entry);
    code
}

struct Asked {
    client: u16,
    client_id: String,
    redirect: Url,
    redirect_text: String,
    scopes: String,
    state: Option<String>,
    challenge: Option<String>,
    offline: bool,
}

impl Asked {
    fn read(people: &People, query: &str) -> Result<Self, String> {
        let get = |name| parameter(query, name);
        let client_id = get("client_id").unwrap_or_default();
        let client = people
            .client(&client_id)
            .ok_or("Error 401: invalid_client. The OAuth client was not found.")?;
        let redirect_text = get("redirect_uri").unwrap_or_default();
        let known = &people.clients[usize::from(client)];
        let redirect = Url::parse(&redirect_text)
            .ok()
            .filter(|url| {
                let loopback = url.scheme() == "http"
                    && matches!(url.host_str(), Some("127.0.0.1" | "localhost" | "[::1]"));
                known.redirect_uris.contains(&redirect_text)
                    || (known.loopback_redirects && loopback)
            })
            .ok_or("Error 400: redirect_uri_mismatch")?;
        if get("response_type").as_deref() != Some("code") {
            return Err("Error 400: unsupported_response_type".to_owned());
        }
        let scopes = get("scope").filter(|scopes| !scopes.trim().is_empty());
        let challenge = get("code_challenge");
        if challenge.is_some() && get("code_challenge_method").as_deref() != Some("S256") {
            return Err("Error 400: invalid_request. Only S256 is supported.".to_owned());
        }
        Ok(Self {
            client,
            client_id,
            redirect,
            redirect_text,
            scopes: scopes
                .ok_or("Error 400: invalid_request. Missing required parameter: scope")?,
            state: get("state"),
            challenge,
            offline: get("access_type").as_deref() == Some("offline"),
        })
    }
}

fn show(people: &People, query: &str, asked: &Asked) -> Reply {
    let action = escape(&format!("?{query}"));
    let mut accounts = String::new();
    for email in &people.accounts {
        let email = escape(email);
        accounts.push_str(&format!("<option value=\"{email}\">{email}</option>"));
    }
    let scopes: String = asked
        .scopes
        .split(' ')
        .map(|scope| format!("<li>{}</li>", escape(scope)))
        .collect();
    page(
        200,
        &format!(
            "<h1>{} wants access to your Google Account</h1><ul>{scopes}</ul>\
             <form method=\"post\" action=\"{action}\">\
             <label>Account <select name=\"account\">{accounts}</select></label>\
             <button name=\"decision\" value=\"deny\">Cancel</button>\
             <button name=\"decision\" value=\"allow\">Allow</button></form>\
             <p>This is the Google Photos emulator, not Google.</p>",
            escape(&asked.client_id)
        ),
    )
}

fn page(status: u16, body: &str) -> Reply {
    Reply::html(
        status,
        format!(
            "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">\
             <title>Sign in - Google Accounts (emulator)</title><body>{body}</body></html>"
        ),
    )
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
