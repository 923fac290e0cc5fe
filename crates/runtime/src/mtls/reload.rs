//! TLS that follows its files. A broken new file changes nothing, and says so once.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::sleep;

use super::{
    SpiffeId, TlsError,
    files::{Contents, TlsFiles, TlsMaterial},
};

type Build<T> = Box<dyn Fn(&TlsMaterial) -> Result<T, TlsError> + Send + Sync>;

/// A TLS configuration of kind `T` and the files it is made of.
pub struct Reloading<T> {
    files: TlsFiles,
    build: Build<T>,
    state: Mutex<State<T>>,
}

struct State<T> {
    current: Arc<T>,
    identity: SpiffeId,
    ends_at: i64,
    contents: Contents,
    /// Files that were told to be broken already.
    broken: Option<Contents>,
}

impl<T> Reloading<T> {
    /// Reads the files for the first time.
    ///
    /// # Errors
    /// When they are missing or broken.
    pub fn new(
        files: TlsFiles,
        build: impl Fn(&TlsMaterial) -> Result<T, TlsError> + Send + Sync + 'static,
    ) -> Result<Self, TlsError> {
        let contents = files.contents()?;
        let material = files.parse(&contents)?;
        let state = State {
            current: Arc::new(build(&material)?),
            identity: material.identity,
            ends_at: material.ends_at,
            contents,
            broken: None,
        };
        Ok(Self {
            files,
            build: Box::new(build),
            state: Mutex::new(state),
        })
    }

    /// What new connections use.
    #[must_use]
    pub fn current(&self) -> Arc<T> {
        Arc::clone(&self.held().current)
    }

    /// Who the certificate in use says we are.
    #[must_use]
    pub fn identity(&self) -> SpiffeId {
        self.held().identity.clone()
    }

    /// When the certificate in use ends, in seconds since 1970.
    #[must_use]
    pub fn ends_at(&self) -> i64 {
        self.held().ends_at
    }

    /// Reads the files again. True when they changed and are in use from now on.
    ///
    /// # Errors
    /// When they are missing or broken, or the new certificate is somebody else's; then what was there stays in use.
    pub fn reload(&self) -> Result<bool, TlsError> {
        let contents = self.files.contents()?;
        if self.held().contents == contents {
            return Ok(false);
        }
        let made = self.files.parse(&contents).and_then(|material| {
            self.stays_itself(&material)?;
            Ok(((self.build)(&material)?, material.ends_at))
        });
        let mut state = self.held();
        match made {
            Ok((current, ends_at)) => {
                state.current = Arc::new(current);
                state.ends_at = ends_at;
                state.contents = contents;
                state.broken = None;
                Ok(true)
            }
            Err(error) => {
                state.broken = Some(contents);
                Err(error)
            }
        }
    }

    /// Looks at the files again and again, for as long as it is polled, and calls `changed` after each change.
    pub async fn follow(&self, every: Duration, changed: impl Fn()) {
        let mut told = false;
        loop {
            sleep(every).await;
            let known_broken = self.is_known_broken();
            match self.reload() {
                Ok(false) => told = false,
                Ok(true) => {
                    told = false;
                    tracing::info!(
                        file = %self.files.certificate.display(),
                        "certificates changed: new connections use the new ones"
                    );
                    changed();
                }
                Err(error) if !told || !known_broken => {
                    told = true;
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        "changed certificates cannot be used: the old ones stay in use"
                    );
                }
                Err(_) => {}
            }
        }
    }

    /// A running service is known to others by its identity: another one needs a restart.
    fn stays_itself(&self, material: &TlsMaterial) -> Result<(), TlsError> {
        let expected = self.held().identity.clone();
        if material.identity == expected {
            return Ok(());
        }
        Err(TlsError::Identity {
            path: self.files.certificate.clone(),
            source: super::IdentityError::Other {
                found: material.identity.clone(),
                expected: expected.to_string(),
            },
        })
    }

    fn is_known_broken(&self) -> bool {
        match self.files.contents() {
            Ok(contents) => self.held().broken.as_ref() == Some(&contents),
            // A file that cannot be read has been told of once.
            Err(_) => true,
        }
    }

    fn held(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> fmt::Debug for Reloading<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reloading")
            .field("files", &self.files)
            .field("identity", &self.identity())
            .finish_non_exhaustive()
    }
}
