//! Google's APIs: who calls, what they may, and one handler per call.

pub(crate) mod album_items;
pub(crate) mod albums;
pub(crate) mod batch_create;
pub(crate) mod error;
pub(crate) mod filters;
pub(crate) mod media_items;
pub(crate) mod pages;
pub(crate) mod picker;
pub(crate) mod render;
pub(crate) mod search;
pub(crate) mod uploads;

use std::sync::Arc;

use bytes::Bytes;
use serde_json::Value;

use self::error::ApiError;
use crate::faults::Effect;
use crate::kind::{CallKind, Cost};
use crate::net::call::{Call, Dropped, Reply};
use crate::state::World;
use crate::state::shelf::{Owner, Viewer};
use crate::switches::Switches;
use crate::sync::read;

/// Who a valid access token speaks for.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pub(crate) account: u16,
    pub(crate) client: u16,
    pub(crate) scopes: String,
    pub(crate) project: String,
}

impl Caller {
    pub(crate) fn owner(&self) -> Owner {
        Owner {
            account: self.account,
            client: self.client,
        }
    }

    pub(crate) fn has(&self, scope: &str) -> bool {
        self.scopes.split(' ').any(|granted| granted == scope)
    }
}

/// What a handler needs besides the request.
pub(crate) struct Context<'a> {
    pub(crate) world: &'a Arc<World>,
    pub(crate) switches: &'a Switches,
    pub(crate) caller: &'a Caller,
    /// What base URLs begin with for this caller.
    pub(crate) media_base: &'a str,
    pub(crate) own_base: &'a str,
    pub(crate) now_ms: i64,
}

impl Context<'_> {
    pub(crate) fn viewer(&self) -> Viewer {
        let per_client = self.switches.visibility_per_client;
        Viewer {
            account: self.caller.account,
            client: per_client.then_some(self.caller.client),
        }
    }
}

/// The caller behind the bearer token, with a scope that allows this kind of call.
pub(crate) fn authenticate(
    world: &World,
    switches: &Switches,
    call: &Call,
    kind: CallKind,
    now_ms: i64,
) -> Result<Caller, ApiError> {
    let bearer = call
        .header("authorization")
        .and_then(|text| text.strip_prefix("Bearer "));
    let token = bearer
        .map(str::to_owned)
        .or_else(|| call.parameter("access_token"));
    let people = read(&world.people);
    let access = token
        .as_deref()
        .and_then(|token| people.live_access(token, now_ms))
        .ok_or_else(ApiError::unauthenticated)?;
    let caller = Caller {
        account: access.account,
        client: access.client,
        scopes: access.scopes.clone(),
        project: people.project(access.client).to_owned(),
    };
    if kind == CallKind::Sharing {
        return Err(ApiError::insufficient_scopes());
    }
    let needed = kind.scopes();
    let allowed = needed.is_empty() || needed.iter().any(|scope| caller.has(scope));
    if switches.enforce_scopes && !allowed {
        return Err(ApiError::insufficient_scopes());
    }
    let is_picker = kind.cost() == Cost::Picker;
    if is_picker && switches.picker_disabled {
        let picker = ("Picker", "photospicker");
        return Err(ApiError::api_disabled(picker, &caller.project));
    }
    if !is_picker && switches.api_disabled {
        let library = ("Library", "photoslibrary");
        return Err(ApiError::api_disabled(library, &caller.project));
    }
    if switches.photos_disabled {
        return Err(ApiError::denied("Google Photos is disabled for the user"));
    }
    Ok(caller)
}

/// Runs the handler of an API call.
pub(crate) async fn handle(
    context: &Context<'_>,
    call: &mut Call,
    kind: CallKind,
    id: &str,
    effect: Option<&Effect>,
) -> Result<Reply, Dropped> {
    const MOST_JSON: usize = 4 * 1024 * 1024;
    use CallKind as K;
    if matches!(
        kind,
        K::UploadRaw | K::UploadStart | K::UploadChunk | K::UploadQuery | K::UploadCancel
    ) {
        return uploads::handle(context, call, kind, effect).await;
    }
    let body = call.text(MOST_JSON).await?;
    let query = call.query();
    let result = match kind {
        K::ListItems => media_items::list(context, query),
        K::GetItem => media_items::get(context, id),
        K::BatchGet => media_items::batch_get(context, query),
        K::PatchItem => media_items::patch(context, id, query, &body),
        K::Search => search::search(context, &body),
        K::BatchCreate => batch_create::batch_create(context, &body),
        K::ListAlbums => albums::list(context, query),
        K::GetAlbum => albums::get(context, id),
        K::CreateAlbum => albums::create(context, &body),
        K::PatchAlbum => albums::patch(context, id, query, &body),
        K::AlbumAdd => album_items::add(context, id, &body),
        K::AlbumRemove => album_items::remove(context, id, &body),
        K::Enrichment => album_items::enrich(context, id, &body),
        K::PickerCreate => picker::create(context, &body),
        K::PickerGet => picker::get(context, id),
        K::PickerDelete => picker::delete(context, id),
        K::PickerList => picker::list(context, query),
        _ => Err(ApiError::not_found("Requested entity was not found.")),
    };
    Ok(result.unwrap_or_else(|error| error.reply()))
}

/// A JSON object, or 400. An empty body is an empty object, as with Google.
pub(crate) fn json(body: &Bytes) -> Result<Value, ApiError> {
    if body.is_empty() {
        return Ok(Value::Object(serde_json::Map::new()));
    }
    let value: Value = serde_json::from_slice(body)
        .map_err(|error| ApiError::invalid(format!("Invalid JSON payload received. {error}")))?;
    if value.is_object() {
        Ok(value)
    } else {
        Err(ApiError::invalid("Invalid JSON payload received."))
    }
}

/// Success without content.
pub(crate) fn empty() -> Reply {
    Reply::json(200, Bytes::from_static(b"{}\n"))
}
