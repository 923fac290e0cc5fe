//! The text forms of a place.

use std::path::{Path, PathBuf};

use secrecy::SecretString;
use tintype_blob::{BucketKeys, Root, parse_location};
use tintype_ports::ArchiveError;

use crate::support::client;

fn parse(text: &str) -> Result<Root, ArchiveError> {
    let keys = BucketKeys {
        access_key_id: "key".to_owned(),
        secret_access_key: SecretString::from("secret"),
    };
    parse_location(text, Path::new("/home/me"), Some(keys), client())
}

#[test]
fn paths_and_file_urls_are_folders() {
    let forms = [
        ("/srv/photos", "/srv/photos"),
        ("photos", "/home/me/photos"),
        ("file:///srv/my%20photos", "/srv/my photos"),
    ];
    for (text, wanted) in forms {
        let Root::LocalFolder { path } = parse(text).unwrap() else {
            panic!("{text}")
        };
        assert_eq!(path, PathBuf::from(wanted));
    }
}

#[test]
fn s3_urls_carry_bucket_prefix_endpoint_and_region() {
    let text = "s3://Bucket.x/a/b%20c+d?endpoint=https://s3.example.com&region=eu-west-1";
    let Root::S3(s3) = parse(text).unwrap() else {
        panic!()
    };
    assert_eq!(s3.settings.bucket, "Bucket.x");
    assert_eq!(s3.settings.prefix, "a/b c+d");
    assert_eq!(s3.settings.endpoint, "https://s3.example.com");
    assert_eq!(s3.settings.region, "eu-west-1");
    assert!(!format!("{s3:?}").contains("secret"));
}

#[test]
fn what_is_wrong_is_named() {
    let wrong = [
        ("s3://bucket?region=a", "endpoint: is missing"),
        (
            "s3://bucket?endpoint=https://x.example",
            "region: is missing",
        ),
        ("s3://bucket?endpoint=ftp://x&region=a", "endpoint: must be"),
        (
            "s3://bucket?endpoint=https://x&region=a&key=b",
            "key: is not a part",
        ),
        (
            "s3://key:secret@bucket?endpoint=https://x&region=a",
            "keys do not belong",
        ),
        (
            "s3://?endpoint=https://x.example&region=a",
            "bucket: must not be empty",
        ),
        (
            "s3://b/a/../../c%2F..%2Fd?endpoint=https://x.example&region=a",
            "prefix: must not hold",
        ),
        ("gs://bucket", "gs: is not a known kind"),
        ("", "the place must not be empty"),
    ];
    for (text, reason) in wrong {
        let error = parse(text).unwrap_err().to_string();
        assert!(error.starts_with(reason), "{text}: {error}");
    }
    let no_keys = parse_location(
        "s3://b?endpoint=https://x.example&region=a",
        Path::new("/"),
        None,
        client(),
    );
    assert!(
        no_keys
            .unwrap_err()
            .to_string()
            .contains("needs an access key id")
    );
}
