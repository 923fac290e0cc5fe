//! `GET /v1/runs`: the tenant's runs, newest first.

use std::sync::Arc;

use axum::{Json, extract::State};
use serde::Deserialize;
use tintype_model::{PlanId, run::RunState};
use tintype_ports::store::RunFilter;

use super::View;
use crate::{
    Shared,
    caller::Tenant,
    page::{Asked, Page, Wanted, bad},
    problem::Problem,
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Query {
    limit: Option<u32>,
    cursor: Option<String>,
    /// Only runs of this plan.
    plan: Option<PlanId>,
    /// Only runs in one of these states, with commas between them.
    state: Option<String>,
}

fn states(asked: Option<&str>) -> Result<Vec<RunState>, Problem> {
    let Some(asked) = asked else {
        return Ok(Vec::new());
    };
    let mut states = Vec::new();
    for name in asked.split(',') {
        let found = RunState::ALL.into_iter().find(|it| it.as_str() == name);
        let state = found.ok_or_else(|| {
            let all = RunState::ALL.map(RunState::as_str).join(", ");
            bad(format!("state: choose among {all}"))
        })?;
        if !states.contains(&state) {
            states.push(state);
        }
    }
    Ok(states)
}

pub(crate) async fn handle(
    State(shared): State<Arc<Shared>>,
    Tenant(tenant): Tenant,
    Asked(query): Asked<Query>,
) -> Result<Json<Page<View>>, Problem> {
    let which = RunFilter {
        plan: query.plan,
        states: states(query.state.as_deref())?,
    };
    let wanted = Wanted {
        limit: query.limit,
        cursor: query.cursor,
    };
    let limit = wanted.limit()?;
    let store = &shared.app.ports().store;
    let found = store
        .runs_of_tenant(tenant, &which, wanted.after()?, limit + 1)
        .await?;
    let views = found.into_iter().map(View::from).collect();
    Ok(Json(Page::of(views, limit, |it: &View| it.id.to_string())))
}
