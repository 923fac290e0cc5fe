//! Answers no emulator of Google would give: a socket that says exactly what a test wants.

use std::{sync::Arc, time::Duration};

use tintype_google::{GoogleEndpoints, GoogleSettings};
use tintype_model::{item::MediaKind, quota::QuotaKind};
use tintype_ports::photos::{BaseUrl, PhotoError, PhotoSource};
use tintype_runtime::HttpSettings;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    time::sleep,
};
use url::Url;

use crate::world::{Gate, LIBRARY, day_ends, drain, open, quick};

/// Answers every connection with `answer` and then holds it open for `hold`.
async fn socket(answer: Vec<u8>, hold: Duration) -> Url {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    let answer = Arc::new(answer);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let answer = Arc::clone(&answer);
            tokio::spawn(async move {
                let mut request = [0; 4096];
                // A client that goes away is no failure of the test.
                let Ok(_) = stream.read(&mut request).await else {
                    return;
                };
                let Ok(()) = stream.write_all(&answer).await else {
                    return;
                };
                sleep(hold).await;
            });
        }
    });
    url
}

async fn saying(answer: &str) -> Url {
    socket(answer.as_bytes().to_vec(), Duration::ZERO).await
}

fn source(url: &Url, tune: impl FnOnce(&mut GoogleSettings)) -> (Arc<dyn PhotoSource>, Arc<Gate>) {
    let gate = Gate::alone();
    let mut settings = quick(GoogleEndpoints::at(url));
    tune(&mut settings);
    (
        open(settings, &HttpSettings::default(), Arc::clone(&gate)),
        gate,
    )
}

async fn read(url: &Url, tune: impl FnOnce(&mut GoogleSettings)) -> Result<Vec<u8>, PhotoError> {
    let (source, _) = source(url, tune);
    let mut download = source
        .download(&BaseUrl::new(url.to_string()), MediaKind::Photo)
        .await?;
    drain(download.as_mut()).await
}

#[tokio::test]
async fn a_page_without_end_is_given_up() {
    let mut answer = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n".to_vec();
    answer.resize(9 * 1024 * 1024, b' ');
    let url = socket(answer, Duration::ZERO).await;
    let (source, gate) = source(&url, |settings| settings.retry.retries = 1);
    let error = source.list(&LIBRARY, None).await.unwrap_err();
    assert!(
        matches!(&error, PhotoError::Unavailable(text) if text.contains("longer than")),
        "{error}"
    );
    assert_eq!(gate.admits(), 2);
}

#[tokio::test]
async fn a_redirect_is_never_followed() {
    let elsewhere =
        saying("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}").await;
    let redirect = format!(
        "HTTP/1.1 307 Moved\r\nLocation: {elsewhere}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    );
    let url = saying(&redirect).await;
    let (source, _) = source(&url, |_| {});
    let error = source.list(&LIBRARY, None).await.unwrap_err();
    assert!(
        matches!(&error, PhotoError::Unavailable(text) if text.contains("redirect")),
        "{error}"
    );
    assert!(matches!(
        read(&url, |_| {}).await,
        Err(PhotoError::Unavailable(_))
    ));
}

#[tokio::test]
async fn bytes_of_unknown_length_are_taken_to_their_proper_end() {
    let url = saying(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
    )
    .await;
    assert_eq!(read(&url, |_| {}).await.unwrap(), b"abcde");
}

#[tokio::test]
async fn bytes_of_unknown_length_that_break_off_are_not_the_photo() {
    let url = saying(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n3\r\nabc\r\n2\r\nd",
    )
    .await;
    // The rest cannot be told from the whole, so nothing is patched together.
    assert!(matches!(
        read(&url, |_| {}).await,
        Err(PhotoError::Unavailable(_))
    ));
}

#[tokio::test]
async fn an_empty_body_of_unknown_length_is_not_the_photo() {
    let url = saying(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n0\r\n\r\n",
    )
    .await;
    assert!(matches!(read(&url, |_| {}).await, Err(PhotoError::NotMedia(text)) if text == "empty"));
}

#[tokio::test]
async fn a_web_page_without_a_type_is_known_by_its_first_bytes() {
    let url = saying(
        "HTTP/1.1 200 OK\r\nContent-Length: 20\r\nConnection: close\r\n\r\n<!DOCTYPE html><p>hi",
    )
    .await;
    assert!(
        matches!(read(&url, |_| {}).await, Err(PhotoError::NotMedia(text)) if text.contains("web page"))
    );
}

#[tokio::test]
async fn silence_in_mid_file_is_not_waited_out_for_ever() {
    let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc".to_vec();
    let url = socket(answer, Duration::from_secs(60)).await;
    let outcome = read(&url, |settings| {
        settings.retry.retries = 1;
        settings.deadlines.download_idle = Duration::from_millis(100);
    });
    assert!(
        matches!(outcome.await, Err(PhotoError::Unavailable(text)) if text.contains("silence"))
    );
}

#[tokio::test]
async fn a_429_of_a_base_url_that_names_the_day_ends_it() {
    let url = saying(
        "HTTP/1.1 429 Too Many Requests\r\nContent-Length: 34\r\nConnection: close\r\n\r\nQuota exceeded: base urls per day.",
    )
    .await;
    let (source, gate) = source(&url, |_| {});
    let opened = source
        .download(&BaseUrl::new(url.to_string()), MediaKind::Photo)
        .await;
    assert!(
        matches!(opened.err(), Some(PhotoError::QuotaExhausted { resumes_at }) if resumes_at == day_ends())
    );
    assert_eq!(*gate.exhausted.lock().unwrap(), [QuotaKind::Download]);
}

#[tokio::test]
async fn a_base_url_that_is_no_url_costs_one_attempt() {
    let (source, gate) = source(&Url::parse("http://127.0.0.1:1").unwrap(), |_| {});
    for wrong in ["", "lh3/word", "file:///etc/passwd"] {
        let opened = source
            .download(&BaseUrl::new(wrong.to_owned()), MediaKind::Photo)
            .await;
        assert!(
            matches!(opened.err(), Some(PhotoError::Rejected(_))),
            "{wrong}"
        );
    }
    assert_eq!(gate.admits(), 3);
}
