//! The engine of this process: the application with its scheduler and its worker, until it is drained.

use tintype_app::App;
use tintype_model::ErrorKind;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::{
    config::{DataFolder, Profile},
    failure::Failure,
    wire::{self, Embedded},
};

/// The running application.
pub(crate) struct Engine {
    embedded: Embedded,
    stop: CancellationToken,
    tasks: JoinSet<()>,
    _folder: DataFolder,
}

impl Engine {
    /// Locks the data folder, opens everything in it and starts to work.
    pub(crate) async fn start(profile: &Profile) -> Result<Self, Failure> {
        let folder = DataFolder::lock(&profile.data)?;
        let embedded = wire::open(profile).await?;
        let app = embedded.app();
        // Whatever an earlier process held is free: the lock says that it is no more.
        app.take_over().await?;
        let stop = CancellationToken::new();
        let mut tasks = JoinSet::new();
        let (scheduler, worker) = (app.clone(), app.clone());
        let (stop_scheduler, stop_worker) = (stop.clone(), stop.clone());
        tasks.spawn(async move { scheduler.schedule(stop_scheduler).await });
        tasks.spawn(async move { worker.work(stop_worker).await });
        Ok(Self {
            embedded,
            stop,
            tasks,
            _folder: folder,
        })
    }

    /// The application.
    pub(crate) fn app(&self) -> &App {
        self.embedded.app()
    }

    /// Waits until a background task ends without having been asked to, and says how.
    pub(crate) async fn ended_early(&mut self) -> String {
        match self.tasks.join_next().await {
            Some(Ok(())) => "it was not asked to".into(),
            Some(Err(error)) => error.to_string(),
            None => std::future::pending().await,
        }
    }

    /// Hands leases and unspent quota back and closes the databases.
    pub(crate) async fn drain(mut self) -> Result<(), Failure> {
        self.stop.cancel();
        let mut died = None;
        while let Some(ended) = self.tasks.join_next().await {
            died = died.or(ended.err());
        }
        self.embedded.close().await;
        match died {
            None => Ok(()),
            Some(error) => Err(Failure::new(
                ErrorKind::Internal,
                format!("a background task ended in a defect: {error}"),
            )),
        }
    }
}
