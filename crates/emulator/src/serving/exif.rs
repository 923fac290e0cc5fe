//! Just enough EXIF: reads the few tags Google shows, and blanks the location in place.

/// The tags Google shows.
#[derive(Debug, Default)]
pub(crate) struct Tags {
    pub(crate) make: Option<String>,
    pub(crate) model: Option<String>,
    pub(crate) taken: Option<String>,
    pub(crate) focal_length: Option<f64>,
    pub(crate) aperture: Option<f64>,
    pub(crate) iso: Option<u32>,
    /// Seconds.
    pub(crate) exposure: Option<f64>,
}

const MARK: &[u8] = b"Exif\0\0";
const GPS_POINTER: u16 = 0x8825;
const EXIF_POINTER: u16 = 0x8769;

/// Reads the first EXIF block of a file.
pub(crate) fn read(bytes: &[u8]) -> Option<Tags> {
    let tiff = Tiff::find(bytes)?;
    let root = tiff.u32(4)?;
    let mut tags = Tags::default();
    for field in tiff.fields(root) {
        match field.tag {
            0x010f => tags.make = tiff.text(&field),
            0x0110 => tags.model = tiff.text(&field),
            EXIF_POINTER => read_exif(&tiff, field.value, &mut tags),
            _ => {}
        }
    }
    Some(tags)
}

fn read_exif(tiff: &Tiff<'_>, at: u32, tags: &mut Tags) {
    for field in tiff.fields(at) {
        match field.tag {
            0x9003 => tags.taken = tiff.text(&field),
            0x920a => tags.focal_length = tiff.rational(&field),
            0x829d => tags.aperture = tiff.rational(&field),
            0x829a => tags.exposure = tiff.rational(&field),
            0x8827 => tags.iso = tiff.u16(field.at + 8).map(u32::from),
            _ => {}
        }
    }
}

/// A copy without location, or `None` when there is none to strip. Lengths and offsets stay, so it works in
/// JPEG and HEIF alike.
pub(crate) fn without_location(bytes: &[u8]) -> Option<Vec<u8>> {
    let tiff = Tiff::find(bytes)?;
    let root = tiff.u32(4)?;
    let gps = tiff
        .fields(root)
        .into_iter()
        .find(|field| field.tag == GPS_POINTER)?
        .value;
    let fields = tiff.fields(gps);
    if fields.is_empty() {
        return None;
    }
    let mut ranges = vec![(gps as usize, 2 + fields.len() * 12)];
    for field in &fields {
        let size = field.size();
        if size > 4 {
            ranges.push((field.value as usize, size));
        }
    }
    let start = tiff.start;
    let mut copy = bytes.to_vec();
    for (at, len) in ranges {
        if let Some(range) = copy.get_mut(start + at..start + at + len) {
            range.fill(0);
        }
    }
    Some(copy)
}

struct Field {
    tag: u16,
    format: u16,
    count: u32,
    /// The value, or the offset of a longer one.
    value: u32,
    /// Where the field itself stands.
    at: usize,
}

impl Field {
    fn size(&self) -> usize {
        let unit = match self.format {
            3 | 8 => 2,
            4 | 9 | 11 => 4,
            5 | 10 | 12 => 8,
            _ => 1,
        };
        unit * self.count as usize
    }
}

struct Tiff<'a> {
    bytes: &'a [u8],
    start: usize,
    little: bool,
}

impl<'a> Tiff<'a> {
    fn find(bytes: &'a [u8]) -> Option<Self> {
        const HEAD: usize = 256 * 1024;
        let head = &bytes[..bytes.len().min(HEAD)];
        super::probe::find_all(head, MARK).find_map(|mark| {
            let start = mark + MARK.len();
            let little = match bytes.get(start..start + 4)? {
                b"II*\0" => true,
                b"MM\0*" => false,
                _ => return None,
            };
            Some(Self {
                bytes: &bytes[start..],
                start,
                little,
            })
        })
    }

    fn u16(&self, at: usize) -> Option<u16> {
        let raw = self.bytes.get(at..at + 2)?.try_into().ok()?;
        Some(if self.little {
            u16::from_le_bytes(raw)
        } else {
            u16::from_be_bytes(raw)
        })
    }

    fn u32(&self, at: usize) -> Option<u32> {
        let raw = self.bytes.get(at..at + 4)?.try_into().ok()?;
        Some(if self.little {
            u32::from_le_bytes(raw)
        } else {
            u32::from_be_bytes(raw)
        })
    }

    fn fields(&self, at: u32) -> Vec<Field> {
        let at = at as usize;
        let count = usize::from(self.u16(at).unwrap_or(0));
        (0..count)
            .map_while(|place| {
                let at = at + 2 + place * 12;
                Some(Field {
                    tag: self.u16(at)?,
                    format: self.u16(at + 2)?,
                    count: self.u32(at + 4)?,
                    value: self.u32(at + 8)?,
                    at,
                })
            })
            .collect()
    }

    fn text(&self, field: &Field) -> Option<String> {
        let at = if field.size() > 4 {
            field.value as usize
        } else {
            field.at + 8
        };
        let raw = self.bytes.get(at..at + field.size())?;
        Some(
            String::from_utf8_lossy(raw)
                .trim_end_matches('\0')
                .to_owned(),
        )
    }

    fn rational(&self, field: &Field) -> Option<f64> {
        let at = field.value as usize;
        let (above, below) = (self.u32(at)?, self.u32(at + 4)?);
        (below != 0).then(|| f64::from(above) / f64::from(below))
    }
}
