//! Private PostgreSQL, RabbitMQ and Redis servers for tests and benchmarks: temporary folders, free ports, gone when dropped.
//!
//! Programs are found where they are installed, or installed with apt-get when this is root; else the error says what to
//! install. Should the owner be killed, a guard process ends its servers.

mod apt;
mod command;
mod files;
mod http;
pub mod ports;
mod postgres;
mod process;
mod rabbitmq;
mod redis;
mod server;

pub use apt::{Apt, is_root};
pub use command::{describe, output};
pub use files::find_in_path;
pub use http::{Answer, Management};
pub use postgres::{Durability, Postgres};
pub use rabbitmq::RabbitMq;
pub use redis::Redis;
pub use server::{Program, Server};
