//! A new migration makes the crate compile again; the macro that embeds them notices only changed ones.

fn main() {
    println!("cargo:rerun-if-changed=../../migrations/vault");
}
