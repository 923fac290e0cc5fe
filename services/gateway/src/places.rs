//! Where a tenant may have us connect to.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

use crate::{Policy, problem::Problem};

/// Checks the address of an object store as far as it can be told from the address alone. Names are resolved later, when
/// the worker connects.
pub(crate) fn endpoint(field: &str, text: &str, policy: Policy) -> Result<Url, Problem> {
    let wrong = |what: &str| Problem::field(field, what);
    let url = Url::parse(text)
        .map_err(|_| wrong("is no address; write one such as https://s3.example.com"))?;
    let is_private_fine = policy.private_addresses;
    match url.scheme() {
        "https" => {}
        "http" if is_private_fine => {}
        _ => return Err(wrong("must begin with https://")),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(wrong(
            "must not hold a name or password; keys have fields of their own",
        ));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(wrong("must end with the path"));
    }
    let is_inside = match url.host() {
        None => return Err(wrong("names no host")),
        // The parser has turned all spellings of an IPv4 address into one.
        Some(Host::Ipv4(address)) => is_inside(IpAddr::V4(address)),
        Some(Host::Ipv6(address)) => is_inside(IpAddr::V6(address)),
        Some(Host::Domain(name)) => is_inside_name(name),
    };
    if is_inside && !is_private_fine {
        return Err(wrong(
            "is an address of this machine or of a private network, which the operator does not allow",
        ));
    }
    Ok(url)
}

/// Names that mean a machine inside wherever they are resolved.
fn is_inside_name(name: &str) -> bool {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    let has_no_dot = !name.contains('.');
    has_no_dot
        || [".localhost", ".local", ".internal", ".svc", ".home.arpa"]
            .iter()
            .any(|end| name.ends_with(end))
}

/// Everything that the registries of special-purpose addresses (RFC 6890 and its successors) do not call global.
fn is_inside(address: IpAddr) -> bool {
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

    const HOSTED: Policy = Policy {
        local_folders: false,
        private_addresses: false,
    };

    #[test]
    fn inside_addresses_are_refused_in_all_spellings() {
        for host in [
            "127.0.0.1",
            "127.1",
            "2130706433",
            "0x7f.1",
            "0x7f000001",
            "0177.0.0.1",
            "0",
            "0.0.0.0",
            "10.0.0.1",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "169.254.169.254",
            "2852039166",
            "100.64.0.1",
            "100.127.255.254",
            "192.0.0.8",
            "192.88.99.1",
            "198.18.0.1",
            "198.19.255.255",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "192.0.2.1",
            "[::1]",
            "[::]",
            "[::ffff:127.0.0.1]",
            "[::ffff:7f00:1]",
            "[fe80::1]",
            "[fc00::1]",
            "[fd12:3456::1]",
            "[ff02::1]",
            "[64:ff9b::7f00:1]",
            "[64:ff9b::a9fe:a9fe]",
            "[2002:7f00:1::]",
            "[2002:a00:1::]",
            "[2001:0::1]",
            "[2001:db8::1]",
            "[100::1]",
            "localhost",
            "LOCALHOST",
            "localhost.",
            "a.localhost",
            "db.internal",
            "metadata.google.internal",
            "x.svc",
            "printer.local",
            "redis",
            "１２７.0.0.1",
            "127。0。0。1",
        ] {
            let text = format!("https://{host}/");
            let refused = endpoint("endpoint", &text, HOSTED);
            assert!(refused.is_err(), "{text} was let through");
        }
    }

    #[test]
    fn the_public_internet_is_fine() {
        for text in [
            "https://s3.eu-central-1.amazonaws.com",
            "https://8.8.8.8:9000",
            "https://[2606:4700::1111]/",
            "https://[64:ff9b::808:808]/",
            "https://172.32.0.1",
        ] {
            assert!(endpoint("endpoint", text, HOSTED).is_ok(), "{text}");
        }
    }

    #[test]
    fn addresses_that_are_none_are_told() {
        for text in [
            "s3.example.com",
            "http://s3.example.com",
            "ftp://s3.example.com",
            "file:///etc/passwd",
            "https://me:pw@s3.example.com",
            "https://s3.example.com/?x=1",
            "https://",
        ] {
            assert!(endpoint("endpoint", text, HOSTED).is_err(), "{text}");
        }
        let own = Policy {
            local_folders: true,
            private_addresses: true,
        };
        assert!(endpoint("endpoint", "http://127.0.0.1:9000", own).is_ok());
    }
}
