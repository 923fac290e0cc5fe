//! Measures logged access tokens: so many a second, over so many tenants, through so many replicas on one PostgreSQL database.
//! Prints one JSON line.
//!
//! `bench_tokens URL [TOKENS_A_SECOND] [SECONDS] [REPLICAS]`: the URL's user must be the owner of an empty database of its own.

use std::{env, error::Error, sync::Arc, time::Duration};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use secrecy::SecretString;
use serde_json::json;
use tintype_model::{StorageId, TenantId};
use tintype_ports::{
    Clock, Vault,
    fake::SeededEntropy,
    google_auth::{GoogleAuth, RefreshAnswer, RefreshError, SignIn},
    vault::{Grant, Secret},
};
use tintype_vault_core::{KeyRing, VaultCore, VaultPostgresSettings};
use tokio::time::{Instant, MissedTickBehavior, interval};

const TENANTS: usize = 200;

/// Hands out tokens for an hour.
struct Google;

#[async_trait]
impl GoogleAuth for Google {
    async fn refresh(
        &self,
        _client_id: &str,
        _client_secret: &SecretString,
        _refresh_token: &SecretString,
    ) -> Result<RefreshAnswer, RefreshError> {
        Ok(RefreshAnswer {
            access_token: SecretString::from("token"),
            expires_in: Duration::from_secs(3600),
            refresh_token: None,
            refresh_token_expires_in: None,
            scopes: Vec::new(),
        })
    }

    fn sign_in_url(&self, _sign_in: &SignIn<'_>) -> String {
        String::new()
    }

    async fn exchange(
        &self,
        _client_id: &str,
        _client_secret: &SecretString,
        _redirect_uri: &str,
        _code: &SecretString,
        _verifier: &SecretString,
    ) -> Result<RefreshAnswer, RefreshError> {
        Err(RefreshError::Unavailable("nobody signs in here".to_owned()))
    }

    async fn account(&self, _access_token: &SecretString) -> Result<Option<String>, RefreshError> {
        Ok(None)
    }

    async fn revoke(&self, _refresh_token: &SecretString) -> Result<(), RefreshError> {
        Err(RefreshError::Unavailable("nothing ends here".to_owned()))
    }
}

/// Not looked at: the server's time counts.
#[derive(Debug)]
struct NoClock;

impl Clock for NoClock {
    fn now(&self) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH
    }
}

fn grant(number: usize) -> Grant {
    let byte = u8::try_from(number % 256).unwrap_or(0);
    Grant {
        tenant: TenantId::new(DateTime::UNIX_EPOCH, [byte; 10]),
        storage: StorageId::new(DateTime::UNIX_EPOCH, [byte; 10]),
        run: None,
        purpose: "download".to_owned(),
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let url = arguments.next().ok_or("which database?")?;
    let mut number = |default: u64| arguments.next().map_or(Ok(default), |text| text.parse());
    let (rate, seconds, replicas) = (number(1000)?, number(10)?, number(1)?);

    VaultCore::migrate_postgres(&url).await?;
    let ring = KeyRing::generate()?;
    let mut vaults = Vec::new();
    for seed in 0..replicas {
        let vault = VaultCore::connect(
            &url,
            VaultPostgresSettings::default(),
            ring.clone(),
            Arc::new(Google),
            Arc::new(NoClock),
            Arc::new(SeededEntropy::new(seed)),
        );
        vaults.push(vault.await?);
    }
    for tenant in 0..TENANTS {
        let grant = grant(tenant);
        let secret = Secret::Google {
            client_id: "client".to_owned(),
            client_secret: SecretString::from("secret"),
            refresh_token: SecretString::from("refresh"),
        };
        vaults[0].put(grant.tenant, grant.storage, secret).await?;
        for vault in &vaults {
            vault.access_token(&grant, None).await?;
        }
    }

    let mut tick = interval(Duration::from_millis(1));
    tick.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let begun = Instant::now();
    let mut calls = Vec::new();
    let all = rate * seconds;
    let mut sent = 0;
    while sent < all {
        tick.tick().await;
        let millis = u64::try_from(begun.elapsed().as_millis())?;
        while sent < (millis * rate / 1000).min(all) {
            let index = usize::try_from(sent)?;
            let vault = vaults[index % vaults.len()].clone();
            let grant = grant(index * 7 % TENANTS);
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
    let took = begun.elapsed();
    times.sort_unstable();
    let at = |percent: usize| times[(times.len() - 1) * percent / 100];
    let ms = |percent: usize| at(percent).as_secs_f64() * 1e3;
    println!(
        "{}",
        json!({
            "tokens": times.len(),
            "replicas": replicas,
            "per_s": times.len() as f64 / took.as_secs_f64(),
            "p50_ms": ms(50),
            "p95_ms": ms(95),
            "p99_ms": ms(99),
            "max_ms": ms(100),
        })
    );
    Ok(())
}
