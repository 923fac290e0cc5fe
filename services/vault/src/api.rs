//! The two services of the contract, in front of the keeper.

mod keeper;
mod vault;

use std::sync::Arc;

use tintype_ports::{VaultKeeper, vault::Grant};
use tintype_proto::grant::Scope;
use tonic::{Request, Status};

use crate::{
    answer::refused,
    grants::{GrantCheck, GrantError},
    listener::Peer,
};

/// What both services work with.
#[derive(Clone)]
pub(crate) struct Api {
    keeper: Arc<dyn VaultKeeper>,
    grants: Arc<GrantCheck>,
}

impl Api {
    pub(crate) fn new(keeper: Arc<dyn VaultKeeper>, grants: Arc<GrantCheck>) -> Self {
        Self { keeper, grants }
    }

    /// The grant of a request that is answered with a secret, or made with one, once it is known to be the caller's own.
    fn granted<T>(&self, request: &Request<T>, grant: &str) -> Result<Grant, Status> {
        let grant = self.own(request, grant)?;
        if grant.purpose == Scope::KeepAlive.as_str() {
            return Err(refused(GrantError::Elsewhere.into()));
        }
        Ok(grant)
    }

    /// The grant of a request to keep a credential alive.
    fn granted_life<T>(&self, request: &Request<T>, grant: &str) -> Result<Grant, Status> {
        let grant = self.own(request, grant)?;
        if grant.purpose != Scope::KeepAlive.as_str() {
            return Err(refused(GrantError::Elsewhere.into()));
        }
        Ok(grant)
    }

    fn own<T>(&self, request: &Request<T>, grant: &str) -> Result<Grant, Status> {
        let peer = request.extensions().get::<Peer>();
        let peer = peer.ok_or_else(|| Status::internal("the caller's identity is lost"))?;
        self.grants
            .check(grant, &peer.identity)
            .map_err(|error| refused(error.into()))
    }
}
