//! What `FORMAT.md` says: other programs read what we write.

use std::{fs, process::Command};

use secrecy::ExposeSecret as _;
use tintype_model::BlobHash;
use tintype_ports::contract::archive::bytes;
use tintype_testkit::provided;

use crate::support::{Place, files};

fn decrypt(place: &Place, file: &str) -> Vec<u8> {
    let key = place.folder.path().join("key.txt");
    fs::write(&key, place.identity.as_ref().unwrap().expose_secret()).unwrap();
    let mut command = Command::new(provided::age());
    let output = command
        .arg("-d")
        .arg("-i")
        .arg(&key)
        .arg(place.root().join(file))
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    output.stdout
}

/// As `zstd -d` does: the frame behind the data is skipped.
fn decompress(bytes: &[u8]) -> String {
    String::from_utf8(zstd::decode_all(bytes).unwrap()).unwrap()
}

#[tokio::test]
async fn age_opens_every_object_and_manifest() {
    let place = Place::folder().encrypted();
    let subject = place.subject();
    subject.archive.open_or_create().await.unwrap();
    let mut items = Vec::new();
    for (seed, length) in [(1, 0), (2, 100), (3, 65_536), (4, 2_000_000)] {
        items.push(
            subject
                .store(&format!("{seed}.jpg"), &bytes(seed, length))
                .await,
        );
    }
    subject.publish(&subject.head(1, None), &items).await;
    for item in &items {
        let plain = decrypt(&place, &item.content.path);
        assert_eq!(BlobHash::of(&plain), item.content.blob);
    }
    let manifest = files(place.root())
        .into_iter()
        .find(|path| path.ends_with(".zst.age"))
        .unwrap();
    let text = decompress(&decrypt(&place, &manifest));
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(json["items"].as_array().unwrap().len(), 4);
}

#[tokio::test]
async fn a_manifest_is_json_with_one_item_a_line_and_a_hash_over_the_lines_before_the_last() {
    let place = Place::folder();
    let subject = place.subject();
    let items = [
        subject.store("a.jpg", b"a").await,
        subject.store("b.jpg", b"b").await,
    ];
    let hash = subject.publish(&subject.head(1, None), &items).await;
    let manifest = files(place.root())
        .into_iter()
        .find(|path| path.ends_with(".zst"))
        .unwrap();
    let text = decompress(&fs::read(place.root().join(manifest)).unwrap());
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(json["head"]["archive"], subject.id.to_string());
    assert_eq!(json["items"][1]["filename"], "b.jpg");
    assert_eq!(json["albums"], serde_json::json!([]));
    assert_eq!(json["signature"]["blake3"], hash.to_string());
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let signed = lines[..lines.len() - 1].concat();
    assert_eq!(
        BlobHash::of(format!("tintype snapshot v1\n{signed}").as_bytes()),
        hash
    );
    assert_eq!(
        lines
            .iter()
            .filter(|line| line.contains("\"filename\""))
            .count(),
        2
    );
}
