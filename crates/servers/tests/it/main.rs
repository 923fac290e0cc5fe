//! Private servers start, are hurt, come back and leave nothing behind.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use tintype_servers::{Apt, Durability, Postgres, RabbitMq, Redis};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

/// Processes whose command line or environment names the folder.
fn processes_of(folder: &str) -> Vec<String> {
    let processes = fs::read_dir("/proc").expect("a /proc").flatten();
    processes
        .filter_map(|entry| {
            let line = fs::read(entry.path().join("cmdline")).ok()?;
            let environment = fs::read(entry.path().join("environ")).unwrap_or_default();
            let text = String::from_utf8_lossy(&line).into_owned();
            let all = format!("{text} {}", String::from_utf8_lossy(&environment));
            all.contains(folder).then_some(text)
        })
        .collect()
}

/// Whether the port answers `greeting` with anything within `patience`.
async fn answers(port: u16, greeting: &[u8], patience: Duration) -> bool {
    let talk = async {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
        stream.write_all(greeting).await?;
        stream.read_u8().await
    };
    matches!(timeout(patience, talk).await, Ok(Ok(_)))
}

/// Kills, restarts, pauses and drops a server, given as a macro because the three share no type.
macro_rules! survives {
    ($server:ident, $greeting:expr) => {
        const PATIENCE: Duration = Duration::from_secs(30);
        let port = $server.port();
        assert!(answers(port, $greeting, PATIENCE).await);

        $server.kill();
        assert!(!answers(port, $greeting, PATIENCE).await);
        $server.restart().await.expect("it comes back");
        assert_eq!($server.port(), port);
        assert!(answers(port, $greeting, PATIENCE).await);

        $server.stop();
        assert!(!answers(port, $greeting, PATIENCE).await);
        $server.restart().await.expect("it comes back");

        $server.pause();
        assert!(!answers(port, $greeting, Duration::from_secs(1)).await);
        $server.resume();
        assert!(answers(port, $greeting, PATIENCE).await);

        let folder = $server.folder().to_path_buf();
        let name = folder.to_string_lossy().into_owned();
        assert!(!processes_of(&name).is_empty());
        $server.pause();
        drop($server);
        assert!(!folder.exists());
        wait_until_gone(&name).await;
    };
}

/// Helpers of a killed server notice its end a moment later.
async fn wait_until_gone(folder: &str) {
    for _ in 0..300 {
        if processes_of(folder).is_empty() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("left behind: {:?}", processes_of(folder));
}

#[tokio::test]
async fn postgresql_comes_back_after_a_kill_and_leaves_nothing() {
    let mut server = Postgres::start(&Apt::default(), Durability::None)
        .await
        .expect("PostgreSQL starts");
    // A request for TLS, which is answered with one byte.
    survives!(server, &[0, 0, 0, 8, 4, 210, 22, 47]);
}

#[tokio::test]
async fn redis_comes_back_after_a_kill_and_leaves_nothing() {
    let mut server = Redis::start(&Apt::default()).await.expect("Redis starts");
    survives!(server, b"PING\r\n");
}

#[tokio::test]
async fn rabbitmq_comes_back_after_a_kill_and_leaves_nothing() {
    let mut server = RabbitMq::start(&Apt::default())
        .await
        .expect("RabbitMQ starts");
    let management = server.management();
    management.create_vhost("kept").await.expect("a vhost");
    survives_rabbit(&mut server).await;
    let found = management.ask("GET", "/api/vhosts/kept", "").await;
    assert_eq!(found.expect("an answer").status, 200);
    survives!(server, b"AMQP\0\0\x09\x01");
}

async fn survives_rabbit(server: &mut RabbitMq) {
    server.kill();
    server.restart().await.expect("it comes back");
}

#[tokio::test]
async fn redis_goes_back_to_an_older_snapshot() {
    let mut redis = Redis::start(&Apt::default()).await.expect("Redis starts");
    assert_eq!(say(&redis, "SET photo old").await, "+OK");
    let old = redis.snapshot().await.expect("a snapshot");
    assert_eq!(say(&redis, "SET photo new").await, "+OK");

    redis.restart_from(Some(&old)).await.expect("it restarts");
    assert_eq!(say(&redis, "GET photo").await, "$3\r\nold");

    redis.restart_from(None).await.expect("it restarts");
    assert_eq!(say(&redis, "GET photo").await, "$-1");
}

async fn say(redis: &Redis, command: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", redis.port()))
        .await
        .expect("a connection");
    stream
        .write_all(format!("{command}\r\nQUIT\r\n").as_bytes())
        .await
        .expect("a command");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("an answer");
    let mine = answer.strip_suffix("+OK\r\n").expect("the answer to QUIT");
    mine.trim_end().to_owned()
}

#[tokio::test]
async fn servers_end_with_an_owner_that_is_killed() {
    if let Some(file) = std::env::var_os("TINTYPE_TEST_FOLDER_FILE") {
        return wait_to_be_killed(&PathBuf::from(file)).await;
    }
    let owner = std::env::current_exe().expect("this program");
    let file = tempfile::NamedTempFile::new().expect("a file");
    let mut child = std::process::Command::new(owner)
        .args(["--exact", "servers_end_with_an_owner_that_is_killed"])
        .env("TINTYPE_TEST_FOLDER_FILE", file.path())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .expect("an owner");
    let folder = loop {
        let text = fs::read_to_string(file.path()).expect("the file");
        if text.ends_with('\n') {
            break text.trim().to_owned();
        }
        assert!(child.try_wait().expect("a state").is_none(), "it ended");
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    assert!(!processes_of(&folder).is_empty());

    child.kill().expect("a kill");
    child.wait().expect("an end");

    wait_until_gone(&folder).await;
    for _ in 0..100 {
        if !PathBuf::from(&folder).exists() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{folder} is still there");
}

/// What the test above starts and kills.
async fn wait_to_be_killed(file: &Path) {
    let redis = Redis::start(&Apt::default()).await.expect("Redis starts");
    fs::write(file, format!("{}\n", redis.folder().display())).expect("a line");
    std::future::pending::<()>().await;
}
