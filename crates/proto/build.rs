//! Turns `proto/` into Rust, without a protoc of the system.

use std::{env, error::Error, fs, path::PathBuf};

/// Messages with a secret in them: what is generated shows nothing, `src/secret.rs` shows the rest.
const SECRET: [&str; 12] = [
    "GoogleCredential",
    "S3Credential",
    "IssueAccessTokenRequest",
    "IssueAccessTokenResponse",
    "KeepAliveRequest",
    "RevealBucketKeysRequest",
    "RevealBucketKeysResponse",
    "SignRequest",
    "GetSigningKeyRequest",
    "OAuthClient",
    "BeginSignInResponse",
    "FinishSignInRequest",
];

fn main() -> Result<(), Box<dyn Error>> {
    let root = "../../proto";
    println!("cargo::rerun-if-changed={root}");
    let files = ["tintype/jobs/v1/job.proto", "tintype/vault/v1/vault.proto"];
    let descriptors = protox::compile(files, [root])?;
    let out = PathBuf::from(env::var("OUT_DIR")?);
    fs::write(
        out.join("descriptors.bin"),
        protox::prost::Message::encode_to_vec(&descriptors),
    )?;
    let secret = SECRET.iter();
    tonic_prost_build::configure()
        .skip_debug(secret.map(|name| format!(".tintype.vault.v1.{name}")))
        .compile_fds(descriptors)?;
    Ok(())
}
