//! Which scheduler leads.

use tintype_ports::store::HeldLease;

use crate::{App, AppResult, schedule::LEADER};

impl App {
    /// The lease of the scheduler that leads at present.
    ///
    /// # Errors
    /// The catalogue cannot be used.
    pub async fn leader(&self) -> AppResult<Option<HeldLease>> {
        Ok(self.ports.store.held_lease(LEADER).await?)
    }
}
