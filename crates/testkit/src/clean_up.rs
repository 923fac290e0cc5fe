//! Asynchronous work in a `drop`.

use std::thread;

use tokio::runtime;

/// Does `work` to its end. What goes wrong is said, not raised: the test has its verdict already.
pub(crate) fn now(what: &str, work: impl Future<Output = Result<(), String>> + Send + 'static) {
    // A thread of its own: this may run inside a runtime, which must not be blocked on from within.
    let done = thread::spawn(move || {
        let runtime = runtime::Builder::new_current_thread().enable_all().build();
        runtime.map_err(|error| error.to_string())?.block_on(work)
    });
    match done.join() {
        Ok(Ok(())) => {}
        Ok(Err(error)) => eprintln!("cannot remove {what}: {error}"),
        Err(_) => eprintln!("cannot remove {what}: the thread panicked"),
    }
}
