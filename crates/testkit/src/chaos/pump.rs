//! One direction of one connection: a reader that stamps what it reads with the time of its arrival, and a writer that waits
//! for it.

use std::{
    io,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::tcp::{ReadHalf, WriteHalf},
    sync::{mpsc, watch},
    time::{Instant, sleep, sleep_until},
};

use super::{Counters, Weather};

const CHUNK: usize = 16 * 1024;
/// Chunks under way in one direction: what does not fit stays with the sender, as in a full window.
const UNDER_WAY: usize = 64;
/// A slow line sends pieces this often.
const PIECES_PER_SECOND: u64 = 20;

/// The connection ends with a reset.
pub(super) struct End;

impl From<io::Error> for End {
    fn from(_: io::Error) -> Self {
        Self
    }
}

/// Numbers that only look random (splitmix64), so that a seed repeats them.
pub(super) struct Noise(u64);

impl Noise {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number in `0.0..1.0`.
    fn unit(&mut self) -> f64 {
        let bits = u32::try_from(self.next() >> 32).unwrap_or(0);
        f64::from(bits) / (f64::from(u32::MAX) + 1.0)
    }
}

/// Bytes and when they arrive.
type Chunk = (Instant, Vec<u8>);

/// Passes bytes on until the sender ends, and then ends the receiver's side.
pub(super) async fn pump(
    reader: &mut ReadHalf<'_>,
    writer: &mut WriteHalf<'_>,
    (weather, arrived): (watch::Receiver<Weather>, &AtomicU64),
    counters: &Counters,
    noise: Noise,
) -> Result<(), End> {
    let (sender, receiver) = mpsc::channel(UNDER_WAY);
    tokio::try_join!(
        read(reader, sender, weather.clone(), counters, noise),
        write(writer, receiver, weather, (arrived, &counters.swallowed)),
    )?;
    Ok(())
}

async fn read(
    reader: &mut ReadHalf<'_>,
    chunks: mpsc::Sender<Chunk>,
    weather: watch::Receiver<Weather>,
    counters: &Counters,
    mut noise: Noise,
) -> Result<(), End> {
    let mut buffer = vec![0; CHUNK];
    let mut earliest = Instant::now();
    loop {
        let count = reader.read(&mut buffer).await?;
        if count == 0 {
            return Ok(());
        }
        let now = *weather.borrow();
        let mut delay = now.latency + now.jitter.mul_f64(noise.unit());
        if now.loss > 0.0 && noise.unit() < now.loss {
            counters.lost.fetch_add(1, Ordering::Relaxed);
            delay += now.retransmission;
        }
        // Never before what was sent earlier.
        earliest = earliest.max(Instant::now() + delay);
        let chunk = (earliest, buffer[..count].to_vec());
        if chunks.send(chunk).await.is_err() {
            return Err(End);
        }
    }
}

async fn write(
    writer: &mut WriteHalf<'_>,
    mut chunks: mpsc::Receiver<Chunk>,
    mut weather: watch::Receiver<Weather>,
    (arrived, swallowed): (&AtomicU64, &AtomicU64),
) -> Result<(), End> {
    let mut has_lost_bytes = false;
    loop {
        let now = *weather.borrow_and_update();
        if has_lost_bytes && !now.swallows {
            return Err(End);
        }
        let chunk = tokio::select! {
            chunk = chunks.recv() => chunk,
            changed = weather.changed() => {
                changed.map_err(|_| End)?;
                continue;
            }
        };
        match chunk {
            Some((at, bytes)) => {
                sleep_until(at).await;
                if weather.borrow().swallows {
                    has_lost_bytes = true;
                    swallowed.fetch_add(bytes.len() as u64, Ordering::Relaxed);
                } else if has_lost_bytes {
                    return Err(End);
                } else {
                    pass_on(writer, &bytes, &weather, arrived).await?;
                }
            }
            // The end of the sender is swallowed like anything else.
            None if weather.borrow().swallows || has_lost_bytes => {
                weather
                    .wait_for(|now| !now.swallows)
                    .await
                    .map_err(|_| End)?;
                return Err(End);
            }
            None => {
                writer.shutdown().await?;
                return Ok(());
            }
        }
    }
}

/// Writes in pieces that keep to the bandwidth.
async fn pass_on(
    writer: &mut WriteHalf<'_>,
    bytes: &[u8],
    weather: &watch::Receiver<Weather>,
    arrived: &AtomicU64,
) -> Result<(), End> {
    let mut rest = bytes;
    while !rest.is_empty() {
        let rate = weather.borrow().bytes_per_second;
        let piece = rate.map_or(rest.len() as u64, |rate| (rate / PIECES_PER_SECOND).max(1));
        let count = usize::try_from(piece).unwrap_or(usize::MAX).min(rest.len());
        let (now, later) = rest.split_at(count);
        writer.write_all(now).await?;
        arrived.fetch_add(count as u64, Ordering::Relaxed);
        if let Some(rate) = rate {
            let bytes = u32::try_from(count).unwrap_or(u32::MAX);
            sleep(Duration::from_secs(1) * bytes / u32::try_from(rate.max(1)).unwrap_or(u32::MAX))
                .await;
        }
        rest = later;
    }
    Ok(())
}
