//! The Picker API: sessions in which a person chooses, and what was chosen.

mod picked;
mod session;

use std::sync::Arc;

use async_trait::async_trait;
use tintype_ports::{
    PhotoSource,
    photos::{PhotoError, PhotoPicker, PickSession, PickSessionId},
};

use self::picked::Picked;
use crate::attempt::Caller;

/// The Picker of one account.
pub(crate) struct Picker(pub(crate) Arc<Caller>);

#[async_trait]
impl PhotoPicker for Picker {
    async fn begin(&self) -> Result<PickSession, PhotoError> {
        session::begin(&self.0).await
    }

    async fn look(&self, id: &PickSessionId) -> Result<PickSession, PhotoError> {
        session::look(&self.0, id).await
    }

    async fn end(&self, id: &PickSessionId) -> Result<(), PhotoError> {
        session::end(&self.0, id).await
    }

    fn picks(&self, id: &PickSessionId) -> Arc<dyn PhotoSource> {
        Arc::new(Picked::new(Arc::clone(&self.0), id.clone()))
    }
}
