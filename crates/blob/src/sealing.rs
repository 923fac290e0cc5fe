//! Encryption with the age format, so that `age -d` alone opens what we write.

use std::{
    io::{self, Write as _},
    sync::{Arc, Mutex, PoisonError},
};

use age::{Decryptor, Encryptor, Recipient, stream::StreamWriter, x25519};
use bytes::Bytes;
use futures::{
    AsyncReadExt as _, StreamExt as _, TryStreamExt as _,
    stream::{self, BoxStream},
};
use secrecy::{ExposeSecret as _, SecretString};
use tintype_ports::ArchiveError;

/// Plain bytes in one encrypted chunk of the age format, and what encryption adds to each.
const CHUNK: u64 = 64 * 1024;
const TAG: u64 = 16;
const NONCE: u64 = 16;
/// A header holds a line or two for each recipient; longer ones are not ours.
pub(crate) const MAX_HEADER: usize = 64 * 1024;

/// Who can read what is written. Empty: everybody.
#[derive(Debug, Clone, Default)]
pub(crate) struct Recipients(Arc<Vec<x25519::Recipient>>);

impl Recipients {
    pub(crate) fn parse(texts: &[String]) -> Result<Self, ArchiveError> {
        let mut recipients = Vec::new();
        for text in texts {
            let recipient: x25519::Recipient = text.parse().map_err(|reason| {
                ArchiveError::Settings(format!(
                    "recipients: {text:?} is not an age recipient ({reason}); it looks like age1…, from age-keygen"
                ))
            })?;
            recipients.push(recipient);
        }
        Ok(Self(Arc::new(recipients)))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Begins an object: sealed when there are recipients.
    pub(crate) fn sealer(&self) -> Result<Option<Sealer>, ArchiveError> {
        if self.is_empty() {
            return Ok(None);
        }
        let recipients = self.0.iter().map(|it| it as &dyn Recipient);
        let encryptor = Encryptor::with_recipients(recipients)
            .map_err(|error| ArchiveError::Settings(format!("recipients: {error}")))?;
        let sink = Sink::default();
        let writer = encryptor
            .wrap_output(sink.clone())
            .map_err(sealing_failed)?;
        Ok(Some(Sealer { writer, sink }))
    }
}

/// Takes plain bytes, gives encrypted ones.
pub(crate) struct Sealer {
    writer: StreamWriter<Sink>,
    sink: Sink,
}

impl Sealer {
    pub(crate) fn seal(&mut self, plain: &[u8]) -> Result<Bytes, ArchiveError> {
        self.writer.write_all(plain).map_err(sealing_failed)?;
        Ok(self.sink.take())
    }

    pub(crate) fn finish(self) -> Result<Bytes, ArchiveError> {
        let Self { writer, sink } = self;
        writer.finish().map_err(sealing_failed)?;
        Ok(sink.take())
    }
}

#[derive(Clone, Default)]
struct Sink(Arc<Mutex<Vec<u8>>>);

impl Sink {
    fn take(&self) -> Bytes {
        Bytes::from(std::mem::take(
            &mut *self.0.lock().unwrap_or_else(PoisonError::into_inner),
        ))
    }
}

impl io::Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        held.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn sealing_failed(error: io::Error) -> ArchiveError {
    ArchiveError::Unavailable(format!("encryption failed: {error}"))
}

/// Length of an age file whose header, its last line break included, has `header` bytes.
pub(crate) const fn sealed_length(header: u64, plain: u64) -> u64 {
    let chunks = if plain == 0 { 1 } else { plain.div_ceil(CHUNK) };
    header + NONCE + plain + chunks * TAG
}

/// Length of an age header, found in the first bytes of a file.
pub(crate) fn header_length(start: &[u8]) -> Option<u64> {
    let mac = start.windows(5).position(|window| window == b"\n--- ")? + 1;
    let line = start[mac..].iter().position(|&byte| byte == b'\n')? + 1;
    u64::try_from(mac + line).ok()
}

/// A new age key: the text of its key file, and the recipient (`age1…`) that encrypts for it.
#[must_use]
pub fn new_identity() -> (SecretString, String) {
    let identity = x25519::Identity::generate();
    let recipient = identity.to_public().to_string();
    let key = identity.to_string();
    let text = format!("# public key: {recipient}\n{}\n", key.expose_secret());
    (SecretString::from(text), recipient)
}

/// Keys that open what was sealed.
#[derive(Clone)]
pub(crate) struct Identities(Arc<Vec<x25519::Identity>>);

impl Identities {
    /// Reads the text of a key file: one `AGE-SECRET-KEY-1…` a line, empty lines and `#` comments between. At least one must
    /// belong to the recipients.
    pub(crate) fn parse(text: &SecretString, recipients: &[String]) -> Result<Self, ArchiveError> {
        let mut identities = Vec::new();
        let lines = text.expose_secret().lines().map(str::trim);
        for line in lines.filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let identity: x25519::Identity = line.parse().map_err(|_| {
                ArchiveError::Locked(
                    "the identity is not an age key file; a line of it looks like AGE-SECRET-KEY-1…".to_owned(),
                )
            })?;
            identities.push(identity);
        }
        let fits = |it: &x25519::Identity| recipients.contains(&it.to_public().to_string());
        if !identities.iter().any(fits) {
            let wanted = recipients.join(", ");
            return Err(ArchiveError::Locked(format!(
                "the identity does not belong to a recipient of this archive; it needs the key of {wanted}"
            )));
        }
        Ok(Self(Arc::new(identities)))
    }

    /// Decrypts while streaming. `what` names the object in errors.
    pub(crate) async fn open(
        &self,
        what: &str,
        sealed: BoxStream<'static, Result<Bytes, ArchiveError>>,
    ) -> Result<BoxStream<'static, Result<Bytes, ArchiveError>>, ArchiveError> {
        // The reader below speaks io::Error; the typed error rides inside and comes out again.
        let input = sealed.map_err(io::Error::other).into_async_read();
        let decryptor = match Decryptor::new_async_buffered(input).await {
            Ok(decryptor) => decryptor,
            Err(age::DecryptError::Io(error)) => return Err(opening_failed(what, error)),
            Err(error) => return Err(ArchiveError::Corrupt(format!("{what}: {error}"))),
        };
        let identities = self.0.iter().map(|it| it as &dyn age::Identity);
        // The identity belongs to the archive, so a header that it does not open was damaged.
        let reader = decryptor
            .decrypt_async(identities)
            .map_err(|error| ArchiveError::Corrupt(format!("{what}: {error}")))?;
        let what = what.to_owned();
        let plain = stream::try_unfold(Box::pin(reader), move |mut reader| {
            let what = what.clone();
            async move {
                let mut buffer = vec![0; 64 * 1024];
                let length = reader
                    .read(&mut buffer)
                    .await
                    .map_err(|error| opening_failed(&what, error))?;
                buffer.truncate(length);
                Ok((length > 0).then(|| (Bytes::from(buffer), reader)))
            }
        });
        Ok(plain.boxed())
    }
}

fn opening_failed(what: &str, error: io::Error) -> ArchiveError {
    match error.downcast::<ArchiveError>() {
        Ok(inner) => inner,
        Err(error) => ArchiveError::Corrupt(format!("{what}: {error}")),
    }
}
