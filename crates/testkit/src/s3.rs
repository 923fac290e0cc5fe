//! A real S3 server for one test: rclone serving a temporary folder.

use std::fs;
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};

use crate::process::{Spawned, Stream};
use crate::provided;

const READY_WITHIN: Duration = Duration::from_secs(30);
/// Between choosing a free port and listening on it another process may take it.
const ATTEMPTS: usize = 3;

/// A running server with one empty bucket; it ends, and its folder goes, when dropped.
#[derive(Debug)]
pub struct S3Server {
    // Declared before the folder, so that the server is gone when its files go.
    process: Spawned,
    folder: TempDir,
    port: u16,
}

impl S3Server {
    /// The access key that the server accepts.
    pub const ACCESS_KEY: &str = "tintype-test-key";
    /// The secret key that goes with it.
    pub const SECRET_KEY: &str = "tintype-test-secret";
    /// The bucket that exists from the start.
    pub const BUCKET: &str = "photos";
    /// The server does not look at the region; clients have to name one.
    pub const REGION: &str = "us-east-1";

    /// Starts a server on a free port and waits until it answers.
    ///
    /// # Panics
    /// When [`provided::rclone`] is not set, or the server does not answer in time.
    pub async fn start() -> Self {
        let mut attempt = 1;
        loop {
            match Self::start_once().await {
                Ok(server) => return server,
                Err(reason) if attempt == ATTEMPTS => {
                    panic!("the S3 server of rclone does not answer: {reason}")
                }
                Err(_) => attempt += 1,
            }
        }
    }

    async fn start_once() -> Result<Self, String> {
        let (folder, port) = prepare().map_err(|error| error.to_string())?;
        let mut process = Spawned::start(serve(folder.path(), port));
        let started = Instant::now();
        while !answers(port).await {
            if process.status().is_some() || started.elapsed() > READY_WITHIN {
                return Err(process.text(Stream::Stderr));
            }
            sleep(Duration::from_millis(20)).await;
        }
        Ok(Self {
            process,
            folder,
            port,
        })
    }

    /// Where the server listens, such as `http://127.0.0.1:4711`; buckets are paths under it.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The folder that holds the bucket's objects as files, to look at and to damage.
    #[must_use]
    pub fn bucket_folder(&self) -> PathBuf {
        self.folder.path().join("data").join(Self::BUCKET)
    }

    /// The server's process, to freeze or kill.
    pub fn process(&mut self) -> &mut Spawned {
        &mut self.process
    }
}

fn prepare() -> io::Result<(TempDir, u16)> {
    let folder = tempfile::Builder::new().prefix("tintype-s3-").tempdir()?;
    fs::create_dir_all(folder.path().join("data").join(S3Server::BUCKET))?;
    let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?
        .local_addr()?
        .port();
    Ok((folder, port))
}

fn serve(folder: &Path, port: u16) -> Command {
    let mut command = Command::new(provided::rclone());
    command
        .args(["serve", "s3", "--addr"])
        .arg(format!("127.0.0.1:{port}"));
    command
        .arg("--auth-key")
        .arg(format!("{},{}", S3Server::ACCESS_KEY, S3Server::SECRET_KEY));
    command.args(["--vfs-cache-mode", "full"]);
    // Objects reach the folder at once, and files changed in the folder are served as they are now. (With no time at all
    // rclone forgets its folders in an endless loop, which holds up uploads for ever.)
    command.args([
        "--vfs-write-back",
        "0s",
        "--dir-cache-time",
        "50ms",
        "--poll-interval",
        "0",
    ]);
    command.arg("--cache-dir").arg(folder.join("cache"));
    // Nothing of the person's own configuration.
    command
        .arg("--config")
        .arg(folder.join("rclone.conf"))
        .arg(folder.join("data"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("RCLONE_") {
            command.env_remove(name);
        }
    }
    command
}

/// Whether something on `port` speaks HTTP.
async fn answers(port: u16) -> bool {
    let ask = async {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
        stream.write_all(b"GET / HTTP/1.0\r\n\r\n").await?;
        let mut start = [0; 5];
        stream.read_exact(&mut start).await?;
        io::Result::Ok(&start == b"HTTP/")
    };
    matches!(timeout(Duration::from_secs(2), ask).await, Ok(Ok(true)))
}
