//! The API over real HTTP: the gateway on a SQLite catalogue and the emulator, with the engine running behind it.

mod checklist;
mod conventions;
mod door;
mod events;
mod health;
mod hostile;
mod keyed;
mod looking;
mod picks;
mod proxy;
mod sign_in;
mod storages;
mod uploads;
mod way;
mod world;
