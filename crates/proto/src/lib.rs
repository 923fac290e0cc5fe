//! The contracts between services, generated from `proto/`.
