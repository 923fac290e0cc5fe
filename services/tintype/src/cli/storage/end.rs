//! The end of a connection.

use std::process::ExitCode;

use clap::Args;
use reqwest::Method;

use crate::{
    failure::Failure,
    remote::Server,
    render::{out, printable},
};

/// Which place.
#[derive(Debug, Args)]
pub(super) struct Which {
    /// Name or id of the storage
    #[arg(value_name = "STORAGE")]
    storage: String,
}

impl Which {
    pub(super) async fn disconnect(self, server: &Server) -> Result<ExitCode, Failure> {
        let remote = server.open_tenant(false).await?;
        let found = remote.storage(&self.storage).await?;
        let path = format!("/v1/storages/{}/disconnect", found.id);
        remote.tell(Method::POST, &path).await?;
        out(&format!("{} is disconnected", printable(&found.name)));
        Ok(ExitCode::SUCCESS)
    }

    pub(super) async fn remove(self, server: &Server) -> Result<ExitCode, Failure> {
        let remote = server.open_tenant(false).await?;
        let found = remote.storage(&self.storage).await?;
        let path = format!("/v1/storages/{}", found.id);
        remote.tell(Method::DELETE, &path).await?;
        out(&format!("{} is removed", printable(&found.name)));
        Ok(ExitCode::SUCCESS)
    }
}
