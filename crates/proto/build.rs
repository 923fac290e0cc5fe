//! Generates the code of every contract under `proto/`. No system protoc is needed.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let root = "../../proto";
    println!("cargo:rerun-if-changed={root}");
    let files = protox::compile(["tintype/jobs/v1/job.proto"], [root])?;
    tonic_prost_build::configure().compile_fds(files)?;
    Ok(())
}
