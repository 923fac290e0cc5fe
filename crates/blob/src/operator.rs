//! From a root to an opendal operator with deadlines and limited retries.

use std::{fs, time::Duration};

use opendal::{
    HttpTransporter, OperationContext, Operator,
    layers::{RetryLayer, TimeoutLayer},
    services,
};
use secrecy::ExposeSecret as _;
use tintype_ports::ArchiveError;

use crate::{
    errors,
    guarded::GuardedTransport,
    settings::{Root, S3Root},
};

/// Longest wait for an answer that carries no bytes.
const CALL_DEADLINE: Duration = Duration::from_secs(30);
/// Longest wait for one piece of bytes, in either direction.
const PIECE_DEADLINE: Duration = Duration::from_secs(120);
const RETRIES: usize = 4;

pub(crate) fn open(root: &Root) -> Result<Operator, ArchiveError> {
    let operator = match root {
        Root::LocalFolder { path } => {
            // opendal would make the folder; a missing one may be a disk that is not mounted.
            let found =
                fs::metadata(path).map_err(|error| errors::of_file(path.display(), &error))?;
            if !found.is_dir() {
                return Err(ArchiveError::Missing(format!(
                    "{} is not a folder",
                    path.display()
                )));
            }
            let text = path.to_str().ok_or_else(|| {
                ArchiveError::Settings(format!("path: {} is not UTF-8", path.display()))
            })?;
            Operator::new(services::Fs::default().root(text))
        }
        Root::S3(s3) => bucket(s3),
        Root::Memory(memory) => Ok(memory.0.clone()),
    };
    let operator = operator.map_err(|error| errors::of_storage("the settings", &error))?;
    let deadlines = TimeoutLayer::new()
        .with_timeout(CALL_DEADLINE)
        .with_io_timeout(PIECE_DEADLINE);
    let retries = RetryLayer::new()
        .with_max_times(RETRIES)
        .with_min_delay(Duration::from_millis(200))
        .with_max_delay(Duration::from_secs(10))
        .with_jitter();
    Ok(operator.layer(deadlines).layer(retries))
}

/// The given keys are the first that are asked, and never blank, so no other source is reached; those that reach out by
/// themselves are switched off besides.
fn bucket(s3: &S3Root) -> opendal::Result<Operator> {
    let place = &s3.settings;
    let service = services::S3::default()
        .bucket(&place.bucket)
        .root(&format!("/{}", place.prefix.trim_matches('/')))
        .endpoint(&place.endpoint)
        .region(&place.region)
        .access_key_id(&s3.access_key_id)
        .secret_access_key(s3.secret_access_key.expose_secret())
        .disable_config_load()
        .disable_ec2_metadata();
    let transport = HttpTransporter::new(GuardedTransport::new(s3.client.clone()));
    let context = OperationContext::new().with_http_transport(transport);
    Ok(Operator::new(service)?.with_context(context))
}
