//! The inspector: bytes stream past it, and at the end it says what they were and whether they were all there.

use tintype_model::{
    fidelity::{Dimensions, Location},
    item::MediaKind,
};

use crate::{
    bmff, gif, jpeg, location, png, riff,
    sniff::{self, Container, Prose, SNIFF_BYTES},
};

/// How much of the beginning is kept for EXIF. JPEG metadata is within its first segments.
const MAX_HEAD_BYTES: usize = 256 * 1024;

/// Bytes that are looked at before it is asked again whether the head needs more.
const STEP: usize = 16 * 1024;

/// What a whole file says about itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MediaFacts {
    /// The kind of file.
    pub container: Container,
    /// Size in pixels as stored, before any rotation; `None` where the container does not tell.
    pub dimensions: Option<Dimensions>,
    /// Whether it carries a GPS position.
    pub location: Location,
    /// A picture with a video in the same file.
    pub motion_photo: bool,
    /// Bytes behind the end of the file as its format knows it, which are not understood as part of it. No fault by
    /// itself, for some cameras write trailers of their own; but bytes that do not belong to the file look like this.
    pub surplus: u64,
}

/// Why bytes are not a whole photo or video.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MediaFault {
    /// There are no bytes.
    #[error("the file is empty")]
    Empty,
    /// A web page came instead.
    #[error("a web page came instead of the file")]
    Html,
    /// A text, such as a JSON error, came instead.
    #[error("a text came instead of the file")]
    Text,
    /// The bytes are clearly something other than what was promised.
    #[error("the bytes are no file of the promised type")]
    WrongContainer,
    /// The end is missing.
    #[error("the file is cut short")]
    CutShort,
    /// Its structure contradicts itself; says where.
    #[error("the file is damaged: {0}")]
    Damaged(&'static str),
}

#[derive(Debug)]
enum Walk {
    Jpeg(jpeg::Walk),
    Png(png::Walk),
    Gif(gif::Walk),
    Bmff(bmff::Walk),
    /// Structure is not walked; the head must do.
    None,
}

/// Inspects one file. Feed it all bytes in order, in pieces of any size, then ask. Keeps at most 512 KiB.
#[derive(Debug)]
pub struct Inspector {
    mime_type: String,
    head: Vec<u8>,
    fed: u64,
    begun: Option<(Container, Walk)>,
    fault: Option<MediaFault>,
}

impl Inspector {
    /// For a file that was promised to be of `mime_type`.
    #[must_use]
    pub fn new(mime_type: &str) -> Self {
        let mime_type = mime_type
            .split(';')
            .next()
            .unwrap_or_default()
            .trim()
            .to_ascii_lowercase();
        Self {
            mime_type,
            head: Vec::new(),
            fed: 0,
            begun: None,
            fault: None,
        }
    }

    /// Takes the next bytes.
    pub fn feed(&mut self, bytes: &[u8]) {
        // A piece may be far longer than the part of it that is worth keeping.
        bytes.chunks(STEP).for_each(|step| self.step(step));
    }

    fn step(&mut self, bytes: &[u8]) {
        self.fed += bytes.len() as u64;
        if self.fault.is_some() {
            return;
        }
        if self.needs_more_head() {
            let room = MAX_HEAD_BYTES - self.head.len();
            self.head.extend_from_slice(&bytes[..bytes.len().min(room)]);
        }
        let fed = match &mut self.begun {
            Some((_, walk)) => feed(walk, bytes),
            None if self.head.len() < SNIFF_BYTES => return,
            None => {
                // All before this piece is in the head, and the piece may be longer than the head's room.
                let (earlier, piece) = (self.fed - bytes.len() as u64, bytes);
                let earlier = usize::try_from(earlier)
                    .unwrap_or(usize::MAX)
                    .min(self.head.len());
                let walk = begin(&self.head);
                let (_, walk) = self.begun.insert(walk);
                feed(walk, &self.head[..earlier]).and_then(|()| feed(walk, piece))
            }
        };
        self.fault = fed.err();
    }

    /// False once the head holds all that will be looked for in it.
    fn needs_more_head(&self) -> bool {
        let head = self.head.len() as u64;
        match &self.begun {
            Some((_, Walk::Jpeg(walk))) => !walk.scan_starts_within(head),
            // Their walks read what there is to know.
            Some((Container::Mp4 | Container::Mov, _) | (_, Walk::Gif(_))) => false,
            _ => true,
        }
    }

    /// Whether what was fed so far begins like a file of the promised type.
    ///
    /// # Errors
    /// [`MediaFault`] when it is the beginning of something else, or of nothing.
    pub fn begins_well(&self) -> Result<(), MediaFault> {
        match self.fed {
            0 => Err(MediaFault::Empty),
            _ => self.check_promise(),
        }
    }

    /// Whether what was fed so far is certainly the beginning of a photo, or of a video, of whatever type. Stricter than the
    /// promise: bytes that nobody knows are neither.
    #[must_use]
    pub fn is_certainly(&self, kind: MediaKind) -> bool {
        let container = sniff::container(&self.head);
        match kind {
            _ if container == Container::Unknown => sniff::begins_as(kind, &self.head),
            MediaKind::Photo => !container.is_video(),
            MediaKind::Video => container.is_video(),
        }
    }

    /// What the bytes were. `total_len` is the length in bytes that the file should have.
    ///
    /// # Errors
    /// [`MediaFault`] when they are not the whole of a photo or video. A type that we do not know passes.
    pub fn finish(mut self, total_len: u64) -> Result<MediaFacts, MediaFault> {
        if self.fed == 0 {
            return Err(MediaFault::Empty);
        }
        self.check_promise()?;
        if self.fed < total_len {
            return Err(MediaFault::CutShort);
        }
        if self.begun.is_none() {
            let (_, walk) = self.begun.insert(begin(&self.head));
            self.fault = feed(walk, &self.head).err();
        }
        match self.fault {
            Some(fault) => Err(fault),
            None => self.facts(),
        }
    }

    /// Refuses what is no media, or not of the promised type.
    fn check_promise(&self) -> Result<(), MediaFault> {
        let is_video = self.mime_type.starts_with("video/");
        if !is_video && !self.mime_type.starts_with("image/") {
            return Ok(());
        }
        let container = sniff::container(&self.head);
        if container == Container::Unknown && self.mime_type != "image/svg+xml" {
            match sniff::prose(&self.head) {
                Some(Prose::Html) => return Err(MediaFault::Html),
                Some(Prose::Text) => return Err(MediaFault::Text),
                None => {}
            }
            // No photo is that small: these are the first bytes of one.
            if self.head.len() < 12 {
                return Err(MediaFault::CutShort);
            }
            if sniff::is_no_media(&self.head) || sniff::is_well_known(&self.mime_type) {
                return Err(MediaFault::WrongContainer);
            }
        }
        if is_video && container.is_still() {
            return Err(MediaFault::WrongContainer);
        }
        Ok(())
    }

    fn facts(self) -> Result<MediaFacts, MediaFault> {
        let Self {
            head, fed, begun, ..
        } = self;
        let (container, walk) = begun.unwrap_or((Container::Unknown, Walk::None));
        let is_whole = fed == head.len() as u64;
        let mut motion_photo = false;
        let mut surplus = 0;
        let (dimensions, location) = match &walk {
            Walk::Jpeg(walk) => {
                walk.finish()?;
                let has_metadata = walk.scan_starts_within(head.len() as u64);
                motion_photo = walk.has_video();
                surplus = walk.surplus();
                (
                    walk.dimensions(),
                    location::in_picture(head, is_whole || has_metadata),
                )
            }
            Walk::Png(walk) => {
                walk.finish()?;
                surplus = walk.surplus();
                (walk.dimensions(), location::in_picture(head, is_whole))
            }
            Walk::Gif(walk) => {
                walk.finish()?;
                surplus = walk.surplus();
                (walk.dimensions(), Location::Absent)
            }
            Walk::Bmff(walk) => {
                walk.finish()?;
                let is_picture = matches!(container, Container::Heif | Container::Avif);
                motion_photo = is_picture && walk.has_motion;
                surplus = walk.tail.length();
                let location = if is_picture {
                    location::in_picture(head, is_whole)
                } else {
                    walk.location()
                };
                (walk.dimensions(), location)
            }
            Walk::None => match container {
                Container::Webp => {
                    riff::check_length(&head, fed)?;
                    surplus = riff::surplus(&head, fed);
                    let dimensions = riff::webp_dimensions(&head);
                    let has_metadata = riff::webp_has_metadata(&head);
                    let location = if has_metadata {
                        location::in_picture(head, is_whole)
                    } else {
                        Location::Absent
                    };
                    (dimensions, location)
                }
                Container::Avi => {
                    riff::check_length(&head, fed)?;
                    surplus = riff::surplus(&head, fed);
                    (None, Location::Unknown)
                }
                Container::Tiff => (None, location::in_picture(head, is_whole)),
                _ => (None, Location::Unknown),
            },
        };
        Ok(MediaFacts {
            container,
            dimensions,
            location,
            motion_photo,
            surplus,
        })
    }
}

fn begin(head: &[u8]) -> (Container, Walk) {
    let container = sniff::container(head);
    let walk = match container {
        Container::Jpeg => Walk::Jpeg(jpeg::Walk::new()),
        Container::Png => Walk::Png(png::Walk::new()),
        Container::Gif => Walk::Gif(gif::Walk::new()),
        Container::Heif | Container::Avif | Container::Mp4 | Container::Mov => {
            Walk::Bmff(bmff::Walk::new())
        }
        _ => Walk::None,
    };
    (container, walk)
}

fn feed(walk: &mut Walk, bytes: &[u8]) -> Result<(), MediaFault> {
    match walk {
        Walk::Jpeg(walk) => walk.feed(bytes),
        Walk::Png(walk) => walk.feed(bytes),
        Walk::Gif(walk) => walk.feed(bytes),
        Walk::Bmff(walk) => walk.feed(bytes),
        Walk::None => Ok(()),
    }
}
