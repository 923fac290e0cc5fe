//! The few plain calls that steer the emulator, on loopback: too little to link an HTTP client for.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// A summary of half a million items takes seconds to write.
const DEADLINE: Duration = Duration::from_secs(60);
/// The most that is read of an answer.
const MOST: u64 = 256 * 1024 * 1024;

/// Calls `path` of the server at `base` (`http://HOST:PORT`) and reads its JSON.
///
/// # Errors
/// When the server cannot be reached, answers with anything but 200, or with something else than JSON.
pub(super) async fn call(base: &str, method: &str, path: &str, body: &Value) -> Result<Value> {
    let answer = timeout(DEADLINE, exchange(base, method, path, body)).await;
    let answer = answer
        .with_context(|| format!("{method} {path} took more than {} s", DEADLINE.as_secs()))?
        .with_context(|| format!("cannot call {method} {base}{path}"))?;
    let end = find(&answer, b"\r\n\r\n").context("the answer has no end of its head")?;
    let head = String::from_utf8_lossy(&answer[..end]);
    let text = &answer[end + 4..];
    if head.split(' ').nth(1) != Some("200") {
        bail!(
            "{method} {path}: {}: {}",
            head.lines().next().unwrap_or_default(),
            String::from_utf8_lossy(text)
        );
    }
    serde_json::from_slice(text).with_context(|| format!("{method} {path} did not answer JSON"))
}

async fn exchange(base: &str, method: &str, path: &str, body: &Value) -> Result<Vec<u8>> {
    let host = base
        .strip_prefix("http://")
        .context("the address of the emulator is no http:// URL")?
        .trim_end_matches('/');
    let body = match body {
        Value::Null => String::new(),
        body => body.to_string(),
    };
    let mut stream = TcpStream::connect(host).await?;
    // HTTP/1.0: the answer comes in one piece and ends with the connection.
    let request = format!(
        "{method} {path} HTTP/1.0\r\nHost: {host}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.take(MOST).read_to_end(&mut answer).await?;
    Ok(answer)
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len())
        .position(|window| window == wanted)
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tokio::net::TcpListener;

    use super::*;

    async fn answered(answer: &'static str) -> Result<Value> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let server = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 1024];
            let read = stream.read(&mut request).await.unwrap();
            assert!(request[..read].starts_with(b"POST /it HTTP/1.0\r\n"));
            stream.write_all(answer.as_bytes()).await.unwrap();
        });
        let result = call(&base, "POST", "/it", &json!({"a": 1})).await;
        server.await.unwrap();
        result
    }

    #[tokio::test]
    async fn an_answer_is_read_as_json_and_an_error_is_told() {
        let value = answered("HTTP/1.0 200 OK\r\nX: y\r\n\r\n{\"b\":2}").await;
        assert_eq!(value.unwrap(), json!({"b": 2}));
        let error = answered("HTTP/1.0 400 Bad Request\r\n\r\n{\"error\":\"no\"}").await;
        let text = error.unwrap_err().to_string();
        assert_eq!(
            text,
            "POST /it: HTTP/1.0 400 Bad Request: {\"error\":\"no\"}"
        );
    }
}
