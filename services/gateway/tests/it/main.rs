//! The API over real HTTP: the gateway on a SQLite catalogue and the emulator, with the engine running behind it.

mod conventions;
mod door;
mod events;
mod hostile;
mod keyed;
mod looking;
mod way;
mod world;
