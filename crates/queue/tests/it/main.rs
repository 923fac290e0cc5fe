//! Every queue keeps the promises of the port, and the broker's keeps them in bad weather.

mod broker;
mod line;
mod memory;
mod rabbitmq;
mod reality;
mod weather;
