//! Whether the head of a file holds a position, read by nom-exif.

use std::panic::{AssertUnwindSafe, catch_unwind};

use memchr::memmem;
use nom_exif::{Error, MediaParser, MediaSource};
use tintype_model::fidelity::Location;

/// Looks for a GPS position in a still picture's metadata. `is_whole`: `head` holds all metadata there is.
pub(crate) fn in_picture(head: Vec<u8>, is_whole: bool) -> Location {
    if memmem::find(&head, b"exif:GPSLatitude").is_some() {
        return Location::Present;
    }
    let nothing = if is_whole {
        Location::Absent
    } else {
        Location::Unknown
    };
    // A parser of foreign bytes: should it ever panic, that must not take the worker down.
    let parsed = catch_unwind(AssertUnwindSafe(|| {
        let iter = MediaParser::new().parse_exif(MediaSource::from_memory(head)?)?;
        iter.parse_gps()
    }));
    match parsed {
        Ok(Ok(Some(gps)))
            if gps.latitude_decimal().is_some() && gps.longitude_decimal().is_some() =>
        {
            Location::Present
        }
        Ok(Ok(Some(_) | None)) => Location::Absent,
        Ok(Err(Error::ExifNotFound)) => nothing,
        Ok(Err(_)) | Err(_) => Location::Unknown,
    }
}
