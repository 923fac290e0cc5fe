//! Reading a manifest line by line, trusting nothing.

use async_stream::try_stream;
use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use bytes::{Bytes, BytesMut};
use futures::{StreamExt as _, TryStreamExt as _, stream::BoxStream};
use serde::de::DeserializeOwned;
use tintype_model::{ArchiveId, BlobHash, SnapshotId};
use tintype_ports::{ArchiveError, archive::ManifestEntry};
use zstd::stream::raw::{Decoder, Operation as _};

use super::{
    ALBUMS, CLOSE, FORMAT, HeadLine, ITEMS, LONGEST_LINE, TRAILER_LENGTH, VERSION, signature_line,
    signed_hasher, trailer,
};

/// Which manifest is expected.
#[derive(Clone)]
pub(crate) struct Wanted {
    pub(crate) path: String,
    pub(crate) snapshot: SnapshotId,
    pub(crate) archive: ArchiveId,
    pub(crate) signing_key: [u8; 32],
}

/// Reads the compressed bytes of a manifest.
pub(crate) fn read(
    wanted: Wanted,
    mut stored: BoxStream<'static, Result<Bytes, ArchiveError>>,
) -> BoxStream<'static, Result<ManifestEntry, ArchiveError>> {
    let entries = try_stream! {
        let damaged = |reason: &str| ArchiveError::Corrupt(format!("{}: {reason}", wanted.path));
        let mut frame = Frame::new().map_err(|error| damaged(&error.to_string()))?;
        let mut lines = Lines::new(&wanted);
        let mut held = BytesMut::new();
        while let Some(bytes) = stored.try_next().await? {
            held.extend_from_slice(&bytes);
            // The trailer is not part of the frame; which bytes are the last is known only at the end.
            let mut input = held.split_to(held.len().saturating_sub(TRAILER_LENGTH));
            while !input.is_empty() {
                let step = frame.step(&mut input).map_err(damaged)?;
                for line in step {
                    if let Some(entry) = lines.take(&line).map_err(|reason| damaged(&reason))? {
                        yield entry;
                    }
                }
            }
        }
        if held[..] != trailer(&frame.stored)[..] {
            Err(damaged("it is cut short or not as it was written"))?;
        }
        frame.check_end().map_err(damaged)?;
        yield lines.end().map_err(|reason| damaged(&reason))?;
    };
    entries.boxed()
}

/// Decompresses and cuts into lines.
struct Frame {
    decoder: Decoder<'static>,
    stored: blake3::Hasher,
    line: Vec<u8>,
    ended: bool,
}

impl Frame {
    fn new() -> std::io::Result<Self> {
        let decoder = Decoder::new()?;
        Ok(Self {
            decoder,
            stored: blake3::Hasher::new(),
            line: Vec::new(),
            ended: false,
        })
    }

    /// Takes some of the input; gives the lines that became whole, each with its line break.
    fn step(&mut self, input: &mut BytesMut) -> Result<Vec<Vec<u8>>, &'static str> {
        if self.ended {
            return Err("something follows its end");
        }
        let mut output = vec![0; 64 * 1024];
        let status = self
            .decoder
            .run_on_buffers(input, &mut output)
            .map_err(|_| "it does not decompress")?;
        if status.bytes_read == 0 && status.bytes_written == 0 {
            return Err("it does not decompress");
        }
        self.stored.update(&input.split_to(status.bytes_read));
        self.ended = status.remaining == 0;
        let mut lines = Vec::new();
        for part in output[..status.bytes_written].split_inclusive(|&byte| byte == b'\n') {
            if self.line.len() + part.len() > LONGEST_LINE {
                return Err("a line is too long");
            }
            self.line.extend_from_slice(part);
            if part.ends_with(b"\n") {
                lines.push(std::mem::take(&mut self.line));
            }
        }
        Ok(lines)
    }

    fn check_end(&self) -> Result<(), &'static str> {
        if self.ended && self.line.is_empty() {
            Ok(())
        } else {
            Err("it is cut short")
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    Head,
    ItemsOpen,
    /// True when an item must follow: the line before ended with a comma.
    Items(Option<bool>),
    Albums(Option<bool>),
    Signature,
    Nothing,
}

/// Understands lines.
struct Lines<'a> {
    wanted: &'a Wanted,
    next: Next,
    signed: blake3::Hasher,
    hash: Option<BlobHash>,
    items: u64,
}

impl<'a> Lines<'a> {
    fn new(wanted: &'a Wanted) -> Self {
        Self {
            wanted,
            next: Next::Head,
            signed: signed_hasher(),
            hash: None,
            items: 0,
        }
    }

    fn take(&mut self, line: &[u8]) -> Result<Option<ManifestEntry>, String> {
        if self.next == Next::Signature {
            return self.signature(line).map(|()| None);
        }
        self.signed.update(line);
        let text = std::str::from_utf8(line).map_err(|_| "a line is not UTF-8")?;
        let text = text.trim_end_matches('\n');
        match self.next {
            Next::Head => self.head(text).map(Some),
            Next::ItemsOpen if text == ITEMS => {
                self.next = Next::Items(None);
                Ok(None)
            }
            Next::Items(more) if text == ALBUMS && more != Some(true) => {
                self.next = Next::Albums(None);
                Ok(None)
            }
            Next::Items(more) if more != Some(false) => {
                let (item, more) = element(text)?;
                self.next = Next::Items(Some(more));
                self.items += 1;
                Ok(Some(ManifestEntry::Item(Box::new(item))))
            }
            Next::Albums(more) if text == CLOSE && more != Some(true) => {
                self.next = Next::Signature;
                Ok(None)
            }
            Next::Albums(more) if more != Some(false) => {
                let (album, more) = element(text)?;
                self.next = Next::Albums(Some(more));
                Ok(Some(ManifestEntry::Album(album)))
            }
            _ => Err("its lines are not in order".to_owned()),
        }
    }

    fn head(&mut self, text: &str) -> Result<ManifestEntry, String> {
        let json = text
            .strip_suffix(',')
            .ok_or("it begins with something else")?;
        let line: HeadLine = serde_json::from_str(&format!("{json}}}"))
            .map_err(|error| format!("its head cannot be read: {error}"))?;
        if line.format != FORMAT || line.version != VERSION {
            return Err(format!(
                "it has the format {} {}",
                line.format, line.version
            ));
        }
        if line.head.id != self.wanted.snapshot {
            return Err(format!("it is the manifest of {}", line.head.id));
        }
        if line.head.archive != self.wanted.archive {
            return Err(format!("it belongs to {}", line.head.archive));
        }
        self.next = Next::ItemsOpen;
        Ok(ManifestEntry::Head(line.head))
    }

    fn signature(&mut self, line: &[u8]) -> Result<(), String> {
        let hash = BlobHash::from_bytes(*self.signed.finalize().as_bytes());
        let text = std::str::from_utf8(line).map_err(|_| "its signature cannot be read")?;
        let digits = text
            .trim_end()
            .strip_suffix("\"}}")
            .and_then(|it| it.rsplit('"').next());
        let mut signature = [0; 64];
        hex::decode_to_slice(digits.unwrap_or_default(), &mut signature)
            .map_err(|_| "its signature cannot be read")?;
        let key = UnparsedPublicKey::new(&ED25519, &self.wanted.signing_key);
        let fits = key.verify(hash.as_bytes(), &signature).is_ok();
        if !fits || signature_line(&hash, &signature) != text {
            return Err(BAD_SIGNATURE.to_owned());
        }
        self.next = Next::Nothing;
        self.hash = Some(hash);
        Ok(())
    }

    fn end(self) -> Result<ManifestEntry, String> {
        let hash = self.hash.ok_or("it is cut short")?;
        Ok(ManifestEntry::End {
            hash,
            items: self.items,
        })
    }
}

/// What a manifest's error says when the signature is what is wrong.
pub(crate) const BAD_SIGNATURE: &str = "its signature does not fit";

fn element<T: DeserializeOwned>(text: &str) -> Result<(T, bool), String> {
    let (json, more) = text
        .strip_suffix(',')
        .map_or((text, false), |json| (json, true));
    let value =
        serde_json::from_str(json).map_err(|error| format!("a line cannot be read: {error}"))?;
    Ok((value, more))
}
