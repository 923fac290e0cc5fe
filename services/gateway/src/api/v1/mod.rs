//! Version 1: the one list of all routes.

mod events;
mod plans;
mod quota;
mod runs;
mod storages;
mod tenants;

use std::sync::Arc;

use axum::{
    Router, middleware,
    routing::{MethodRouter, delete, get, patch, post, put},
};

use crate::{Shared, caller::admit, keyed::once};

/// What a route reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// The whole install: for operators.
    Install,
    /// One tenant.
    Tenant,
    /// Nothing by itself: whoever comes must bring a secret of another kind.
    Anybody,
}

struct Route {
    method: &'static str,
    path: &'static str,
    reach: Reach,
    handler: MethodRouter<Arc<Shared>>,
}

fn route(
    method: &'static str,
    path: &'static str,
    reach: Reach,
    handler: MethodRouter<Arc<Shared>>,
) -> Route {
    Route {
        method,
        path,
        reach,
        handler,
    }
}

#[rustfmt::skip]
fn routes() -> Vec<Route> {
    use Reach::{Anybody, Install, Tenant};
    vec![
        route("GET", "/v1/tenants", Install, get(tenants::list::handle)),
        route("POST", "/v1/tenants", Install, post(tenants::create::handle)),
        route("GET", "/v1/tenants/{id}", Install, get(tenants::get::handle)),
        route("PATCH", "/v1/tenants/{id}", Install, patch(tenants::update::handle)),
        route("GET", "/v1/storages", Tenant, get(storages::list::handle)),
        route("POST", "/v1/storages", Tenant, post(storages::create::handle)),
        route("POST", "/v1/storages/test", Tenant, post(storages::test_new::handle)),
        route("POST", "/v1/storages/sign-in", Tenant, post(storages::sign_in_new::handle)),
        route("GET", "/oauth/callback", Anybody, get(storages::callback::handle)),
        route("GET", "/v1/storages/{id}", Tenant, get(storages::get::handle)),
        route("DELETE", "/v1/storages/{id}", Tenant, delete(storages::remove::handle)),
        route("POST", "/v1/storages/{id}/sign-in", Tenant, post(storages::sign_in::handle)),
        route("POST", "/v1/storages/{id}/disconnect", Tenant, post(storages::disconnect::handle)),
        route("PATCH", "/v1/storages/{id}", Tenant, patch(storages::update::handle)),
        route("POST", "/v1/storages/{id}/test", Tenant, post(storages::test::handle)),
        route("PUT", "/v1/storages/{id}/credential", Tenant, put(storages::credential::handle)),
        route("GET", "/v1/storages/{id}/duplicates", Tenant, get(storages::duplicates::handle)),
        route("GET", "/v1/plans", Tenant, get(plans::list::handle)),
        route("POST", "/v1/plans", Tenant, post(plans::create::handle)),
        route("GET", "/v1/plans/{id}", Tenant, get(plans::get::handle)),
        route("PATCH", "/v1/plans/{id}", Tenant, patch(plans::update::handle)),
        route("POST", "/v1/plans/{id}/preflight", Tenant, post(plans::preflight::handle)),
        route("POST", "/v1/plans/{id}/runs", Tenant, post(runs::start::handle)),
        route("GET", "/v1/runs", Tenant, get(runs::list::handle)),
        route("GET", "/v1/runs/{id}", Tenant, get(runs::get::handle)),
        route("GET", "/v1/runs/{id}/failures", Tenant, get(runs::failures::handle)),
        route("POST", "/v1/runs/{id}/pause", Tenant, post(runs::steer::pause)),
        route("POST", "/v1/runs/{id}/resume", Tenant, post(runs::steer::resume)),
        route("POST", "/v1/runs/{id}/cancel", Tenant, post(runs::steer::cancel)),
        route("GET", "/v1/quota", Tenant, get(quota::get::handle)),
        route("GET", "/v1/events", Tenant, get(events::stream::handle)),
    ]
}

/// Method, path and reach of every route.
#[must_use]
pub fn endpoints() -> Vec<(&'static str, &'static str, Reach)> {
    let all = routes().into_iter();
    all.map(|it| (it.method, it.path, it.reach)).collect()
}

pub(crate) fn router(shared: &Arc<Shared>) -> Router<Arc<Shared>> {
    let mut router = Router::new();
    for route in routes() {
        let mut handler = route.handler;
        if route.method == "POST" {
            handler = handler.layer(middleware::from_fn_with_state(Arc::clone(shared), once));
        }
        // Nobody gets to a handler past this, whatever the handler asks for.
        let door = middleware::from_fn_with_state((Arc::clone(shared), route.reach), admit);
        router = router.route(route.path, handler.layer(door));
    }
    router
}
