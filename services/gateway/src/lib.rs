//! The gateway: the REST API.
