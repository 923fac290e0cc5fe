//! Sizes as a person types them.

/// Reads `61440`, `60KiB`, `60K` or `2MiB`; a number of bytes, at least 1.
pub(super) fn parse(text: &str) -> Result<u64, String> {
    let text = text.trim();
    let digits = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let factor: u64 = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "kb" | "kib" => 1 << 10,
        "m" | "mb" | "mib" => 1 << 20,
        "g" | "gb" | "gib" => 1 << 30,
        _ => return Err("write a size such as 61440, 60KiB or 2MiB".to_owned()),
    };
    let number: u64 = number
        .parse()
        .map_err(|_| "write a size such as 61440, 60KiB or 2MiB".to_owned())?;
    number
        .checked_mul(factor)
        .filter(|&bytes| bytes > 0)
        .ok_or_else(|| "the size must be from 1 byte to 16 EiB".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units() {
        let sizes = ["61440", "60KiB", "60k", "2 MiB", "1g"].map(|text| parse(text).unwrap());
        assert_eq!(sizes, [61_440, 61_440, 61_440, 2 << 20, 1 << 30]);
        for wrong in [
            "",
            "0",
            "KiB",
            "-1",
            "1.5M",
            "9x",
            "99999999999999999999",
            "18446744073709551615k",
        ] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
