//! Where a tenant may have us connect to.

use tintype_model::storage::{ProxyUrl, StoragePolicy};
use tintype_runtime::http::is_inside;
use url::Url;

use crate::problem::Problem;

/// Checks the address of an object store as far as it can be told from the address alone. What a name resolves to is checked
/// by the worker, each time it connects.
pub(crate) fn endpoint(field: &str, text: &str, policy: StoragePolicy) -> Result<Url, Problem> {
    let wrong = |what: &str| Problem::field(field, what);
    let url = Url::parse(text)
        .map_err(|_| wrong("is no address; write one such as https://s3.example.com"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(wrong("must begin with https://"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(wrong(
            "must not hold a name or password; keys have fields of their own",
        ));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(wrong("must end with the path"));
    }
    allowed(field, &url, policy)?;
    Ok(url)
}

/// Checks the address of a download proxy in the same way.
pub(crate) fn proxy(field: &str, proxy: &ProxyUrl, policy: StoragePolicy) -> Result<(), Problem> {
    allowed(field, proxy.as_url(), policy)
}

fn allowed(field: &str, url: &Url, policy: StoragePolicy) -> Result<(), Problem> {
    let wrong = |what: &str| Problem::field(field, what);
    let host = url.host().ok_or_else(|| wrong("names no host"))?;
    if policy.private_addresses {
        return Ok(());
    }
    if url.scheme() != "https" {
        return Err(wrong("must begin with https://"));
    }
    if is_inside(&host) {
        return Err(wrong(
            "is an address of this machine or of a private network, which the operator does not allow",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOSTED: StoragePolicy = StoragePolicy::STRANGERS;

    /// Machines inside, in all spellings.
    const INSIDE: &[&str] = &[
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
    ];

    #[test]
    fn inside_addresses_are_refused_in_all_spellings() {
        for host in INSIDE {
            let text = format!("https://{host}/");
            let refused = endpoint("endpoint", &text, HOSTED);
            assert!(refused.is_err(), "{text} was let through");
            let address: ProxyUrl = text.parse().unwrap();
            let refused = proxy("proxy", &address, HOSTED).unwrap_err();
            assert_eq!(refused.errors[0].pointer, "/proxy");
            assert!(refused.detail.contains("private network"), "{refused:?}");
            assert!(proxy("proxy", &address, StoragePolicy::OWN_MACHINE).is_ok());
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
        let own = StoragePolicy::OWN_MACHINE;
        assert!(endpoint("endpoint", "http://127.0.0.1:9000", own).is_ok());
    }
}
