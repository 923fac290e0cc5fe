//! Prints the page of all metrics; `cargo xtask metrics` keeps it in the repository.

fn main() {
    print!("{}", tintype_runtime::metrics::page());
}
