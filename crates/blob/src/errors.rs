//! From what the operating system and object stores say to the typed errors of the port.

use std::{error::Error, fmt::Display, io};

use tintype_ports::ArchiveError;

/// What went wrong with a file of this machine. `what` names the place.
pub(crate) fn of_file(what: impl Display, error: &io::Error) -> ArchiveError {
    if let Some(inner) = error
        .get_ref()
        .and_then(|it| it.downcast_ref::<opendal::Error>())
    {
        return of_storage(what, inner);
    }
    let text = format!("{what}: {error}");
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => ArchiveError::Missing(text),
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            ArchiveError::ReadOnly(text)
        }
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
            ArchiveError::Full(text)
        }
        io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => ArchiveError::Corrupt(text),
        _ => ArchiveError::Unavailable(text),
    }
}

/// What went wrong at an object store.
pub(crate) fn of_storage(what: impl Display, error: &opendal::Error) -> ArchiveError {
    if let Some(file) = file_error_within(error) {
        return of_file(what, file);
    }
    let said = error.message();
    let text = format!("{what}: {said}");
    let mentions = |codes: &[&str]| codes.iter().any(|code| said.contains(code));
    if mentions(&["NoSuchBucket"]) {
        return ArchiveError::Missing(text);
    }
    if mentions(&[
        "QuotaExceeded",
        "InsufficientStorage",
        "NotEnoughSpace",
        "StorageFull",
        "no space left",
    ]) {
        return ArchiveError::Full(text);
    }
    match error.kind() {
        opendal::ErrorKind::NotFound => ArchiveError::Missing(text),
        opendal::ErrorKind::PermissionDenied
            if mentions(&[
                "InvalidAccessKeyId",
                "SignatureDoesNotMatch",
                "ExpiredToken",
                "InvalidToken",
            ]) =>
        {
            ArchiveError::Denied(text)
        }
        opendal::ErrorKind::PermissionDenied => ArchiveError::ReadOnly(text),
        opendal::ErrorKind::ConfigInvalid => ArchiveError::Settings(text),
        _ => match error.source() {
            Some(source) => ArchiveError::Unavailable(format!("{text}: {source}")),
            None => ArchiveError::Unavailable(text),
        },
    }
}

fn file_error_within(error: &opendal::Error) -> Option<&io::Error> {
    let mut source = error.source();
    while let Some(inner) = source {
        let file = inner.downcast_ref::<io::Error>();
        if let Some(file) = file.filter(|it| it.raw_os_error().is_some()) {
            return Some(file);
        }
        source = inner.source();
    }
    None
}

/// The same failure again, for each of a group that it hit.
pub(crate) fn again(error: &ArchiveError) -> ArchiveError {
    match error {
        ArchiveError::Missing(text) => ArchiveError::Missing(text.clone()),
        ArchiveError::ReadOnly(text) => ArchiveError::ReadOnly(text.clone()),
        ArchiveError::Full(text) => ArchiveError::Full(text.clone()),
        ArchiveError::Foreign(text) => ArchiveError::Foreign(text.clone()),
        ArchiveError::Denied(text) => ArchiveError::Denied(text.clone()),
        ArchiveError::Corrupt(text) => ArchiveError::Corrupt(text.clone()),
        ArchiveError::Locked(text) => ArchiveError::Locked(text.clone()),
        ArchiveError::Settings(text) => ArchiveError::Settings(text.clone()),
        ArchiveError::Unavailable(text) => ArchiveError::Unavailable(text.clone()),
    }
}

/// Runs work that blocks off the async threads.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ArchiveError> + Send + 'static,
) -> Result<T, ArchiveError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => Err(ArchiveError::Unavailable(format!(
            "work in the background ended: {error}"
        ))),
    }
}
