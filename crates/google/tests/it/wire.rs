//! A server that answers what a test wrote down, one answer a request, and keeps the requests.

use std::sync::{Arc, Mutex};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use url::Url;

/// What a request is met with.
#[derive(Clone, Copy)]
pub(crate) enum Answer {
    /// Status line and headers, in which `{here}` stands for the server's own address, and a body.
    Says(&'static [&'static str], &'static str),
    /// The head is read, and nothing more.
    Silence,
}

/// A request as it came.
#[derive(Clone)]
pub(crate) struct Request {
    /// Request line and headers, in small letters but for their values.
    pub(crate) head: Vec<String>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    /// A header's value.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head
            .iter()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }
}

/// The server.
pub(crate) struct Wire {
    pub(crate) url: Url,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Wire {
    pub(crate) async fn saying(answers: &[Answer]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (answers, here, kept) = (answers.to_vec(), url.clone(), Arc::clone(&requests));
        tokio::spawn(async move {
            let mut silent = Vec::new();
            for answer in answers {
                let (mut stream, _) = listener.accept().await.unwrap();
                let Answer::Says(head, body) = answer else {
                    silent.push(stream);
                    continue;
                };
                // A client that goes away is no failure of the test.
                let Some(request) = read(&mut stream).await else {
                    continue;
                };
                kept.lock().unwrap().push(request);
                let head = head.join("\r\n").replace("{here}", here.as_str());
                let length = body.len();
                let text = format!(
                    "HTTP/1.1 {head}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
                );
                let _ = stream.write_all(text.as_bytes()).await;
            }
            std::future::pending::<()>().await;
        });
        Self { url, requests }
    }

    /// The requests so far.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }
}

/// A whole request; `None` when the client leaves before.
async fn read(stream: &mut TcpStream) -> Option<Request> {
    let mut bytes = Vec::new();
    let head_end = loop {
        if let Some(end) = bytes.windows(4).position(|it| it == b"\r\n\r\n") {
            break end;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let mut body = bytes.split_off(head_end + 4);
    let head = String::from_utf8(bytes).ok()?;
    let head = head.lines().map(small).collect();
    let mut request = Request {
        head,
        body: Vec::new(),
    };
    let length: usize = request.header("content-length")?.parse().ok()?;
    while body.len() < length {
        if stream.read_buf(&mut body).await.ok()? == 0 {
            return None;
        }
    }
    request.body = body;
    Some(request)
}

/// A header with its name in small letters.
fn small(line: &str) -> String {
    match line.split_once(':') {
        Some((name, value)) => format!("{}:{value}", name.to_ascii_lowercase()),
        None => line.to_owned(),
    }
}
