//! The line about a full-resolution proxy: asks it for one listed item. Any page of it proves nothing, for it answers all with one.

use tintype_media::Inspector;
use tintype_model::{item::MediaKind, storage::ProxyUrl};
use tintype_ports::{
    originals::{OriginalError, Stretch},
    photos::{ListedItem, Persistence},
};

use super::Trial;
use crate::setup::checklist::{Check, CheckName};

/// Bytes that are asked for.
const BEGINNING: u64 = 64 * 1024;
/// Bytes that show what a file is.
const TELLING: usize = 512;

impl Trial<'_> {
    pub(super) async fn proxy(&self, proxy: &ProxyUrl, entries: &[ListedItem]) -> Check {
        let name = CheckName::Proxy;
        let photo_first = entries
            .iter()
            .min_by_key(|item| item.metadata.kind == MediaKind::Video);
        let Some(item) = photo_first else {
            let why = "it could not be proven: there is no item to ask the proxy for";
            return Check::skipped(name, why);
        };
        let originals = &self.app.ports.originals;
        let mut turn = match originals.turn(proxy, Persistence::Once).await {
            Ok(turn) => turn,
            Err(busy) => return Check::skipped(name, &format!("it could not be proven: {busy}")),
        };
        let mut inspector = Inspector::new(&item.metadata.mime_type);
        let read = async {
            turn.ask(&item.id, Stretch::Beginning(BEGINNING)).await?;
            let mut got = 0;
            while got < TELLING {
                let Some(bytes) = turn.next().await? else {
                    break;
                };
                got += bytes.len();
                inspector.feed(&bytes);
            }
            Ok::<_, OriginalError>(got)
        };
        let got = match read.await {
            Ok(got) => got,
            Err(error) => return Check::of_original(&error),
        };
        let well = inspector.begins_well();
        let is_fine = well.is_ok() && inspector.is_certainly(item.metadata.kind);
        turn.judge(is_fine);
        if !is_fine {
            let kind = "it begins like no file of the item's kind".to_owned();
            let why = well.err().map_or(kind, |fault| fault.to_string());
            return Check::of_original(&OriginalError::NotMedia(why));
        }
        let evidence = match turn.total_length() {
            Some(total) => format!("an original of {total} bytes promised"),
            None => format!("an original; {got} bytes of it came"),
        };
        Check::passed(name, evidence)
    }
}
