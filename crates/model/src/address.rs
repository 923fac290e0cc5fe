//! Which addresses are not of the public internet: this machine, a private network, a service of the cloud around us.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Names that mean a machine inside wherever they are resolved.
#[must_use]
pub fn is_inside_name(name: &str) -> bool {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    let has_no_dot = !name.contains('.');
    has_no_dot
        || [".localhost", ".local", ".internal", ".svc", ".home.arpa"]
            .iter()
            .any(|end| name.ends_with(end))
}

/// Everything that the registries of special-purpose addresses (RFC 6890 and its successors) do not call global.
pub fn is_inside(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(v4) => is_inside_v4(v4),
        IpAddr::V6(v6) => is_inside_v6(v6),
    }
}

fn is_inside_v4(v4: Ipv4Addr) -> bool {
    let [a, b, c, _] = v4.octets();
    v4.is_private()
        || v4.is_loopback()
        || v4.is_link_local()
        || v4.is_multicast()
        || v4.is_documentation()
        || a == 0
        || a >= 240
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 192 && b == 88 && c == 99)
        || (a == 198 && (b == 18 || b == 19))
}

fn is_inside_v6(v6: Ipv6Addr) -> bool {
    let parts = v6.segments();
    let v4_at = |high: u16, low: u16| {
        let [a, b] = high.to_be_bytes();
        let [c, d] = low.to_be_bytes();
        is_inside_v4(Ipv4Addr::new(a, b, c, d))
    };
    match parts {
        // 6to4 and NAT64 carry an IPv4 address.
        [0x2002, high, low, ..] => v4_at(high, low),
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => v4_at(high, low),
        // Teredo, documentation, benchmarking, ORCHID.
        [0x2001, second, ..] if second < 0x200 || second == 0xdb8 => true,
        // Only 2000::/3 is global unicast.
        [first, ..] => first & 0xe000 != 0x2000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_address_carries_is_looked_at_too() {
        let inside = |text: &str| is_inside(text.parse().unwrap());
        for text in [
            "::ffff:10.0.0.1",
            "64:ff9b::a00:1",
            "2002:a00:1::",
            "100.64.0.1",
            "fe80::1",
        ] {
            assert!(inside(text), "{text}");
        }
        for text in [
            "::ffff:8.8.8.8",
            "64:ff9b::808:808",
            "2002:808:808::",
            "100.128.0.1",
            "2606:4700::1",
        ] {
            assert!(!inside(text), "{text}");
        }
    }

    #[test]
    fn a_name_without_a_dot_is_of_the_network_around_us() {
        assert!(is_inside_name("redis") && is_inside_name("Metadata.Google.Internal."));
        assert!(!is_inside_name("s3.example.com"));
    }
}
