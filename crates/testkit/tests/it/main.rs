//! The helpers against the real servers and programs that they stand for.

mod age;
mod chaos;
mod postgres;
mod process;
mod s3;
mod shared;
