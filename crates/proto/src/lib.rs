//! The contracts between services, generated from `proto/`.

/// What travels in the job queue.
pub mod jobs {
    /// Version 1.
    pub mod v1 {
        tonic::include_proto!("tintype.jobs.v1");
    }
}
