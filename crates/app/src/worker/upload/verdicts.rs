//! What Google's answers mean for the items of a batch.

use tintype_model::{
    ErrorKind, Fidelity,
    fidelity::{Channel, Encoding, Location},
    item::{ItemFault, ProviderId, StoredContent},
};
use tintype_ports::{
    PhotoError,
    photos::Creation,
    store::{MadeItem, Outcome, UploadRecord},
};

use super::{
    super::trouble::ItemTrouble,
    Sent,
    make::{Fate, Target},
    path_of, place_of,
    sort::Ready,
};

/// The item is there, as `id` where that is known.
pub(super) fn stored(sent: &Sent, id: Option<&ProviderId>) -> Outcome {
    Outcome {
        seq: sent.item.seq,
        result: Ok(StoredContent {
            blob: sent.content,
            size: sent.size,
            path: path_of(id),
            fidelity: as_sent(),
        }),
    }
}

/// Google has the bytes as they were sent.
pub(super) const fn as_sent() -> Fidelity {
    Fidelity {
        channel: Channel::AppCreated,
        encoding: Encoding::Original,
        promised: None,
        got: None,
        location: Location::Unknown,
    }
}

pub(super) fn send_again() -> ItemFault {
    ItemFault {
        kind: ErrorKind::Unavailable,
        message: "google no longer has its bytes; they are sent again".into(),
    }
}

/// Sorts the answers; what the album had no room for comes back.
pub(super) fn judge(
    ready: Vec<Ready>,
    creations: Vec<Creation>,
    target: Option<&Target>,
    record: &mut UploadRecord,
    fates: &mut Vec<Fate>,
) -> Vec<Ready> {
    let (mut full, mut added) = (Vec::new(), 0);
    for (ready, creation) in ready.into_iter().zip(creations) {
        let sent = &ready.sent;
        let content = sent.content;
        match creation {
            Creation::Made(id) => {
                added += 1;
                record.outcomes.push(stored(sent, Some(&id)));
                let id = Some(id);
                record.made.push(MadeItem { content, id });
            }
            Creation::Exists(id) => {
                added += 1;
                record.outcomes.push(stored(sent, id.as_ref()));
                record.made.push(MadeItem { content, id });
            }
            Creation::TokenLost => {
                record.forgotten.push(content);
                fates.push((sent.item.seq, Err(ItemTrouble::Later(send_again()))));
            }
            Creation::AlbumFull if target.is_some() => full.push(ready),
            Creation::AlbumFull => fates.push(not_now(sent, "the album is full")),
            Creation::NotNow(text) => fates.push(not_now(sent, &text)),
            Creation::Refused(text) => record.outcomes.push(refused(sent, &text)),
        }
    }
    if let Some(target) = target.filter(|_| added > 0) {
        record.albums.push(target.grown_by(added));
    }
    full
}

fn not_now(sent: &Sent, text: &str) -> Fate {
    let fault = ItemFault {
        kind: ErrorKind::Unavailable,
        message: format!(
            "{}: google cannot make it now: {text}",
            place_of(&sent.item)
        ),
    };
    (sent.item.seq, Err(ItemTrouble::Later(fault)))
}

fn refused(sent: &Sent, text: &str) -> Outcome {
    Outcome {
        seq: sent.item.seq,
        result: Err(ItemFault {
            kind: ErrorKind::Corrupt,
            message: format!(
                "{}: google makes no photo of it: {text} Open the file and save it anew, or leave it out.",
                place_of(&sent.item)
            ),
        }),
    }
}

/// What becomes of an item whose call failed although it was alone.
pub(super) fn alone(one: &Ready, error: &PhotoError, record: &mut UploadRecord) -> Option<Fate> {
    match error {
        PhotoError::Rejected(text) => {
            record.outcomes.push(refused(&one.sent, text));
            None
        }
        other => Some(not_now(&one.sent, &other.to_string())),
    }
}
