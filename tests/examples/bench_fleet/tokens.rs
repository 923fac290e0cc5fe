//! The vault from outside: access tokens over mutual TLS.

use std::{sync::Arc, time::Duration};

use serde_json::json;
use tintype_ports::vault::Grant;
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::{
    Failure,
    customers::{Connected, connected},
    gateway::Gateway,
    print,
};

fn grant(of: &Connected) -> Grant {
    Grant {
        tenant: of.tenant,
        storage: of.source,
        run: None,
        purpose: "download".to_owned(),
    }
}

/// Asks at an even rate, whether or not the answers keep up.
pub(crate) async fn at_rate(gateway: &Gateway, rate: u64, seconds: u64) -> Result<(), Failure> {
    let vault = &gateway.app.ports().vault;
    let grants: Vec<Grant> = connected(gateway)?.iter().map(grant).collect();
    for grant in &grants {
        vault.access_token(grant, None).await?;
    }
    let mut tick = interval(Duration::from_millis(1));
    tick.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let begun = Instant::now();
    let all = rate * seconds;
    let mut calls = Vec::new();
    let mut sent = 0;
    while sent < all {
        tick.tick().await;
        let millis = u64::try_from(begun.elapsed().as_millis())?;
        while sent < (millis * rate / 1_000).min(all) {
            let vault = Arc::clone(vault);
            let grant = grants[usize::try_from(sent)? % grants.len()].clone();
            calls.push(tokio::spawn(async move {
                let asked = Instant::now();
                let answer = vault.access_token(&grant, None).await;
                answer.map(|_| asked.elapsed())
            }));
            sent += 1;
        }
    }
    let mut times = Vec::with_capacity(calls.len());
    for call in calls {
        times.push(call.await??);
    }
    let took = begun.elapsed().as_secs_f64();
    times.sort_unstable();
    let at = |percent: usize| times[(times.len() - 1) * percent / 100].as_secs_f64() * 1e3;
    #[expect(clippy::cast_precision_loss, reason = "a rate is rounded anyway")]
    let per_s = times.len() as f64 / took;
    print(&json!({"per_s": per_s, "p50_ms": at(50), "p99_ms": at(99), "max_ms": at(100)}))
}

/// Everybody learns at once that the token is worth nothing any more.
pub(crate) async fn stampede(gateway: &Gateway, calls: u32) -> Result<(), Failure> {
    let vault = &gateway.app.ports().vault;
    let all = connected(gateway)?;
    let grant = grant(all.first().ok_or("nobody is connected")?);
    let stale = vault.access_token(&grant, None).await?;
    let asked = (0..calls).map(|_| {
        let (vault, grant, stale) = (Arc::clone(vault), grant.clone(), stale.clone());
        tokio::spawn(async move { vault.access_token(&grant, Some(&stale)).await })
    });
    let mut others = 0;
    for call in asked.collect::<Vec<_>>() {
        others += u32::from(!call.await??.is_same(&stale));
    }
    print(&json!({"calls": calls, "answered_with_another": others}))
}
