//! A private RabbitMQ broker with its management interface, and the port mapper that its Erlang needs.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::{Context, Result};
use rustix::process::Signal;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

use crate::{
    apt::Apt,
    files::find_in_path,
    http::Management,
    ports,
    process::Process,
    server::{Program, Server},
};

/// Debian's own scripts; those in `/usr/sbin` change the user first.
const DEBIAN: &str = "/usr/lib/rabbitmq/bin/rabbitmq-server";
/// How long one look at a starting broker may take.
const LOOK: Duration = Duration::from_secs(2);

/// What a broker is made of.
#[derive(Debug)]
pub struct Installation {
    script: PathBuf,
    epmd: PathBuf,
    settings: String,
    amqp: u16,
    management: u16,
    distribution: u16,
    epmd_port: u16,
    /// Erlang's port mapper. With one of our own no daemon of the system's is started that would outlive us.
    mapper: Option<Process>,
}

/// A private RabbitMQ broker; the user is `guest` with the password `guest`.
pub type RabbitMq = Server<Installation>;

impl RabbitMq {
    /// Starts a broker, installing RabbitMQ when it is missing.
    ///
    /// # Errors
    /// With what to install, when RabbitMQ is missing and this is not root; with the end of the broker's log, when it does
    /// not start.
    pub async fn start(apt: &Apt) -> Result<Self> {
        Self::start_with(apt, &[]).await
    }

    /// Starts a broker with further lines in its `rabbitmq.conf`, such as `consumer_timeout = 3600000`.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub async fn start_with(apt: &Apt, settings: &[&str]) -> Result<Self> {
        let (script, epmd) = match find() {
            Some(found) => found,
            None => {
                apt.install(&["rabbitmq-server"])
                    .await
                    .context("the RabbitMQ broker is missing")?;
                find().context("rabbitmq-server was installed, but its programs were not found")?
            }
        };
        let folder = tempfile::Builder::new()
            .prefix("tintype-rabbitmq-")
            .tempdir()?;
        let installation = Installation {
            script,
            epmd,
            settings: settings.join("\n"),
            amqp: 0,
            management: 0,
            distribution: 0,
            epmd_port: 0,
            mapper: None,
        };
        Self::first_start(installation, folder).await
    }

    /// Its AMQP address, for the virtual host `/`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("amqp://guest:guest@127.0.0.1:{}", self.port())
    }

    /// The port it speaks AMQP on.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.program.amqp
    }

    /// Its management interface.
    #[must_use]
    pub fn management(&self) -> Management {
        self.program.management()
    }
}

impl Installation {
    fn management(&self) -> Management {
        Management::on_this_machine(self.management)
    }

    fn configuration(&self) -> String {
        format!(
            "listeners.tcp.1 = 127.0.0.1:{}\n\
             management.tcp.ip = 127.0.0.1\n\
             management.tcp.port = {}\n\
             management_agent.disable_metrics_collector = true\n\
             disk_free_limit.absolute = 10MB\n\
             raft.wal_max_size_bytes = 32000000\n\
             log.console = true\n\
             log.console.level = warning\n\
             log.file = false\n\
             {}\n",
            self.amqp, self.management, self.settings
        )
    }
}

impl Program for Installation {
    const NAME: &'static str = "RabbitMQ";
    const ORDERLY: Signal = Signal::TERM;
    const AT_ONCE: Signal = Signal::KILL;

    fn choose_ports(&mut self) -> Result<()> {
        self.amqp = ports::free()?;
        self.management = ports::free()?;
        self.distribution = ports::free()?;
        self.epmd_port = ports::free()?;
        let mut epmd = Command::new(&self.epmd);
        epmd.args(["-address", "127.0.0.1", "-port"])
            .arg(self.epmd_port.to_string())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        self.mapper = Some(Process::start(&mut epmd, Signal::KILL, None)?);
        Ok(())
    }

    fn command(&self, folder: &Path) -> Result<Command> {
        fs::write(folder.join("rabbitmq.conf"), self.configuration())?;
        fs::write(folder.join("advanced.config"), "[].\n")?;
        fs::write(folder.join("rabbitmq-env.conf"), "")?;
        fs::write(folder.join("plugins"), "[rabbitmq_management].\n")?;
        let mut broker = Command::new(&self.script);
        for (name, file) in [
            ("RABBITMQ_CONFIG_FILE", "rabbitmq.conf"),
            ("RABBITMQ_ADVANCED_CONFIG_FILE", "advanced.config"),
            // Instead of the system's, which may name another node.
            ("RABBITMQ_CONF_ENV_FILE", "rabbitmq-env.conf"),
            ("RABBITMQ_ENABLED_PLUGINS_FILE", "plugins"),
            ("RABBITMQ_MNESIA_BASE", "data"),
            ("RABBITMQ_LOG_BASE", "log"),
            ("RABBITMQ_PID_FILE", "pid"),
            ("HOME", ""),
        ] {
            broker.env(name, folder.join(file));
        }
        broker
            // The port makes the name its own: two nodes of one name would take each other for one.
            .env("RABBITMQ_NODENAME", format!("tintype{}@localhost", self.amqp))
            .env("RABBITMQ_NODE_PORT", self.amqp.to_string())
            .env("RABBITMQ_DIST_PORT", self.distribution.to_string())
            .env("ERL_EPMD_PORT", self.epmd_port.to_string())
            .env("ERL_EPMD_ADDRESS", "127.0.0.1")
            // The script then becomes the broker, rather than waiting beside it: one process to signal.
            .env("RABBITMQ_ALLOW_INPUT", "1")
            // A broker that shares the machine does not spin while it has nothing to do.
            .env(
                "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS",
                "-noinput +S 2:2 +sbwt none +sbwtdcpu none +sbwtdio none -kernel inet_dist_use_interface {127,0,0,1}",
            )
            .env_remove("RABBITMQ_NODE_IP_ADDRESS")
            .current_dir(folder);
        Ok(broker)
    }

    async fn is_ready(&self, _folder: &Path, _pid: u32) -> bool {
        let looked = timeout(LOOK, async {
            let answer = self.management().ask("GET", "/api/vhosts", "").await;
            answer.is_ok_and(|answer| answer.status == 200) && speaks_amqp(self.amqp).await
        });
        looked.await.unwrap_or(false)
    }
}

/// A broker answers the greeting with a method frame, whose first byte is 1.
async fn speaks_amqp(port: u16) -> bool {
    let talk = async {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
        stream.write_all(b"AMQP\0\0\x09\x01").await?;
        stream.read_u8().await
    };
    talk.await.is_ok_and(|first| first == 1)
}

/// The start script and Erlang's port mapper.
fn find() -> Option<(PathBuf, PathBuf)> {
    let debian = PathBuf::from(DEBIAN);
    let script = if debian.is_file() {
        debian
    } else {
        find_in_path("rabbitmq-server")?
    };
    Some((script, find_in_path("epmd")?))
}
