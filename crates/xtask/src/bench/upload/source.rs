//! What is uploaded: photos that nobody took, and a video that is mostly a hole.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use crate::bench::Bench;
use crate::paths;

/// The one folder inside the source, and the album that becomes of it.
pub(super) const ALBUM: &str = "Holiday";

/// A JPEG and an MP4 that the others are built around.
const PICTURE: &str = "crates/emulator/media/base-0.jpg";
const CLIP: &str = "crates/emulator/media/clip.mp4";

/// How a JPEG begins, and a comment in one.
const START: [u8; 2] = [0xff, 0xd8];
const COMMENT: [u8; 2] = [0xff, 0xfe];
/// The largest comment: its marker, its length, and what the length counts with itself.
const LARGEST_COMMENT: usize = 2 + 0xffff;
/// Marker and length.
const COMMENT_HEAD: usize = 4;

/// A folder with a folder of files.
pub(super) struct Source {
    folder: PathBuf,
    /// Names of the files, sorted.
    names: Vec<String>,
}

impl Source {
    /// So many photos of `size` bytes each, no two alike.
    ///
    /// # Errors
    /// When they cannot be written.
    pub(super) fn photos(bench: &Bench, count: u64, size: usize) -> Result<Self> {
        let picture = read(PICTURE)?;
        let mut source = Self::empty(bench)?;
        for number in 0..count {
            let name = format!("photo-{number:04}.jpg");
            let photo = photo(&picture, number, size)?;
            fs::write(source.album().join(&name), photo)?;
            source.names.push(name);
        }
        Ok(source)
    }

    /// One video of `bytes` bytes. The disk holds its beginning alone.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn video(bench: &Bench, bytes: u64) -> Result<Self> {
        let mut source = Self::empty(bench)?;
        let name = "video.mp4".to_owned();
        let mut file = File::create(source.album().join(&name))?;
        file.write_all(&beginning(&read(CLIP)?, bytes))?;
        file.set_len(bytes)?;
        source.names.push(name);
        Ok(source)
    }

    fn empty(bench: &Bench) -> Result<Self> {
        let folder = bench.scratch.fresh("source")?;
        fs::create_dir(folder.join(ALBUM))?;
        Ok(Self {
            folder,
            names: Vec::new(),
        })
    }

    /// The folder around the album's.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The folder that holds the files.
    pub(super) fn album(&self) -> PathBuf {
        self.folder.join(ALBUM)
    }

    pub(super) fn names(&self) -> &[String] {
        &self.names
    }

    /// How many files there are.
    pub(super) fn items(&self) -> u64 {
        self.names.len() as u64
    }
}

/// A file of the repository.
fn read(path: &str) -> Result<Vec<u8>> {
    let path = paths::workspace_root()?.join(path);
    fs::read(&path).with_context(|| format!("cannot read {}", path.display()))
}

/// The picture with comments before it, which make it `size` bytes and unlike that of any other number.
fn photo(picture: &[u8], number: u64, size: usize) -> Result<Vec<u8>> {
    let rest = picture
        .strip_prefix(&START)
        .context("the picture is no JPEG")?;
    let filler = size.saturating_sub(picture.len());
    ensure!(
        filler >= COMMENT_HEAD,
        "a photo of {size} bytes has no room for a comment"
    );
    let count = filler.div_ceil(LARGEST_COMMENT);
    let mut noise = Noise::of(number);
    let mut photo = Vec::with_capacity(size + size_of::<u64>());
    photo.extend_from_slice(&START);
    for place in 0..count {
        // Nearly alike: no comment is too small for its own head.
        let length = filler / count + usize::from(place < filler % count);
        let counted = u16::try_from(length - COMMENT.len())?;
        let end = photo.len() + length;
        photo.extend_from_slice(&COMMENT);
        photo.extend_from_slice(&counted.to_be_bytes());
        while photo.len() < end {
            photo.extend_from_slice(&noise.word().to_le_bytes());
        }
        photo.truncate(end);
    }
    photo.extend_from_slice(rest);
    Ok(photo)
}

/// The clip, and behind it the head of a free box that takes up the rest of so many bytes: whatever stands there is no matter.
fn beginning(clip: &[u8], bytes: u64) -> Vec<u8> {
    let rest = bytes.saturating_sub(clip.len() as u64);
    let mut beginning = clip.to_vec();
    // A length of 1 says that the real one follows the type, in 64 bits.
    beginning.extend_from_slice(&1_u32.to_be_bytes());
    beginning.extend_from_slice(b"free");
    beginning.extend_from_slice(&rest.to_be_bytes());
    beginning
}

/// Bytes that nothing compresses: splitmix64.
struct Noise(u64);

impl Noise {
    /// The noise of a number. Those of neighbours have nothing in common.
    fn of(number: u64) -> Self {
        let mut seed = Self(number);
        Self(seed.word())
    }

    fn word(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_photo_has_its_size_and_behind_its_comments_the_picture() {
        let picture = [0xff, 0xd8, 0xff, 0xdb, 7, 0xff, 0xd9];
        let made = photo(&picture, 1, 200 * 1024).unwrap();
        assert_eq!(made.len(), 200 * 1024);
        let mut rest = made.strip_prefix(&START).unwrap();
        let mut comments = 0;
        while let Some(comment) = rest.strip_prefix(&COMMENT) {
            let length = u16::from_be_bytes([comment[0], comment[1]]);
            rest = &comment[usize::from(length)..];
            comments += 1;
        }
        assert_eq!((comments, rest), (4, &picture[2..]));
    }

    #[test]
    fn no_two_photos_are_alike() {
        let picture = [0xff, 0xd8, 0xff, 0xd9];
        let of = |number| photo(&picture, number, 4096).unwrap();
        assert_eq!(of(1), of(1));
        assert_ne!(of(1), of(2));
    }

    #[test]
    fn the_free_box_of_a_video_reaches_to_its_end() {
        let made = beginning(b"clip", 1 << 31);
        let (clip, free) = made.split_at(4);
        assert_eq!(clip, b"clip");
        assert_eq!(&free[..8], b"\0\0\0\x01free");
        assert_eq!(free[8..], ((1_u64 << 31) - 4).to_be_bytes());
    }
}
