//! A client of the REST API that puts up with a gateway that is away for a while.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};
use tintype_runtime::HttpSettings;
use tintype_testkit::sized;
use tokio::time::{Instant, sleep};

use super::google::Account;

/// Longer than any of this takes.
pub(super) const PATIENCE: Duration = Duration::from_secs(240);

/// Longer than any run takes, with the full numbers too.
fn longest_run() -> Duration {
    sized(PATIENCE, 8 * PATIENCE)
}

/// A tenant with a plan and a run of it.
pub(super) struct Customer {
    pub(super) tenant: String,
    pub(super) account: String,
    pub(super) archive: PathBuf,
    pub(super) plan: String,
    pub(super) run: String,
}

pub(super) struct Api {
    base: String,
    token: String,
    http: Client,
}

impl Api {
    pub(super) fn new(address: &str, token: &str) -> Self {
        Self {
            base: format!("http://{address}"),
            token: token.into(),
            http: HttpSettings::default().client().expect("a client"),
        }
    }

    /// Asks until somebody is there to answer.
    pub(super) async fn ask(
        &self,
        method: Method,
        path: &str,
        tenant: &str,
        body: Option<&Value>,
    ) -> (StatusCode, Value) {
        let began = Instant::now();
        loop {
            let url = format!("{}{path}", self.base);
            let mut request = self.http.request(method.clone(), url);
            request = request.bearer_auth(&self.token);
            request = request.header("tintype-tenant", tenant);
            if let Some(body) = body {
                request = request.json(body);
            }
            match request.send().await {
                Ok(answer) if answer.status() != StatusCode::SERVICE_UNAVAILABLE => {
                    let status = answer.status();
                    let text = answer.text().await.unwrap_or_default();
                    return (status, serde_json::from_str(&text).unwrap_or(Value::Null));
                }
                unavailable => assert!(began.elapsed() < PATIENCE, "{path}: {unavailable:?}"),
            }
            sleep(Duration::from_millis(100)).await;
        }
    }

    async fn make(&self, path: &str, tenant: &str, body: Value) -> String {
        let (status, made) = self.ask(Method::POST, path, tenant, Some(&body)).await;
        assert_eq!(status, StatusCode::CREATED, "{path}: {made}");
        made["id"].as_str().expect("an id").to_owned()
    }

    /// A tenant with a connected account, a folder, a plan, and a run that has begun.
    pub(super) async fn customer(&self, account: Account, folders: &Path) -> Customer {
        let mut customer = self.newcomer(account, folders).await;
        customer.run = self.run(&customer.tenant, &customer.plan).await;
        customer
    }

    /// The same without a run.
    pub(super) async fn newcomer(&self, account: Account, folders: &Path) -> Customer {
        let tenant = self
            .make("/v1/tenants", "", json!({"name": account.email}))
            .await;
        let credential = json!({
            "client_id": account.client_id,
            "client_secret": account.client_secret,
            "refresh_token": account.refresh_token,
        });
        let source = json!({"kind": "google_photos", "name": "photos", "credential": credential});
        let source = self.make("/v1/storages", &tenant, source).await;
        let archive = folders.join(&account.email);
        std::fs::create_dir(&archive).expect("a folder");
        let destination = json!({"kind": "local_folder", "name": "folder", "path": archive});
        let destination = self.make("/v1/storages", &tenant, destination).await;
        let plan = json!({"name": "backup", "source": source, "destination": destination});
        let plan = self.make("/v1/plans", &tenant, plan).await;
        Customer {
            tenant,
            account: account.email,
            archive,
            plan,
            run: String::new(),
        }
    }

    /// Starts a full run.
    pub(super) async fn run(&self, tenant: &str, plan: &str) -> String {
        let path = format!("/v1/plans/{plan}/runs");
        self.make(&path, tenant, json!({"mode": "full"})).await
    }

    pub(super) async fn run_of(&self, customer: &Customer) -> Value {
        let path = format!("/v1/runs/{}", customer.run);
        let (status, run) = self.ask(Method::GET, &path, &customer.tenant, None).await;
        assert_eq!(status, StatusCode::OK, "{run}");
        run
    }

    /// Waits until so many photos of all customers together are stored.
    pub(super) async fn stored(&self, customers: &[Customer], at_least: u64) {
        let began = Instant::now();
        loop {
            let mut stored = 0;
            for customer in customers {
                let run = self.run_of(customer).await;
                stored += run["progress"]["stored"].as_u64().expect("a count");
            }
            if stored >= at_least {
                return;
            }
            assert!(
                began.elapsed() < longest_run(),
                "{stored} of {at_least} are stored"
            );
            sleep(Duration::from_millis(50)).await;
        }
    }

    /// Waits until the run of each customer has ended well.
    pub(super) async fn succeeded(&self, customers: &[Customer]) {
        let began = Instant::now();
        for customer in customers {
            loop {
                let run = self.run_of(customer).await;
                match run["state"].as_str() {
                    Some("succeeded") => break,
                    Some("failed" | "cancelled" | "partial") => panic!("{run}"),
                    _ => assert!(began.elapsed() < longest_run(), "{run}"),
                }
                sleep(Duration::from_millis(100)).await;
            }
        }
    }
}
