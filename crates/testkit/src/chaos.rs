//! A TCP proxy that makes bad weather: latency, little bandwidth, lost segments, resets, connections that are open on one
//! side alone. The switches work at run time, for connections that are open as well.

mod pump;

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::{JoinHandle, JoinSet},
};

use crate::seed;
use pump::{End, Noise, pump};

/// Which way bytes travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// From the client to the server.
    ToServer,
    /// From the server to the client.
    ToClient,
}

/// What happens to bytes that travel one way. The default is a calm day: nothing.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Weather {
    /// How much later everything arrives.
    pub latency: Duration,
    /// Up to how much later than that, at random; bytes never overtake each other.
    pub jitter: Duration,
    /// At most so many bytes a second, for each connection.
    pub bytes_per_second: Option<u64>,
    /// How likely a read of up to 16 KiB is lost on the way, from 0 to 1: it and all behind it then wait for
    /// [`Self::retransmission`], as TCP makes them.
    pub loss: f64,
    /// How long it takes until a lost segment is sent again.
    pub retransmission: Duration,
    /// Bytes are taken and never arrive, ends of connections neither: each side believes that the other is just silent. A
    /// connection that has lost bytes in this way is reset when this ends.
    pub swallows: bool,
}

/// What the proxy has done so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// Connections that clients opened and that were passed on.
    pub accepted: u64,
    /// Connections that were refused.
    pub refused: u64,
    /// Connections that ended with a reset of ours.
    pub reset: u64,
    /// Bytes that arrived at the server.
    pub bytes_to_server: u64,
    /// Bytes that arrived at clients.
    pub bytes_to_client: u64,
    /// Reads that were lost and sent again.
    pub lost: u64,
    /// Bytes that were taken and never arrived.
    pub swallowed: u64,
}

#[derive(Debug, Default)]
struct Counters {
    accepted: AtomicU64,
    refused: AtomicU64,
    reset: AtomicU64,
    to_server: AtomicU64,
    to_client: AtomicU64,
    lost: AtomicU64,
    swallowed: AtomicU64,
}

#[derive(Debug)]
struct Switches {
    to_server: watch::Sender<Weather>,
    to_client: watch::Sender<Weather>,
    refuses: watch::Sender<bool>,
    /// Counts the calls of [`ChaosProxy::reset_all`].
    resets: watch::Sender<u64>,
    counters: Counters,
}

/// A running proxy in front of one server; dropping it ends all of its connections.
#[derive(Debug)]
pub struct ChaosProxy {
    address: SocketAddr,
    switches: Arc<Switches>,
    task: JoinHandle<()>,
}

impl ChaosProxy {
    /// Starts a proxy in front of `target`, such as `127.0.0.1:5672`. The server need not be there yet. What is random
    /// follows [`seed()`].
    ///
    /// # Panics
    /// When there is no port to listen on.
    pub async fn start(target: impl Into<String>) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .unwrap_or_else(|error| panic!("cannot listen for the chaos proxy: {error}"));
        let address = listener
            .local_addr()
            .unwrap_or_else(|error| panic!("the chaos proxy has no address: {error}"));
        let switches = Arc::new(Switches {
            to_server: watch::Sender::new(Weather::default()),
            to_client: watch::Sender::new(Weather::default()),
            refuses: watch::Sender::new(false),
            resets: watch::Sender::new(0),
            counters: Counters::default(),
        });
        let accepting = accept(listener, target.into(), Arc::clone(&switches), seed());
        Self {
            address,
            switches,
            task: tokio::spawn(accepting),
        }
    }

    /// Where clients connect to.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The port on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Changes the weather in one direction.
    pub fn set(&self, direction: Direction, weather: Weather) {
        let sender = match direction {
            Direction::ToServer => &self.switches.to_server,
            Direction::ToClient => &self.switches.to_client,
        };
        sender.send_replace(weather);
    }

    /// Changes the weather in both directions.
    pub fn set_both(&self, weather: Weather) {
        self.set(Direction::ToServer, weather);
        self.set(Direction::ToClient, weather);
    }

    /// Calm in both directions, and connections are accepted.
    pub fn calm(&self) {
        self.set_both(Weather::default());
        self.refuse(false);
    }

    /// Every connection is accepted or stays open, and nothing ever comes through, both ways, until [`Self::calm`].
    pub fn half_open(&self) {
        self.set_both(Weather {
            swallows: true,
            ..Weather::default()
        });
    }

    /// Whether new connections are reset at once, as a balancer without a backend does. Open ones stay.
    pub fn refuse(&self, refuses: bool) {
        self.switches.refuses.send_replace(refuses);
    }

    /// Resets (RST) all connections that are open, on both sides.
    pub fn reset_all(&self) {
        self.switches.resets.send_modify(|count| *count += 1);
    }

    /// What happened so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let counters = &self.switches.counters;
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Counts {
            accepted: read(&counters.accepted),
            refused: read(&counters.refused),
            reset: read(&counters.reset),
            bytes_to_server: read(&counters.to_server),
            bytes_to_client: read(&counters.to_client),
            lost: read(&counters.lost),
            swallowed: read(&counters.swallowed),
        }
    }
}

impl Drop for ChaosProxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, target: String, switches: Arc<Switches>, seed: u64) {
    // Dropped with this future, and all connections with it.
    let mut connections = JoinSet::new();
    let mut number = 0;
    loop {
        while connections.try_join_next().is_some() {}
        let Ok((client, _)) = listener.accept().await else {
            continue;
        };
        number += 1;
        if *switches.refuses.borrow() {
            switches.counters.refused.fetch_add(1, Ordering::Relaxed);
            reset(&client);
            continue;
        }
        let noise = seed ^ number;
        connections.spawn(connect(
            client,
            target.clone(),
            Arc::clone(&switches),
            noise,
        ));
    }
}

async fn connect(mut client: TcpStream, target: String, switches: Arc<Switches>, seed: u64) {
    // Subscribed before anything is awaited: a reset meanwhile is not missed.
    let mut resets = switches.resets.subscribe();
    resets.mark_unchanged();
    let counters = &switches.counters;
    let Ok(mut server) = TcpStream::connect(&target).await else {
        counters.refused.fetch_add(1, Ordering::Relaxed);
        return reset(&client);
    };
    counters.accepted.fetch_add(1, Ordering::Relaxed);
    // What is small goes out at once: delays are made here alone. A failure is one of the connection, seen below.
    let _ = client.set_nodelay(true);
    let _ = server.set_nodelay(true);
    let end = {
        let (mut from_client, mut to_client) = client.split();
        let (mut from_server, mut to_server) = server.split();
        let up = pump(
            &mut from_client,
            &mut to_server,
            (switches.to_server.subscribe(), &counters.to_server),
            counters,
            Noise::new(seed),
        );
        let down = pump(
            &mut from_server,
            &mut to_client,
            (switches.to_client.subscribe(), &counters.to_client),
            counters,
            Noise::new(!seed),
        );
        tokio::select! {
            ends = async { tokio::try_join!(up, down) } => ends.map(drop),
            _ = resets.changed() => Err(End),
        }
    };
    if end.is_err() {
        counters.reset.fetch_add(1, Ordering::Relaxed);
        reset(&client);
        reset(&server);
    }
}

/// The connection then ends with RST instead of FIN when it is dropped.
fn reset(stream: &TcpStream) {
    // It fails only on a connection that is gone.
    let _ = stream.set_zero_linger();
}
