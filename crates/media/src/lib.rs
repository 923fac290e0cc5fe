//! What a file's bytes say about themselves, learned while they stream past: is it whole, what is it, where was it taken.
//! And which files Google Photos takes. CPU only, no I/O, bounded memory.

pub mod accepted;
mod bits;
mod bmff;
mod gif;
mod inspect;
mod jpeg;
mod location;
mod png;
mod riff;
mod sniff;
mod tail;

pub use inspect::{Inspector, MediaFacts, MediaFault};
pub use sniff::Container;
