//! What an upload would do, before it does anything: how much there is, what Google will not take, how many days it needs.

use std::collections::{BTreeMap, HashMap};

use futures::{StreamExt as _, stream::BoxStream};
use tintype_media::accepted;
use tintype_model::{
    PlanId, TenantId,
    forecast::{Forecast, Work, forecast},
    item::{ItemState, ProviderId},
    plan::{Plan, PlanKind, UploadFrom},
    storage::StorageSettings,
};
use tintype_ports::{archive::ManifestEntry, files::Found};

use crate::{
    App, AppError, AppResult,
    worker::{from_file, from_manifest, upload::LARGE},
};

/// Files that one look at the catalogue compares.
const PAGE: usize = 500;
/// Refused files that are named.
const NAMED: usize = 100;

/// A file that Google would not take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedFile {
    /// Where it lies.
    pub path: String,
    /// Why, and what to do.
    pub reason: String,
}

/// What an upload would do.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Preflight {
    /// Files at the source.
    pub files: u64,
    /// Of these, uploaded by an earlier run and unchanged since.
    pub done: u64,
    /// Files to upload.
    pub uploads: u64,
    /// Their bytes: so much of the account's storage is taken, less what Google has already.
    pub bytes: u64,
    /// Files that will be refused, by reason.
    pub refused: BTreeMap<&'static str, u64>,
    /// The first of them.
    pub named: Vec<RefusedFile>,
    /// What could not be looked into.
    pub unreadable: Vec<RefusedFile>,
    /// Calls to Google that it takes.
    pub requests: u64,
    /// When it would be done by the cloud project's quota; `None` when never, or when there is nothing to do.
    pub forecast: Option<Forecast>,
}

/// What is to be uploaded, as far as it costs calls.
#[derive(Default)]
struct Calls {
    /// Items that take one call to be sent.
    small: u64,
    /// Items that take three.
    large: u64,
    /// Items of each album, and of none.
    by_album: HashMap<Option<String>, u64>,
}

impl Calls {
    fn add(&mut self, entry: &Entry) {
        if entry.size < LARGE {
            self.small += 1;
        } else {
            self.large += 1;
        }
        *self.by_album.entry(entry.album.clone()).or_default() += 1;
    }

    /// Sent, made `together` in a call, and an album made for each: one that an earlier run made is counted as well.
    fn sum(&self, together: u64) -> u64 {
        let batches = self.by_album.values().map(|items| items.div_ceil(together));
        let albums = self.by_album.keys().flatten().count() as u64;
        self.small + 3 * self.large + batches.sum::<u64>() + albums
    }
}

/// A file as far as a preflight goes.
struct Entry {
    id: ProviderId,
    album: Option<String>,
    path: String,
    name: String,
    size: u64,
    fingerprint: i64,
}

enum Looked {
    Entry(Entry),
    Unreadable(RefusedFile),
}

impl App {
    /// Walks the plan's source and counts. Asks Google nothing.
    ///
    /// # Errors
    /// The plan is no upload, or its source cannot be read.
    pub async fn preflight(&self, tenant: TenantId, plan: PlanId) -> AppResult<Preflight> {
        let plan = self.plan(tenant, plan).await?;
        if plan.kind != PlanKind::Upload {
            return Err(AppError::Invalid(
                "plan: only an upload from files or a snapshot can be looked at ahead; how much an account holds, its run finds out".into(),
            ));
        }
        let mut entries = self.look_ahead(&plan).await?.chunks(PAGE);
        let mut found = Preflight::default();
        let mut calls = Calls::default();
        while let Some(page) = entries.next().await {
            let mut some = Vec::with_capacity(page.len());
            for looked in page {
                match looked? {
                    Looked::Entry(entry) => some.push(entry),
                    Looked::Unreadable(file) if found.unreadable.len() < NAMED => {
                        found.unreadable.push(file);
                    }
                    Looked::Unreadable(_) => {}
                }
            }
            let done = self.done(&plan, &some).await?;
            for entry in some {
                found.files += 1;
                if done.contains(&entry.id) {
                    found.done += 1;
                } else if let Err(refusal) = accepted::check(&entry.name, entry.size) {
                    *found.refused.entry(refusal.code()).or_default() += 1;
                    if found.named.len() < NAMED {
                        found.named.push(RefusedFile {
                            path: entry.path,
                            reason: refusal.to_string(),
                        });
                    }
                } else {
                    found.uploads += 1;
                    found.bytes += entry.size;
                    calls.add(&entry);
                }
            }
        }
        self.reckon(&plan, &mut found, &calls).await?;
        Ok(found)
    }

    async fn reckon(&self, plan: &Plan, found: &mut Preflight, calls: &Calls) -> AppResult<()> {
        let account = self.storage(plan.tenant, plan.destination).await?;
        let StorageSettings::GooglePhotos(settings) = account.settings else {
            return Ok(());
        };
        let together = settings
            .batch
            .size_for(self.settings.max_downloads as usize) as u64;
        found.requests = calls.sum(together);
        let work = Work {
            items: 0,
            requests: found.requests,
        };
        let budget = self.budget(&settings.project).await?;
        let share = self.share(plan.tenant).await?;
        let now = self.ports.clock.now();
        found.forecast = forecast(now, work, budget, share, None).filter(|_| found.uploads > 0);
        Ok(())
    }

    /// Those that an earlier run uploaded, and that did not change since.
    async fn done(
        &self,
        plan: &Plan,
        entries: &[Entry],
    ) -> AppResult<std::collections::HashSet<ProviderId>> {
        let ids: Vec<ProviderId> = entries.iter().map(|entry| entry.id.clone()).collect();
        let known = self.ports.store.known(plan.tenant, plan.id, &ids).await?;
        let known: BTreeMap<ProviderId, (ItemState, i64)> = known
            .into_iter()
            .map(|item| (item.provider_id, (item.state, item.content_fingerprint)))
            .collect();
        let is_done = |entry: &&Entry| {
            known
                .get(&entry.id)
                .is_some_and(|it| *it == (ItemState::Stored, entry.fingerprint))
        };
        Ok(entries
            .iter()
            .filter(is_done)
            .map(|entry| entry.id.clone())
            .collect())
    }

    async fn look_ahead(&self, plan: &Plan) -> AppResult<BoxStream<'static, AppResult<Looked>>> {
        let with_albums = plan.options.upload.unwrap_or_default().albums;
        let UploadFrom::Snapshot { .. } = plan.options.upload.unwrap_or_default().from else {
            let files = self.open_files(plan, None).await?;
            let walk = files.walk().await.map_err(AppError::Source)?;
            return Ok(walk
                .map(move |found| Ok(of_file(found.map_err(AppError::Source)?, with_albums)))
                .boxed());
        };
        let archive = self.open_uploaded_archive(plan, None).await?;
        let id = self.snapshot_to_upload(plan).await?;
        let entries = archive.read_manifest(id).await.map_err(AppError::Source)?;
        let items = entries.filter_map(|entry| {
            let looked = match entry {
                Ok(ManifestEntry::Item(item)) => {
                    let (id, metadata) = from_manifest(*item);
                    Some(Ok(of_item(id, &metadata)))
                }
                Ok(_) => None,
                Err(error) => Some(Err(AppError::Source(error))),
            };
            std::future::ready(looked)
        });
        Ok(items.boxed())
    }
}

fn of_file(found: Found, with_albums: bool) -> Looked {
    match found {
        Found::File(file) => {
            let (id, metadata) = from_file(file, with_albums);
            of_item(id, &metadata)
        }
        Found::Unreadable { path, reason } => Looked::Unreadable(RefusedFile { path, reason }),
    }
}

fn of_item(id: ProviderId, metadata: &tintype_model::item::ItemMetadata) -> Looked {
    let (path, size, album) = match &metadata.file {
        Some(file) => (file.path.clone(), file.size, file.album.clone()),
        None => (metadata.filename.clone(), 0, None),
    };
    Looked::Entry(Entry {
        id,
        album,
        path,
        name: metadata.filename.clone(),
        size,
        fingerprint: metadata.content_fingerprint(),
    })
}
