//! The engine on real parts: a SQLite catalogue, the vault, a folder archive, and Google over HTTP (the emulator).

mod backup;
mod damage;
mod fairness;
mod health;
mod mirror;
mod originals;
mod picks;
mod poison;
mod proxy;
mod steering;
mod traces;
mod upload;
mod upload_faults;
mod upload_origins;
mod waiting;
mod world;
mod writer;
