//! The port: the files of a folder or bucket that is no archive, as an upload finds them.

mod beneath;
mod folder;
mod local;
mod rules;
mod stored;
mod walk;

use std::sync::Arc;

use tintype_ports::{ArchiveError, Files};

use crate::{
    operator,
    settings::{Root, check_root},
};

/// Opens the files below a root. The place is not touched before they are asked for. `local_folders` is the operator's policy:
/// whether folders of this machine may be looked into.
///
/// # Errors
/// When the settings cannot be used.
pub fn open_files(root: Root, local_folders: bool) -> Result<Arc<dyn Files>, ArchiveError> {
    check_root(&root, local_folders)?;
    Ok(match root {
        Root::LocalFolder { path } => Arc::new(local::LocalFiles::new(&path)),
        Root::S3(_) | Root::Memory(_) => Arc::new(stored::StoredFiles::new(operator::open(&root)?)),
    })
}
