//! Where the bytes of a backup's items come from: the account's library, or what a person picked of it.

use std::sync::Arc;

use tintype_model::{fidelity::Channel, plan::Plan, run::RunMode, shard::Lease, storage::ProxyUrl};
use tintype_ports::{PhotoSource, photos::Persistence};

use super::account::Account;
use crate::{App, AppResult};

/// Where a shard's downloads come from.
pub(super) struct Downloads {
    pub(super) account: Account,
    pub(super) source: Arc<dyn PhotoSource>,
    /// The way they come.
    pub(super) channel: Channel,
    /// Who is asked for originals first.
    pub(super) proxy: Option<ProxyUrl>,
}

impl App {
    pub(super) async fn downloads(&self, lease: &Lease, plan: Plan) -> AppResult<Downloads> {
        let shard = &lease.shard;
        if self.run(shard.tenant, shard.run).await?.mode == RunMode::Picks {
            let (account, source) = self.picked_source(lease, plan).await?;
            return Ok(Downloads {
                account,
                source,
                channel: Channel::Picker,
                // It knows the library's ids, not those of a picking session.
                proxy: None,
            });
        }
        let of = plan.source;
        let account = self.account(lease, plan, of, "download").await?;
        let gate = Arc::clone(&account.gate) as _;
        Ok(Downloads {
            source: self.ports.sources.open(gate, Persistence::Usual),
            channel: Channel::AppCreated,
            proxy: account.settings.proxy.clone(),
            account,
        })
    }
}
