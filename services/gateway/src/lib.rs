//! The gateway: the REST API `/v1` and its stream of events, over the use cases.
//!
//! One operator token opens it for now, and a header names the tenant; who calls is decided in one place (`caller.rs`), before
//! any handler runs. `api/v1/mod.rs` lists every route.

mod api;
mod body;
mod caller;
mod etag;
mod id;
mod keyed;
mod page;
mod places;
mod problem;
mod seats;
mod server;
mod steady;
mod trail;

use std::{sync::Arc, time::Duration};

use axum::{Router, middleware};
use secrecy::SecretString;
use tintype_app::App;
use tintype_model::storage::StoragePolicy;
use tintype_ports::{RateLimiter, rate_limit::Rate, vault::OAuthClient};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use url::Url;

use seats::Seats;

pub use api::v1::{Reach, endpoints};
pub use server::serve;

/// Bounds on what callers may do.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes of a request's body.
    pub body: usize,
    /// A request's body must be there within this.
    pub body_within: Duration,
    /// A request must be answered within this, streams excepted.
    pub answer_within: Duration,
    /// Requests under way at the same time.
    pub requests: usize,
    /// Streams of events open at the same time.
    pub streams: usize,
    /// Of these, for one tenant.
    pub streams_of_a_tenant: usize,
    /// A stream ends after so long; whoever watches comes back to where it ended.
    pub stream_age: Duration,
    /// How often a tenant may ask.
    pub rate: Rate,
    /// How often a stream that has nothing to say says so.
    pub heartbeat: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            // A token as it is pasted may have 64 KiB.
            body: 128 * 1024,
            body_within: Duration::from_secs(20),
            // The test of a storage makes calls to Google, and a plan is made only after its destination was written to.
            answer_within: Duration::from_secs(60),
            requests: 1_024,
            streams: 1_024,
            streams_of_a_tenant: 64,
            stream_age: Duration::from_secs(60 * 60),
            rate: Rate {
                burst: 200,
                interval: Duration::from_millis(20),
            },
            heartbeat: Duration::from_secs(15),
        }
    }
}

/// What the gateway works with.
pub struct Gateway {
    /// The use cases.
    pub app: App,
    /// Counts what tenants ask, over all gateways.
    pub limiter: Arc<dyn RateLimiter>,
    /// Counts it in this process, while the other limiter cannot be asked.
    pub own_limiter: Arc<dyn RateLimiter>,
    /// Opens everything.
    pub operator_token: SecretString,
    /// What is allowed.
    pub policy: StoragePolicy,
    /// How people sign in at Google.
    pub sign_in: SignInSettings,
    /// Bounds.
    pub limits: Limits,
    /// Cancelled when streams must end.
    pub draining: CancellationToken,
}

/// How people sign in at Google.
#[derive(Debug, Clone, Default)]
pub struct SignInSettings {
    /// Where a browser reaches this gateway; without it nobody can sign in.
    pub public_url: Option<Url>,
    /// The operator's own OAuth client, for tenants that bring none.
    pub client: Option<OAuthClient>,
}

/// What handlers and layers share.
pub(crate) struct Shared {
    pub(crate) app: App,
    pub(crate) limiter: Arc<dyn RateLimiter>,
    pub(crate) own_limiter: Arc<dyn RateLimiter>,
    pub(crate) operator: caller::Operator,
    pub(crate) policy: StoragePolicy,
    pub(crate) sign_in: SignInSettings,
    pub(crate) limits: Limits,
    pub(crate) draining: CancellationToken,
    pub(crate) requests: Arc<Semaphore>,
    pub(crate) streams: Arc<Seats>,
}

/// All routes, with everything around them.
pub fn router(gateway: Gateway) -> Router {
    let shared = Arc::new(Shared {
        operator: caller::Operator::new(&gateway.operator_token),
        requests: Arc::new(Semaphore::new(gateway.limits.requests)),
        streams: Seats::new(gateway.limits.streams, gateway.limits.streams_of_a_tenant),
        app: gateway.app,
        limiter: gateway.limiter,
        own_limiter: gateway.own_limiter,
        policy: gateway.policy,
        sign_in: gateway.sign_in,
        limits: gateway.limits,
        draining: gateway.draining,
    });
    api::v1::router(&shared)
        .fallback(api::no_such_route)
        .method_not_allowed_fallback(api::no_such_method)
        .layer(middleware::from_fn_with_state(
            Arc::clone(&shared),
            trail::follow,
        ))
        .with_state(shared)
}
