use tintype_ports::photos::Page;

use super::*;
use crate::library::page;

const PHOTO: &str = r#"{"id":"p1","description":"the sea","productUrl":"https://x","baseUrl":"https://b/1",
    "mimeType":"image/jpeg","filename":"caf\u00e9.jpg","mediaMetadata":{"creationTime":"2019-05-04T03:02:01.5Z",
    "width":"4032","height":"3024","photo":{"cameraMake":"Ricoh","cameraModel":"GR","focalLength":18.3,
    "apertureFNumber":2.8,"isoEquivalent":200,"exposureTime":"0.008s"}}}"#;

fn page(body: &str) -> Page<ListedItem> {
    page::read::<WireItem, _>(body.as_bytes(), listed).unwrap()
}

fn only(item: &str) -> ListedItem {
    let page = page(&format!(r#"{{"mediaItems":[{item}]}}"#));
    assert_eq!(page.malformed, None);
    page.entries.into_iter().next().unwrap()
}

fn video(status: &str) -> ListedItem {
    only(&format!(
        r#"{{"id":"v","baseUrl":"https://b","mimeType":"video/mp4","mediaMetadata":{{"video":{{"fps":30,"status":"{status}"}}}}}}"#
    ))
}

#[test]
fn a_photo_is_read_whole() {
    let expected = ListedItem {
        id: "p1".parse().unwrap(),
        metadata: ItemMetadata {
            filename: "café.jpg".to_owned(),
            mime_type: "image/jpeg".to_owned(),
            kind: MediaKind::Photo,
            description: Some("the sea".to_owned()),
            created_at: Some("2019-05-04T03:02:01.5Z".parse().unwrap()),
            dimensions: Some(Dimensions {
                width: 4032,
                height: 3024,
            }),
            camera: CameraFacts {
                make: Some("Ricoh".to_owned()),
                model: Some("GR".to_owned()),
                focal_length: Some(18.3),
                aperture: Some(2.8),
                iso: Some(200),
                exposure_time: Some("0.008s".to_owned()),
                fps: None,
            },
            video_status: None,
            file: None,
        },
        base_url: Some(BaseUrl::new("https://b/1".to_owned())),
    };
    assert_eq!(only(PHOTO), expected);
}

#[test]
fn a_video_has_a_base_url_only_when_google_is_done_with_it() {
    let cases = [
        ("PROCESSING", Some(VideoStatus::Processing), false),
        ("READY", Some(VideoStatus::Ready), true),
        ("FAILED", Some(VideoStatus::Failed), false),
        ("SOMETHING_NEW", None, true),
    ];
    for (written, status, has_url) in cases {
        let item = video(written);
        assert_eq!(
            (item.metadata.video_status, item.base_url.is_some()),
            (status, has_url)
        );
        assert_eq!(item.metadata.kind, MediaKind::Video);
    }
}

#[test]
fn what_is_missing_or_unreadable_in_the_metadata_is_absent() {
    let bare = only(r#"{"id":"p","mimeType":"image/png"}"#);
    assert_eq!(
        (bare.metadata.created_at, bare.metadata.dimensions),
        (None, None)
    );
    assert_eq!((bare.metadata.filename.as_str(), bare.base_url), ("", None));
    let odd = only(
        r#"{"id":"p","mimeType":"image/png","mediaMetadata":{"creationTime":"soon","width":"-1","height":3}}"#,
    );
    assert_eq!(
        (odd.metadata.created_at, odd.metadata.dimensions),
        (None, None)
    );
}

#[test]
fn a_malformed_entry_is_counted_and_costs_no_other() {
    let body = format!(
        r#"{{"mediaItems":[{PHOTO},{{"id":"../x","mimeType":"image/png"}},{{"id":7}},null,{{"id":"t","mimeType":"text/plain"}}],
        "nextPageToken":"n"}}"#
    );
    let page = page(&body);
    assert_eq!(page.entries, [only(PHOTO)]);
    assert_eq!(page.next.as_deref(), Some("n"));
    let (count, reason) = page.malformed.unwrap();
    assert_eq!(count, 4);
    assert!(reason.contains("provider id"), "{reason}");
}

#[test]
fn an_empty_answer_is_an_empty_last_page() {
    assert_eq!(
        page("{}"),
        Page {
            entries: Vec::new(),
            malformed: None,
            next: None
        }
    );
    assert_eq!(page(r#"{"nextPageToken":""}"#).next, None);
}

#[test]
fn what_breaks_off_or_is_something_else_is_no_page() {
    for body in [
        "",
        "[]",
        "null",
        r#"{"mediaItems":[{"id""#,
        "<html>",
        r#"{"status":"ok"}"#,
    ] {
        assert!(
            page::read::<WireItem, _>(body.as_bytes(), listed).is_err(),
            "{body}"
        );
    }
}
