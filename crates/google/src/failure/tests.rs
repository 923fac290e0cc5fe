use super::*;

const PLAIN: About = About {
    page_token: false,
    album: false,
};

fn answer(code: u16, message: &str, about: About) -> Failure {
    let body = serde_json::json!({"error": {"code": code, "message": message}}).to_string();
    let status = StatusCode::from_u16(code).unwrap();
    of_library(status, &HeaderMap::new(), body.as_bytes(), about)
}

fn last_word(code: u16, message: &str, about: About) -> PhotoError {
    match answer(code, message, about) {
        Failure::Final(error) => error,
        other => panic!("{other:?}"),
    }
}

#[test]
fn only_per_day_means_that_the_day_is_over() {
    let service = "of service 'photoslibrary.googleapis.com'";
    let day = format!(
        "Quota exceeded for quota metric 'All requests' and limit 'All requests per day' {service}"
    );
    let minute = format!(
        "Quota exceeded for quota metric 'All requests' and limit 'All requests per minute' {service}"
    );
    let lock = format!("Quota exceeded for quota 'concurrent write request' {service}.");
    assert!(matches!(answer(429, &day, PLAIN), Failure::DayOver));
    for text in [minute, lock] {
        assert!(matches!(
            answer(429, &text, PLAIN),
            Failure::Passing(Passing {
                throttled: true,
                unclear: false,
                ..
            })
        ));
    }
}

#[test]
fn a_403_says_what_to_do() {
    let cases = [
        (
            "Request had insufficient authentication scopes.",
            "connect the account again",
        ),
        (
            "Photos Library API has not been used in project 42 before or it is disabled.",
            "in cloud project 42: enable it",
        ),
        (
            "Google Photos is disabled for the user",
            "switched off for this account",
        ),
        ("The caller does not have permission", "same OAuth client"),
    ];
    for (text, expected) in cases {
        let PhotoError::Forbidden(advice) = last_word(403, text, PLAIN) else {
            panic!("{text}")
        };
        let advice = advice.to_string();
        assert!(advice.contains(expected), "{advice}");
    }
}

#[test]
fn a_403_that_is_not_googles_points_to_the_proxy() {
    let failure = of_library(StatusCode::FORBIDDEN, &HeaderMap::new(), b"<html>", PLAIN);
    assert!(matches!(
        failure,
        Failure::Final(PhotoError::Forbidden(Forbidden::NotGoogle(_)))
    ));
}

#[test]
fn a_bad_page_token_is_known_only_where_one_was_sent() {
    let paging = About {
        page_token: true,
        ..PLAIN
    };
    let text = "Request contains an invalid page token.";
    assert!(matches!(
        last_word(400, text, paging),
        PhotoError::PageTokenExpired
    ));
    assert!(matches!(
        last_word(400, text, PLAIN),
        PhotoError::Rejected(_)
    ));
    let vague = "Request contains an invalid argument.";
    assert!(matches!(
        last_word(400, vague, paging),
        PhotoError::PageTokenExpired
    ));
}

#[test]
fn other_400s_are_told_apart_by_their_text() {
    let full =
        "The remaining storage in the user's account is not enough to perform this operation.";
    assert!(matches!(
        last_word(400, full, PLAIN),
        PhotoError::StorageFull
    ));
    let album = About {
        album: true,
        ..PLAIN
    };
    for text in [
        "Invalid album ID.",
        "No permission to add media items to this album.",
    ] {
        assert!(matches!(
            last_word(400, text, album),
            PhotoError::ItemNotFound
        ));
        assert!(matches!(
            last_word(400, text, PLAIN),
            PhotoError::Rejected(_)
        ));
    }
    assert!(matches!(
        last_word(404, "The provided ID does not match any albums", album),
        PhotoError::ItemNotFound
    ));
    assert!(matches!(
        last_word(400, "something else", PLAIN),
        PhotoError::Rejected(_)
    ));
}

#[test]
fn server_trouble_passes_and_its_retry_after_is_read() {
    let headers = HeaderMap::from_iter([(RETRY_AFTER, "12".parse().unwrap())]);
    let failure = of_library(
        StatusCode::SERVICE_UNAVAILABLE,
        &headers,
        b"not json",
        PLAIN,
    );
    let Failure::Passing(passing) = failure else {
        panic!("{failure:?}")
    };
    assert_eq!(passing.retry_after, Some(Duration::from_secs(12)));
    assert!(!passing.throttled && passing.unclear);
}

#[test]
fn long_answers_are_shortened() {
    let text = shortened(&"ä\n".repeat(5000));
    assert_eq!(text.chars().count(), LONGEST_TEXT + 1);
    assert!(!text.contains('\n'));
}
