//! One connection to the broker that is made again whenever it is lost, with growing pauses.

use std::{sync::Arc, time::Duration};

use futures::StreamExt as _;
use lapin::{Channel, Connection, ConnectionProperties, uri::AMQPUri};
use tintype_ports::clock::Entropy;
use tokio::sync::{Notify, watch};
use tokio_util::task::AbortOnDropHandle;

use super::{
    failure::{Failure, within},
    settings::RabbitSettings,
    topology::Topology,
};

/// How often a connection is looked at, should its end not be told.
const LOOK: Duration = Duration::from_millis(500);
/// A connection under suspicion may not even close.
const CLOSE_WITHIN: Duration = Duration::from_secs(1);
/// AMQP's code for an end without a fault.
const REQUESTED: u16 = 200;

#[derive(Clone)]
enum State {
    /// There is no connection; why the last attempt failed, where there was one.
    Down(Option<Arc<Failure>>),
    Up(Arc<Connection>),
    Closed,
}

/// Keeps a connection for one purpose: publishing and consuming have one each, so that a broker that slows publishers down
/// does not slow acknowledgements down.
pub(super) struct Link {
    settings: Arc<RabbitSettings>,
    topology: Arc<Topology>,
    state: Arc<watch::Sender<State>>,
    suspicion: Arc<Notify>,
    _keeper: AbortOnDropHandle<()>,
}

impl Link {
    /// Starts to connect, in the background.
    pub(super) fn start(
        purpose: &'static str,
        uri: AMQPUri,
        settings: Arc<RabbitSettings>,
        topology: Arc<Topology>,
        entropy: Arc<dyn Entropy>,
    ) -> Self {
        let state = Arc::new(watch::Sender::new(State::Down(None)));
        let suspicion = Arc::new(Notify::new());
        let keeper = Keeper {
            purpose,
            uri,
            settings: Arc::clone(&settings),
            topology: Arc::clone(&topology),
            entropy,
            state: Arc::clone(&state),
            suspicion: Arc::clone(&suspicion),
        };
        Self {
            settings,
            topology,
            state,
            suspicion,
            _keeper: AbortOnDropHandle::new(tokio::spawn(keeper.keep())),
        }
    }

    /// The connection; waits a little while there is none.
    pub(super) async fn connection(&self) -> Result<Arc<Connection>, Failure> {
        let mut state = self.state.subscribe();
        let ready = state.wait_for(|state| !matches!(state, State::Down(_)));
        let waited = tokio::time::timeout(self.settings.patience, ready).await;
        let now = match waited {
            Ok(Ok(state)) => state.clone(),
            _ => self.state.borrow().clone(),
        };
        match now {
            State::Up(connection) => Ok(connection),
            State::Down(why) => Err(Failure::NotConnected(why)),
            State::Closed => Err(Failure::Closed),
        }
    }

    /// Whether there is a connection right now.
    pub(super) fn is_up(&self) -> bool {
        matches!(&*self.state.borrow(), State::Up(line) if line.status().connected())
    }

    /// Whether it was closed for good.
    pub(super) fn is_closed(&self) -> bool {
        matches!(*self.state.borrow(), State::Closed)
    }

    /// A new channel on the connection.
    pub(super) async fn channel(&self) -> Result<Channel, Failure> {
        let connection = self.connection().await?;
        let channel = within(self.settings.answer_within, connection.create_channel()).await;
        channel.inspect_err(|failure| self.heed(failure))
    }

    /// Declares everything again, after something was found missing.
    pub(super) async fn declare(&self) -> Result<(), Failure> {
        let connection = self.connection().await?;
        let declared = self.topology.declare(&connection);
        within(self.settings.answer_within, declared)
            .await
            .inspect_err(|failure| self.heed(failure))
    }

    /// Resolves once the link is not up any more, or up with another connection than now.
    pub(super) async fn lost(&self) {
        let mut state = self.state.subscribe();
        if matches!(*state.borrow_and_update(), State::Up(_)) {
            // The sender lives as long as this link.
            let _ = state.changed().await;
        }
    }

    /// A connection that is late with an answer is taken for dead: it may be open on our side alone.
    pub(super) fn heed(&self, failure: &Failure) {
        if matches!(failure, Failure::Late(_)) {
            self.suspicion.notify_one();
        }
    }

    /// Ends the connection for good.
    pub(super) async fn close(&self) {
        let before = self.state.send_replace(State::Closed);
        self.suspicion.notify_one();
        if let State::Up(connection) = before {
            close(&connection).await;
        }
    }
}

async fn close(connection: &Connection) {
    let closed = connection.close(REQUESTED, "bye".into());
    if let Err(error) = within(CLOSE_WITHIN, closed).await {
        tracing::debug!(%error, "a connection to the broker did not close in order");
    }
}

struct Keeper {
    purpose: &'static str,
    uri: AMQPUri,
    settings: Arc<RabbitSettings>,
    topology: Arc<Topology>,
    entropy: Arc<dyn Entropy>,
    state: Arc<watch::Sender<State>>,
    suspicion: Arc<Notify>,
}

impl Keeper {
    async fn keep(self) {
        let connected = metrics::gauge!("tintype_queue_connected", "purpose" => self.purpose);
        let mut pause = self.settings.first_pause;
        connected.set(0.0);
        loop {
            match within(self.settings.connect_within, self.open()).await {
                Ok(connection) => {
                    tracing::info!(purpose = self.purpose, "connected to the broker");
                    pause = self.settings.first_pause;
                    if !self.change(State::Up(Arc::clone(&connection))) {
                        return close(&connection).await;
                    }
                    connected.set(1.0);
                    self.until_lost(&connection).await;
                    connected.set(0.0);
                    let is_open = self.change(State::Down(None));
                    close(&connection).await;
                    if !is_open {
                        return;
                    }
                    tracing::warn!(purpose = self.purpose, "lost the connection to the broker");
                }
                Err(failure) => {
                    let why: &dyn std::error::Error = &failure;
                    tracing::warn!(
                        purpose = self.purpose,
                        error = why,
                        "cannot connect to the broker"
                    );
                    if !self.change(State::Down(Some(Arc::new(failure)))) {
                        return;
                    }
                }
            }
            // Between half and all of it, so that many processes do not come back at once.
            tokio::time::sleep(pause.mul_f64(0.5 + self.entropy.unit() / 2.0)).await;
            pause = (pause * 2).min(self.settings.longest_pause);
        }
    }

    async fn open(&self) -> Result<Arc<Connection>, Failure> {
        let name = format!("tintype {}", self.purpose);
        let properties = ConnectionProperties::default().with_connection_name(name.into());
        let connection = Connection::connect_uri(self.uri.clone(), properties).await?;
        self.topology.declare(&connection).await?;
        Ok(Arc::new(connection))
    }

    /// Says whether the link is still wanted.
    fn change(&self, to: State) -> bool {
        self.state.send_if_modified(|state| {
            let is_open = !matches!(state, State::Closed);
            if is_open {
                *state = to;
            }
            is_open
        })
    }

    async fn until_lost(&self, connection: &Connection) {
        let mut events = std::pin::pin!(connection.events_listener());
        while connection.status().connected() {
            tokio::select! {
                // An error may be that of one channel, which the connection outlives: the loop's condition tells.
                event = events.next() => {
                    if event.is_none() {
                        return;
                    }
                }
                () = self.suspicion.notified() => return,
                () = tokio::time::sleep(LOOK) => {}
            }
        }
    }
}
