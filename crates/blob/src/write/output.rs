//! Staged files: how bytes get to this machine's disks before anybody sees them.
//!
//! What an archive keeps is written past the page cache where the file system allows it: a photo is written once and not
//! read again soon, so that caching it costs a copy and drives out what others need, and an error of the disk comes back from
//! the write itself. The file system then has only names and lengths to make durable, for many files at once.

use std::{
    io,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use bytes::Bytes;
use tempfile::{NamedTempFile, TempPath};
use tintype_ports::ArchiveError;

use super::{
    block::{Block, Blocks},
    disk::Disk,
    staging::Staging,
};
use crate::errors;

/// Makes staged files of one archive.
pub(super) struct Outputs {
    pub(super) staging: Staging,
    pub(super) disk: Arc<dyn Disk>,
    pub(super) blocks: Arc<Blocks>,
    purpose: Purpose,
    /// Until the file system says otherwise.
    takes_direct: AtomicBool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// These very files will be the archive's.
    Archive,
    /// They are sent on, then removed: nothing needs to be durable, and they are read again at once.
    Spool,
}

/// A staged file that is being written. Dropped, it is gone.
pub(super) struct Output {
    outputs: Arc<Outputs>,
    file: NamedTempFile,
    is_direct: bool,
    length: u64,
    stored: u64,
}

/// A staged file that is complete. Dropped, it is gone.
pub(crate) struct StagedFile {
    pub(crate) path: TempPath,
    /// False: it becomes durable with the file system's next sync.
    pub(super) is_durable: bool,
}

impl Outputs {
    pub(super) fn new(staging: Staging, disk: Arc<dyn Disk>, purpose: Purpose) -> Self {
        Self {
            staging,
            disk,
            blocks: Arc::default(),
            purpose,
            takes_direct: AtomicBool::new(purpose == Purpose::Archive),
        }
    }

    /// Begins a file. Blocks.
    pub(super) fn begin(self: &Arc<Self>) -> Result<Output, ArchiveError> {
        let file = self.staging.file()?;
        let mut is_direct = self.takes_direct.load(Ordering::Relaxed);
        if is_direct && self.disk.set_direct(file.as_file(), true).is_err() {
            self.takes_direct.store(false, Ordering::Relaxed);
            is_direct = false;
        }
        Ok(Output {
            outputs: Arc::clone(self),
            file,
            is_direct,
            length: 0,
            stored: 0,
        })
    }

    /// Writes a small file at once. Blocks.
    pub(super) fn write(self: &Arc<Self>, mut bytes: Bytes) -> Result<StagedFile, ArchiveError> {
        let mut output = self.begin()?;
        let mut block = self.blocks.take();
        while !bytes.is_empty() {
            block.fill(&mut bytes);
            output.append(&mut block)?;
        }
        output.end()
    }
}

impl Output {
    /// Appends a block and empties it. Only the last one may be part full. Blocks.
    pub(super) fn append(&mut self, block: &mut Block) -> Result<(), ArchiveError> {
        let written = self.write_at(self.length, block);
        written.map_err(|error| self.failed(&error))?;
        self.length += block.bytes().len() as u64;
        block.clear();
        Ok(())
    }

    fn write_at(&mut self, at: u64, block: &mut Block) -> io::Result<()> {
        let disk = &self.outputs.disk;
        if self.is_direct {
            let padded = block.padded();
            match disk.write_at(self.file.as_file(), padded, at) {
                Ok(()) => {
                    self.stored = at + padded.len() as u64;
                    return Ok(());
                }
                Err(error) if error.kind() == io::ErrorKind::InvalidInput => {}
                Err(error) => return Err(error),
            }
            // Some file systems let the file be opened for it and then refuse the write.
            disk.set_direct(self.file.as_file(), false)?;
            self.outputs.takes_direct.store(false, Ordering::Relaxed);
            self.is_direct = false;
        }
        disk.write_at(self.file.as_file(), block.bytes(), at)?;
        self.stored = at + block.bytes().len() as u64;
        Ok(())
    }

    /// Ends the file. Blocks.
    pub(super) fn end(self) -> Result<StagedFile, ArchiveError> {
        let file = self.file.as_file();
        let ended = || {
            if self.stored > self.length {
                file.set_len(self.length)?;
            }
            if self.outputs.purpose == Purpose::Archive && !self.is_direct {
                self.outputs.disk.sync(file)?;
            }
            Ok(())
        };
        ended().map_err(|error| self.failed(&error))?;
        Ok(StagedFile {
            is_durable: !self.is_direct,
            path: self.file.into_temp_path(),
        })
    }

    fn failed(&self, error: &io::Error) -> ArchiveError {
        let path: &Path = self.file.path();
        errors::of_file(path.display(), error)
    }
}
