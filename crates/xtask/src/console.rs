//! What a chore says while it works: plain lines on stderr, so that stdout stays the tests' own.

/// Says what happens next.
pub(crate) fn step(text: &str) {
    eprintln!("xtask: {text}");
}

/// Says why a chore failed, with every cause.
pub(crate) fn failure(error: &anyhow::Error) {
    eprintln!("xtask: error: {error:#}");
}
