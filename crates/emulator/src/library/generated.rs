//! The generated library: no memory per item; every field is computed from the seed and the index.
//! Index 0 is the newest item, so the listing order is the order of indexes.

use std::borrow::Cow;

use crate::config::Generated;
use crate::mix::{below, mix2};
use crate::serving::filler::Filler;
use crate::state::item::{Content, Facts, StoredItem};

/// A generated set with everything precomputed that its items share.
#[derive(Debug, Clone)]
pub(crate) struct GeneratedSet {
    pub(crate) account: u16,
    pub(crate) client: u16,
    options: Generated,
    seed: u64,
    step_ms: i64,
}

impl GeneratedSet {
    pub(crate) fn new(account: u16, client: u16, options: Generated, emulator_seed: u64) -> Self {
        let span = options.newest_ms.saturating_sub(options.oldest_ms).max(0);
        let count = i64::try_from(options.count.max(1)).unwrap_or(i64::MAX);
        let seed = options.seed.unwrap_or(emulator_seed);
        Self {
            account,
            client,
            options,
            seed,
            step_ms: (span / count).max(1),
        }
    }

    pub(crate) fn count(&self) -> u64 {
        self.options.count
    }

    pub(crate) fn options(&self) -> &Generated {
        &self.options
    }

    /// Creation time of an item; strictly falling with the index.
    pub(crate) fn created_ms(&self, index: u64) -> i64 {
        let steps = i64::try_from(index)
            .unwrap_or(i64::MAX)
            .saturating_mul(self.step_ms);
        let room = u64::try_from(self.step_ms).unwrap_or(1);
        let jitter = i64::try_from(below(self.seed ^ 0x11, index, room)).unwrap_or(0);
        // Whole seconds where the step allows: cameras write no milliseconds.
        let exact = self.options.newest_ms - steps - jitter;
        if self.step_ms >= 4000 {
            let second = exact.div_euclid(1000) * 1000;
            let floor = self.options.newest_ms - steps - self.step_ms + 1;
            if second >= floor {
                return second;
            }
        }
        exact
    }

    /// The first index whose item is not newer than the given time.
    pub(crate) fn first_not_newer(&self, ms: i64) -> u64 {
        let behind = self.options.newest_ms.saturating_sub(ms);
        let guess = behind.div_euclid(self.step_ms).saturating_sub(1).max(0);
        let mut index = u64::try_from(guess).unwrap_or(0);
        while index < self.options.count && self.created_ms(index) > ms {
            index += 1;
        }
        index
    }

    pub(crate) fn facts(&self, index: u64) -> Facts<'_> {
        let created_ms = self.created_ms(index);
        let filler = self.filler(index);
        let (width, height) = filler.dimensions();
        let named = previous_if(index, self.options.repeat_name_every);
        let is_video = self.is_video(index);
        // Names count up with time, like a camera's, and start over after 9999.
        let number = (self.options.count - 1 - named.min(self.options.count - 1)) % 9999 + 1;
        let mut name = String::with_capacity(12);
        name.push_str(if is_video { "VID_" } else { "IMG_" });
        push_four(&mut name, number);
        name.push_str(if is_video { ".MP4" } else { ".JPG" });
        Facts {
            created_ms,
            added_ms: created_ms,
            file_name: Cow::Owned(name),
            mime: if is_video { "video/mp4" } else { "image/jpeg" },
            width,
            height,
            description: None,
            camera: None,
            archived: is_nth(index, self.options.archived_every),
            favorite: false,
            failed: false,
            ready_ms: i64::MIN,
        }
    }

    /// The recipe of an item's bytes.
    pub(crate) fn filler(&self, index: u64) -> Filler {
        let source = previous_if(index, self.options.duplicate_every);
        let source = if self.is_video(source) == self.is_video(index) {
            source
        } else {
            index
        };
        let room = self
            .options
            .max_bytes
            .saturating_sub(self.options.min_bytes)
            .saturating_add(1);
        let size = self.options.min_bytes + below(self.seed ^ 0x22, source, room);
        Filler {
            seed: self.seed,
            index: source,
            size,
            video: self.is_video(source),
            created_ms: self.created_ms(source),
        }
    }

    /// A copy that can be changed.
    pub(crate) fn stored(&self, index: u64) -> StoredItem {
        let facts = self.facts(index);
        StoredItem {
            created_ms: facts.created_ms,
            added_ms: facts.added_ms,
            file_name: facts.file_name.into_owned().into_boxed_str(),
            mime: facts.mime,
            width: facts.width,
            height: facts.height,
            description: None,
            camera: None,
            archived: facts.archived,
            favorite: false,
            removed: false,
            failed: false,
            ready_ms: i64::MIN,
            content: Content::Filler(self.filler(index)),
        }
    }

    /// The members of a generated album: `album_items` indexes spread over the library.
    pub(crate) fn album_members(&self, album: u64) -> Vec<u64> {
        let count = self.options.count;
        let wanted = self.options.album_items.min(count);
        let start = mix2(self.seed ^ 0x33, album) % count.max(1);
        let stride = (count / wanted.max(1)).max(1);
        (0..wanted)
            .map(|place| (start + place * stride) % count)
            .collect()
    }

    fn is_video(&self, index: u64) -> bool {
        is_nth(index, self.options.video_every)
    }
}

fn is_nth(index: u64, every: u64) -> bool {
    every != 0 && index % every == every - 1
}

fn previous_if(index: u64, every: u64) -> u64 {
    if is_nth(index, every) {
        index.saturating_sub(1)
    } else {
        index
    }
}

fn push_four(out: &mut String, number: u64) {
    for unit in [1000, 100, 10, 1] {
        let digit = u8::try_from(number / unit % 10).unwrap_or(0);
        out.push(char::from(b'0' + digit));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn creation_times_fall_strictly_and_can_be_sought() {
        for count in [1, 10, 100_000] {
            let options = Generated {
                count,
                ..Generated::default()
            };
            let set = GeneratedSet::new(0, 0, options, 5);
            for index in 1..count.min(5000) {
                assert!(set.created_ms(index) < set.created_ms(index - 1));
                assert_eq!(set.first_not_newer(set.created_ms(index)), index);
            }
        }
    }
}
