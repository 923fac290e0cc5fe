//! Bytes that are too many to hold: sent as they are read, in a session that outlives the connection.
//!
//! All but the last piece goes in one request; the last goes by itself, because its head carries the SHA-1 of all. After an
//! interruption Google is asked how much it has, and the body is read again from there.

mod session;
mod source;
mod stretch;

use tintype_model::quota::QuotaKind;
use tintype_ports::photos::{Body, BodyBroke, PhotoError, SendError, UploadToken};

use self::{
    session::{Session, Standing},
    source::Source,
};
use crate::{
    attempt::{Caller, Course},
    failure::{Failure, Passing},
};

/// So many bytes that came to stay renew the patience: a long video may break more often than a photo.
const RENEWING_PROGRESS: u64 = 16 * 1024 * 1024;

/// Why bytes did not get to Google.
enum Halt {
    /// They could not be read.
    Body(BodyBroke),
    /// Something between here and Google, or Google.
    Google(Failure),
}

impl From<BodyBroke> for Halt {
    fn from(broke: BodyBroke) -> Self {
        Self::Body(broke)
    }
}

impl From<Failure> for Halt {
    fn from(failure: Failure) -> Self {
        Self::Google(failure)
    }
}

/// Sends all bytes of a body, in a new session whenever one ends without a token.
pub(crate) async fn large(
    caller: &Caller,
    mime_type: &str,
    size: u64,
    body: &mut dyn Body,
) -> Result<UploadToken, SendError> {
    let mut upload = Upload {
        caller,
        size,
        source: Source::new(body, size, caller.settings.deadlines.upload_idle),
        course: Course::default(),
        renewed_at: 0,
    };
    loop {
        let session = Session::start(caller, mime_type, size, &mut upload.course).await?;
        if let Some(token) = upload.fill(&session).await? {
            return Ok(token);
        }
        upload.begin_anew().await?;
    }
}

/// A body on its way.
struct Upload<'a> {
    caller: &'a Caller,
    size: u64,
    source: Source<'a>,
    course: Course,
    /// How much Google had when patience was last renewed.
    renewed_at: u64,
}

impl Upload<'_> {
    /// Sends what Google lacks until it has all. `None` when the session ended without a token.
    async fn fill(&mut self, session: &Session) -> Result<Option<UploadToken>, SendError> {
        let mut received = 0;
        loop {
            let failure = match self.send_from(session, received).await {
                Ok(token) => return Ok(Some(token)),
                Err(Halt::Body(broke)) => return Err(broke.into()),
                Err(Halt::Google(Failure::Final(PhotoError::ItemNotFound))) => return Ok(None),
                Err(Halt::Google(failure)) => failure,
            };
            self.settle(failure).await?;
            received = match session
                .query(self.caller, self.size, &mut self.course)
                .await?
            {
                Standing::Active { received } => received,
                Standing::Over => return Ok(None),
            };
            self.renew(received);
        }
    }

    /// Sends all that comes after what Google has received.
    async fn send_from(&mut self, session: &Session, received: u64) -> Result<UploadToken, Halt> {
        let last = last_piece(self.size - received, session.granularity);
        let offset = self.size - last;
        if received < offset {
            stretch::send(self.caller, session, &mut self.source, received..offset).await?;
        }
        let rest = self.source.rest(offset).await?;
        let sha1 = self.source.sha1();
        let token = session.finish(self.caller, offset, rest, &sha1).await?;
        Ok(token)
    }

    /// After the end of a session nothing of what was sent is left. That is borne like other trouble.
    async fn begin_anew(&mut self) -> Result<(), PhotoError> {
        let ended = Passing::trouble("the upload session ended without a token");
        self.settle(Failure::Passing(ended)).await?;
        self.source.begin_anew();
        Ok(())
    }

    async fn settle(&mut self, failure: Failure) -> Result<(), PhotoError> {
        self.caller
            .settle(failure, QuotaKind::Request, &mut self.course.patience)
            .await
    }

    /// Only more than ever before counts, or else sessions that end again and again would be borne for ever.
    fn renew(&mut self, received: u64) {
        if received.saturating_sub(self.renewed_at) >= RENEWING_PROGRESS {
            self.renewed_at = received;
            self.course.patience.renew();
        }
    }
}

/// Length of the last piece of what is left: each piece before it is a multiple of the granularity, and it is not empty unless
/// nothing is left.
const fn last_piece(left: u64, granularity: u64) -> u64 {
    match left {
        0 => 0,
        _ => (left - 1) % granularity + 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_piece_is_what_whole_granules_leave_and_never_nothing() {
        let of = |left| last_piece(left, 10);
        assert_eq!(
            [of(0), of(1), of(9), of(10), of(11), of(25)],
            [0, 1, 9, 10, 1, 5]
        );
        assert_eq!(last_piece(7, 1), 1);
    }
}
