//! The vault's gRPC door.
