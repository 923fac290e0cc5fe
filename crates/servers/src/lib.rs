//! Private PostgreSQL, RabbitMQ and Redis servers for tests and benchmarks.
