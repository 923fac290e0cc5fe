//! Tenants with a connected account, a folder and a plan.

use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use tintype_app::setup::{NewDestination, NewGoogleStorage, NewPlan};
use tintype_model::{
    PlanId, StorageId, TenantId,
    credential::ClientId,
    plan::PlanOptions,
    storage::{GooglePhotosSettings, StorageSettings},
    tenant::Tenant,
};

use crate::{Failure, gateway::Gateway, install};

/// Who is to be connected, in `customers.json`.
#[derive(Deserialize)]
struct Customer {
    name: String,
    client_id: String,
    client_secret: String,
    refresh_token: String,
}

/// Who was, in `plans.json`.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Connected {
    pub(crate) tenant: TenantId,
    pub(crate) plan: PlanId,
    pub(crate) source: StorageId,
}

/// Connects everybody, in order.
pub(crate) async fn connect(gateway: &Gateway) -> Result<(), Failure> {
    let customers: Vec<Customer> = install::read(&gateway.folder.join("customers.json"))?;
    let mut connected = Vec::with_capacity(customers.len());
    for customer in customers {
        connected.push(connect_one(gateway, customer).await?);
    }
    let text = serde_json::to_string(&connected)?;
    Ok(std::fs::write(gateway.folder.join("plans.json"), text)?)
}

/// Those that `connect` connected last.
pub(crate) fn connected(gateway: &Gateway) -> Result<Vec<Connected>, Failure> {
    install::read(&gateway.folder.join("plans.json"))
}

async fn connect_one(gateway: &Gateway, customer: Customer) -> Result<Connected, Failure> {
    let app = &gateway.app;
    let tenant = Tenant {
        id: gateway.new_tenant(),
        name: customer.name,
        weight: 1,
        max_shards: None,
        created_at: app.ports().clock.now(),
    };
    app.ports().store.add_tenant(&tenant).await?;
    let project = ClientId::parse(&customer.client_id)?.project().clone();
    let source = NewGoogleStorage {
        name: "photos".into(),
        client_id: customer.client_id,
        client_secret: SecretString::from(customer.client_secret),
        refresh_token: SecretString::from(customer.refresh_token),
        settings: GooglePhotosSettings::new(project),
    };
    let source = app.connect_google(tenant.id, source).await?;
    let path = gateway.folder.join(format!("archive-{}", tenant.id));
    std::fs::create_dir(&path)?;
    let destination = NewDestination {
        name: "folder".into(),
        settings: StorageSettings::LocalFolder { path },
        keys: None,
    };
    let destination = app.connect_destination(tenant.id, destination).await?;
    let plan = NewPlan {
        name: "backup".into(),
        source: source.id,
        destination: destination.id,
        options: PlanOptions::default(),
        schedule: None,
        archive: None,
    };
    let plan = app.create_plan(tenant.id, plan).await?;
    Ok(Connected {
        tenant: tenant.id,
        plan: plan.id,
        source: source.id,
    })
}
