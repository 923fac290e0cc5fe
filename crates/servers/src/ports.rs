//! Free ports that stay free while a server is down.

use std::{
    hash::{BuildHasher as _, RandomState},
    io,
    net::{Ipv4Addr, TcpListener},
};

/// Below the range that systems take the ports of outgoing connections from: while a server restarts, no connection and no
/// `bind(0)` of another process sits down on its port.
const FIRST: u16 = 20_000;
const COUNT: u16 = 10_000;

/// A port of this machine that nobody listens on, and that no connection takes meanwhile: for a process that is told where to
/// listen.
///
/// # Errors
/// When all are taken.
pub fn free() -> io::Result<u16> {
    let start = RandomState::new().hash_one(std::process::id()) % u64::from(COUNT);
    let start = u16::try_from(start).unwrap_or(0);
    for step in 0..COUNT {
        let port = FIRST + (start + step) % COUNT;
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return Ok(port);
        }
    }
    Err(io::Error::new(
        io::ErrorKind::AddrInUse,
        "no free port between 20000 and 29999",
    ))
}
