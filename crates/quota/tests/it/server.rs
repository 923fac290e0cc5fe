//! A Redis server of a test's own, which it may kill.

use std::{
    net::{Ipv4Addr, TcpListener},
    process::{Child, Command, Stdio},
    time::Duration,
};

use redis::{Client, aio::MultiplexedConnection};
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

/// A server that does not come up within this is broken.
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) struct Server {
    folder: TempDir,
    port: u16,
    child: Option<Child>,
}

impl Server {
    /// A server that saves its data only when it is told to.
    pub(crate) async fn start() -> Self {
        let port = {
            let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
            free.local_addr().expect("its address").port()
        };
        let mut server = Self {
            folder: tempfile::tempdir().expect("a folder"),
            port,
            child: None,
        };
        server.revive().await;
        server
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Starts it again, with what it saved last.
    pub(crate) async fn revive(&mut self) {
        let child = Command::new("redis-server")
            .args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no"])
            .args(["--port", &self.port.to_string()])
            .arg("--dir")
            .arg(self.folder.path())
            .stdout(Stdio::null())
            .spawn()
            .expect("redis-server is needed: install it, for example with `apt-get install redis-server`");
        self.child = Some(child);
        let deadline = Instant::now() + PATIENCE;
        while self.try_ask::<String>(&["PING"]).await.is_err() {
            assert!(Instant::now() < deadline, "redis-server did not come up");
            sleep(Duration::from_millis(20)).await;
        }
    }

    /// As `kill -9` does.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().expect("a server that runs");
            child.wait().expect("its end");
        }
    }

    /// Stops it from answering, while its connections stay open; or lets it go on.
    pub(crate) fn set_frozen(&self, frozen: bool) {
        let signal = if frozen { "-STOP" } else { "-CONT" };
        let pid = self.child.as_ref().expect("a server that runs").id();
        let status = Command::new("kill")
            .args([signal, &pid.to_string()])
            .status()
            .expect("kill");
        assert!(status.success());
    }

    /// Asks it something.
    pub(crate) async fn ask<T: redis::FromRedisValue>(&self, words: &[&str]) -> T {
        self.try_ask(words).await.expect("an answer of redis")
    }

    async fn try_ask<T: redis::FromRedisValue>(&self, words: &[&str]) -> redis::RedisResult<T> {
        let client = Client::open(self.url())?;
        let mut connection: MultiplexedConnection =
            client.get_multiplexed_async_connection().await?;
        let mut command = redis::Cmd::new();
        command.arg(words);
        command.query_async(&mut connection).await
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}
