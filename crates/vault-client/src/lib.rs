//! The vault port over gRPC.
