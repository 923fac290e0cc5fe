//! Checking an archive from what lies in it alone.

mod extras;
mod objects;
mod snapshots;

use std::{collections::HashSet, fmt};

use serde::Serialize;
use tintype_model::SnapshotId;
use tintype_ports::ArchiveError;

use crate::reader::ArchiveReader;

/// What to check, and how hard to work.
#[derive(Debug, Clone)]
pub struct VerifyOptions {
    /// Only this snapshot and what it needs; `None` for all.
    pub snapshot: Option<SnapshotId>,
    /// Objects read at once.
    pub parallel: usize,
}

impl Default for VerifyOptions {
    fn default() -> Self {
        Self {
            snapshot: None,
            parallel: 8,
        }
    }
}

/// How far a check is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct VerifyProgress {
    /// Distinct objects checked.
    pub objects: u64,
    /// Plain bytes read from them.
    pub bytes: u64,
    /// Problems found.
    pub problems: u64,
}

/// What is wrong with something in an archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ProblemKind {
    /// It is not there.
    Missing,
    /// Its bytes are not those that were written.
    Damaged,
    /// It has another length than the manifest says.
    WrongLength,
    /// It could not be read to its end.
    Unreadable,
    /// A manifest is not signed by the archive's key, or not as it was signed.
    BadSignature,
    /// A manifest does not follow the one before it.
    BrokenChain,
    /// Something that does not belong into an archive.
    ForeignFile,
}

impl fmt::Display for ProblemKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Missing => "missing",
            Self::Damaged => "damaged",
            Self::WrongLength => "wrong length",
            Self::Unreadable => "unreadable",
            Self::BadSignature => "bad signature",
            Self::BrokenChain => "broken chain",
            Self::ForeignFile => "foreign file",
        })
    }
}

/// Something that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// Below the root.
    pub path: String,
    /// What is wrong with it.
    pub kind: ProblemKind,
    /// More, for a person.
    pub detail: String,
    /// File names of the items that need it; at most 20.
    pub items: Vec<String>,
    /// How many items need it, those that are not named included.
    pub item_count: u64,
}

/// What a check found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct VerifyReport {
    /// Snapshots checked.
    pub snapshots: u64,
    /// Items in them; an item in two snapshots counts twice.
    pub items: u64,
    /// Distinct objects or mirrored files checked.
    pub objects: u64,
    /// Their plain bytes.
    pub bytes: u64,
    /// Files that no checked snapshot needs. Not an error. Not counted when one snapshot is checked.
    pub extra: u64,
    /// What is wrong; at most 10,000 are kept.
    pub problems: Vec<Problem>,
    /// All problems, those that are not kept included.
    pub problem_count: u64,
}

impl VerifyReport {
    /// True when nothing is wrong.
    #[must_use]
    pub const fn is_intact(&self) -> bool {
        self.problem_count == 0
    }
}

const MOST_PROBLEMS: usize = 10_000;

/// What a check gathers.
struct Findings<'a> {
    report: VerifyReport,
    /// BLAKE3 of path, content hash and length of what was checked.
    checked: HashSet<[u8; 32]>,
    /// BLAKE3 of the paths that snapshots need.
    needed: HashSet<[u8; 32]>,
    progress: &'a (dyn Fn(VerifyProgress) + Send + Sync),
}

impl Findings<'_> {
    fn problem(&mut self, path: &str, kind: ProblemKind, detail: impl Into<String>) {
        self.report.problem_count += 1;
        if self.report.problems.len() < MOST_PROBLEMS {
            self.report.problems.push(Problem {
                path: path.to_owned(),
                kind,
                detail: detail.into(),
                items: Vec::new(),
                item_count: 0,
            });
        }
        self.show();
    }

    fn show(&self) {
        (self.progress)(VerifyProgress {
            objects: self.report.objects,
            bytes: self.report.bytes,
            problems: self.report.problem_count,
        });
    }
}

fn key_of(path: &str) -> [u8; 32] {
    *blake3::hash(path.as_bytes()).as_bytes()
}

/// Checks manifests, signatures, the chain of snapshots, and every distinct object once. What is damaged is in the report.
///
/// # Errors
/// When the check itself cannot go on: an identity is needed, the snapshot does not exist, or the place does not answer.
pub async fn verify(
    reader: &ArchiveReader,
    options: &VerifyOptions,
    progress: &(dyn Fn(VerifyProgress) + Send + Sync),
) -> Result<VerifyReport, ArchiveError> {
    reader.check_unlocked()?;
    let mut findings = Findings {
        report: VerifyReport::default(),
        checked: HashSet::new(),
        needed: HashSet::new(),
        progress,
    };
    let snapshots = snapshots::check_list(reader, options.snapshot, &mut findings).await?;
    let mut chain = snapshots::Chain::default();
    for &snapshot in &snapshots {
        let end =
            objects::check_snapshot(reader, snapshot, options.parallel, &mut findings).await?;
        if options.snapshot.is_none() {
            chain.check(reader, snapshot, end, &mut findings);
        }
        findings.report.snapshots += 1;
    }
    if options.snapshot.is_none() {
        extras::look(reader, &mut findings).await?;
    }
    if !findings.report.is_intact() {
        snapshots::name_items(reader, &snapshots, &mut findings.report.problems).await?;
    }
    Ok(findings.report)
}
