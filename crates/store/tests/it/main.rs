//! Both catalogues keep the promises of the port, and their tables keep those of the migrations.

mod postgres;
mod readers;
mod row_level_security;
mod samples;
mod sqlite;
