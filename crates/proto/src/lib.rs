//! The contracts between services, generated from `proto/`, and what goes with them: claims of grants, refusals.

#[cfg(test)]
mod tests;

pub mod grant;
pub mod refusal;
mod secret;

/// What travels in the job queue.
pub mod jobs {
    /// Version 1.
    pub mod v1 {
        tonic::include_proto!("tintype.jobs.v1");
    }
}

/// The vault's door.
pub mod vault {
    /// Version 1.
    #[expect(
        clippy::allow_attributes,
        clippy::allow_attributes_without_reason,
        reason = "generated code allows what it needs"
    )]
    pub mod v1 {
        tonic::include_proto!("tintype.vault.v1");
    }
}

/// All contracts as an encoded `google.protobuf.FileDescriptorSet`, for reflection.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));
