//! Who calls, and how often they may.

use std::sync::Arc;

use axum::{
    extract::{Extension, FromRequestParts, Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header, request::Parts},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use secrecy::{ExposeSecret as _, SecretString};
use tintype_model::TenantId;
use tintype_ports::rate_limit::{Rate, Verdict};

use crate::{Shared, api::v1::Reach, problem::Problem};

/// The header that names the tenant that an operator acts for.
pub(crate) const TENANT: &str = "tintype-tenant";

/// Knows the operator's token by its hash.
pub(crate) struct Operator(blake3::Hash);

impl Operator {
    pub(crate) fn new(token: &SecretString) -> Self {
        Self(blake3::hash(token.expose_secret().as_bytes()))
    }

    /// In constant time: that is how these hashes compare.
    fn is(&self, headers: &HeaderMap) -> bool {
        let given = headers
            .get(header::AUTHORIZATION)
            .map(HeaderValue::as_bytes);
        let token = given
            .and_then(|it| it.split_at_checked(7))
            .and_then(|(scheme, token)| scheme.eq_ignore_ascii_case(b"bearer ").then_some(token));
        token.is_some_and(|token| blake3::hash(token.trim_ascii()) == self.0)
    }
}

/// The tenant that a request is about.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tenant(pub(crate) TenantId);

impl<S: Send + Sync> FromRequestParts<S> for Tenant {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        // Put there below, for every route that reaches one tenant.
        let Extension(tenant) = Extension::<Self>::from_request_parts(parts, state)
            .await
            .map_err(|_| unknown())?;
        Ok(tenant)
    }
}

fn unknown() -> Problem {
    Problem::new(
        StatusCode::UNAUTHORIZED,
        "unauthenticated",
        "The caller is not known",
        "send the operator's token as Authorization: Bearer …",
    )
}

/// Lets through whom the route is for.
pub(crate) async fn admit(
    State((shared, reach)): State<(Arc<Shared>, Reach)>,
    mut request: Request,
    next: Next,
) -> Response {
    if reach == Reach::Anybody {
        return next.run(request).await;
    }
    if !shared.operator.is(request.headers()) {
        let mut answer = unknown().into_response();
        let scheme = HeaderValue::from_static("Bearer");
        answer
            .headers_mut()
            .insert(header::WWW_AUTHENTICATE, scheme);
        return answer;
    }
    let key = match reach {
        Reach::Install | Reach::Anybody => "operator".to_owned(),
        Reach::Tenant => match tenant(&shared, request.headers()).await {
            Ok(tenant) => {
                request.extensions_mut().insert(Tenant(tenant));
                tenant.to_string()
            }
            Err(problem) => return problem.into_response(),
        },
    };
    let rate = shared.limits.rate;
    match verdict(&shared, &key, rate).await {
        Verdict::Allowed { left } => {
            let mut answer = next.run(request).await;
            let spent = rate.burst.saturating_sub(left);
            let full_again = (rate.interval * spent).as_millis().div_ceil(1_000);
            let reset = u64::try_from(full_again).unwrap_or(u64::MAX);
            tell(answer.headers_mut(), rate, left, reset);
            answer
        }
        Verdict::Wait(wait) => {
            let seconds = wait.as_secs() + 1;
            let mut problem = Problem::new(
                StatusCode::TOO_MANY_REQUESTS,
                "rate_limited",
                "Too many requests",
                format!("ask again in {seconds} s"),
            );
            problem.retry_after = Some(seconds);
            let mut answer = problem.into_response();
            tell(answer.headers_mut(), rate, 0, seconds);
            answer
        }
    }
}

async fn tenant(shared: &Shared, headers: &HeaderMap) -> Result<TenantId, Problem> {
    let Some(named) = headers.get(TENANT) else {
        return Err(Problem::new(
            StatusCode::BAD_REQUEST,
            "tenant_missing",
            "The request does not say which tenant it is for",
            "send the tenant's id as Tintype-Tenant: ten_…",
        ));
    };
    let id = named.to_str().ok().and_then(|text| text.parse().ok());
    let id = id.ok_or_else(|| Problem::not_found("the tenant"))?;
    Ok(shared.app.tenant(id).await?.id)
}

async fn verdict(shared: &Shared, caller: &str, rate: Rate) -> Verdict {
    let key = format!("api:{caller}");
    if let Ok(verdict) = shared.limiter.check(&key, rate).await {
        return verdict;
    }
    // Losing the shared count must not close the door, nor open it wide.
    let own = shared.own_limiter.check(&key, rate).await;
    own.unwrap_or(Verdict::Allowed { left: 0 })
}

/// The headers of draft-ietf-httpapi-ratelimit-headers.
fn tell(headers: &mut HeaderMap, rate: Rate, left: u32, reset: u64) {
    let window = (rate.interval * rate.burst).as_secs().max(1);
    let policy = format!("\"default\";q={};w={window}", rate.burst);
    let now = format!("\"default\";r={left};t={reset}");
    for (name, value) in [("ratelimit-policy", policy), ("ratelimit", now)] {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(name, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_token_itself_opens() {
        let operator = Operator::new(&SecretString::from("0123456789abcdef0123456789abcdef"));
        for (given, opens) in [
            ("Bearer 0123456789abcdef0123456789abcdef", true),
            ("bearer  0123456789abcdef0123456789abcdef", true),
            ("Bearer 0123456789abcdef0123456789abcde", false),
            ("Basic 0123456789abcdef0123456789abcdef", false),
            ("0123456789abcdef0123456789abcdef", false),
            ("Bearer", false),
            ("", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::AUTHORIZATION, given.parse().unwrap());
            assert_eq!(operator.is(&headers), opens, "{given:?}");
        }
        assert!(!operator.is(&HeaderMap::new()));
    }
}
