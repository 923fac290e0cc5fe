//! The control API over HTTP, for other processes. Its paths are documented in the crate's README.

use std::sync::Arc;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::Control;
use super::shapes::{ItemChange, NewItem};
use crate::config::{ClientConfig, DEFAULT_ACCOUNT, DEFAULT_CLIENT_ID, Library};
use crate::error::EmulatorError;
use crate::faults::Fault;
use crate::kind::CallKind;
use crate::net::call::{Call, Dropped, Reply};
use crate::state::World;
use crate::state::quota::DayUse;

const MOST: usize = 256 * 1024 * 1024;

/// The account and client a request is about; the default ones when absent.
#[derive(Deserialize)]
struct Owner {
    #[serde(default = "default_account")]
    account: String,
    #[serde(default = "default_client")]
    client_id: String,
}

/// Answers a control request.
pub(crate) async fn handle(world: &Arc<World>, call: &mut Call) -> Result<Reply, Dropped> {
    let body = call.text(MOST).await?;
    let control = Control::new(Arc::clone(world));
    let path = call
        .head
        .uri
        .path()
        .trim_start_matches("/__emulator")
        .trim_matches('/')
        .to_owned();
    let body = if body.is_empty() {
        json!({})
    } else {
        serde_json::from_slice(&body).unwrap_or(Value::Null)
    };
    let parts: Vec<&str> = path.split('/').collect();
    let result = match call.head.method.as_str() {
        "GET" => get(&control, call, &parts),
        "POST" => post(&control, &parts, body),
        "PATCH" => patch(&control, &parts, body),
        "DELETE" => delete(&control, &parts),
        _ => Err(EmulatorError::unknown("control call", path.as_str())),
    };
    Ok(match result {
        Ok(value) => Reply::value(200, &value),
        Err(error) => {
            let status = if matches!(error, EmulatorError::Unknown { .. }) {
                404
            } else {
                400
            };
            Reply::value(status, &json!({"error": error.to_string()}))
        }
    })
}

fn get(control: &Control, call: &Call, parts: &[&str]) -> Result<Value, EmulatorError> {
    match parts {
        ["health"] => Ok(json!({"ok": true})),
        ["switches"] => written(&control.switches()),
        ["faults"] => written(&control.faults()),
        ["clock"] => {
            let (start, end) = control.quota_day();
            Ok(json!({
                "now_ms": control.now_ms(),
                "offset_ms": control.clock_offset(),
                "quota_day": {"start_ms": start, "end_ms": end},
            }))
        }
        ["quota"] => written(&control.quota()),
        ["ledger"] => {
            let number = |name: &str| {
                call.parameter(name)
                    .and_then(|text| text.parse::<u64>().ok())
            };
            let kind = match call.parameter("kind") {
                Some(name) => Some(
                    CallKind::parse(&name).ok_or_else(|| EmulatorError::unknown("kind", name))?,
                ),
                None => None,
            };
            let limit = usize::try_from(number("limit").unwrap_or(1000)).unwrap_or(usize::MAX);
            let entries = control.ledger(kind, number("after").unwrap_or(0), limit);
            Ok(json!({"entries": written(&entries)?}))
        }
        ["ledger", "summary"] => {
            let mut summary = written(&control.summary())?;
            summary["quota"] = written(&control.quota())?;
            Ok(summary)
        }
        ["items"] => {
            let account = call.parameter("account").unwrap_or_else(default_account);
            let limit = call
                .parameter("limit")
                .and_then(|text| text.parse().ok())
                .unwrap_or(1000);
            Ok(json!({"items": written(&control.items(&account, limit)?)?}))
        }
        ["items", id, "expected"] => {
            let suffix = call.parameter("suffix").unwrap_or_else(|| "d".to_owned());
            written(&control.expected(id, &suffix)?)
        }
        _ => Err(EmulatorError::unknown("control call", parts.join("/"))),
    }
}

fn post(control: &Control, parts: &[&str], body: Value) -> Result<Value, EmulatorError> {
    let text = |name: &str| body[name].as_str().unwrap_or("").to_owned();
    match parts {
        ["accounts"] => {
            control.add_account(&text("email"));
            Ok(json!({}))
        }
        ["clients"] => {
            control.add_client(parsed::<ClientConfig>(body)?);
            Ok(json!({}))
        }
        ["grants"] => {
            let owner: Owner = parsed(body.clone())?;
            let grant = control.grant(&owner.account, &owner.client_id, body["scope"].as_str())?;
            let mut out = written(&grant)?;
            out["token_blob"] = control.blob_of(&grant).into();
            Ok(out)
        }
        ["revoke"] => match body["token"].as_str() {
            Some(token) => Ok(json!({"revoked": control.revoke(token)})),
            None => {
                let account = parsed::<Owner>(body.clone())?.account;
                control.revoke_all(&account, body["client_id"].as_str())?;
                Ok(json!({"revoked": true}))
            }
        },
        ["expire-access-tokens"] => {
            control.expire_access_tokens();
            Ok(json!({}))
        }
        ["expire-base-urls"] => {
            control.expire_base_urls();
            Ok(json!({}))
        }
        ["clock"] => {
            match (body["advance_ms"].as_i64(), body["offset_ms"].as_i64()) {
                (Some(ms), None) => control.advance(ms),
                (None, Some(ms)) => control.set_clock_offset(ms),
                _ => {
                    return Err(EmulatorError::Invalid(
                        "give advance_ms or offset_ms".to_owned(),
                    ));
                }
            }
            Ok(json!({"now_ms": control.now_ms()}))
        }
        ["quota"] => {
            let number = |name: &str| body[name].as_u64().unwrap_or(0);
            let used = DayUse {
                calls: number("calls"),
                loads: number("loads"),
                picker_calls: number("picker_calls"),
                refused: 0,
            };
            control.set_quota_used(&text("project"), used);
            Ok(json!({}))
        }
        ["faults"] => Ok(json!({"id": control.fault(parsed::<Fault>(body)?)})),
        ["libraries"] => {
            let owner: Owner = parsed(body.clone())?;
            let library: Library = parsed(body["library"].clone())?;
            control.add_library(&owner.account, &owner.client_id, library)?;
            Ok(json!({}))
        }
        ["items"] => {
            let owner: Owner = parsed(body.clone())?;
            let item: NewItem = parsed(body)?;
            Ok(json!({"id": control.add_item(&owner.account, &owner.client_id, item)?}))
        }
        ["albums"] => {
            let owner: Owner = parsed(body.clone())?;
            let items: Vec<String> = parsed(body["items"].clone()).unwrap_or_default();
            let id = control.add_album(&owner.account, &owner.client_id, &text("title"), &items)?;
            Ok(json!({"id": id}))
        }
        ["picker", session, "pick"] => {
            let items: Vec<String> = parsed(body["items"].clone())?;
            control.pick(session, &items)?;
            Ok(json!({}))
        }
        _ => Err(EmulatorError::unknown("control call", parts.join("/"))),
    }
}

fn patch(control: &Control, parts: &[&str], body: Value) -> Result<Value, EmulatorError> {
    match parts {
        ["switches"] => {
            let patched = control.switches().patched(&body).map_err(invalid)?;
            control.set(|switches| *switches = patched);
            written(&control.switches())
        }
        ["items", id] => {
            control.change_item(id, parsed::<ItemChange>(body)?)?;
            Ok(json!({}))
        }
        _ => Err(EmulatorError::unknown("control call", parts.join("/"))),
    }
}

fn delete(control: &Control, parts: &[&str]) -> Result<Value, EmulatorError> {
    match parts {
        ["faults"] => control.clear_faults(None),
        ["faults", id] => {
            let number = id
                .parse()
                .map_err(|_| EmulatorError::unknown("fault", *id))?;
            control.clear_faults(Some(number));
        }
        ["items", id] => control.remove_item(id)?,
        ["ledger"] => control.reset_ledger(),
        _ => return Err(EmulatorError::unknown("control call", parts.join("/"))),
    }
    Ok(json!({}))
}

fn parsed<T: DeserializeOwned>(value: Value) -> Result<T, EmulatorError> {
    serde_json::from_value(value).map_err(invalid)
}

fn written<T: serde::Serialize>(value: &T) -> Result<Value, EmulatorError> {
    serde_json::to_value(value).map_err(invalid)
}

fn invalid(error: serde_json::Error) -> EmulatorError {
    EmulatorError::Invalid(error.to_string())
}

fn default_account() -> String {
    DEFAULT_ACCOUNT.to_owned()
}

fn default_client() -> String {
    DEFAULT_CLIENT_ID.to_owned()
}
