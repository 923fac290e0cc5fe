//! What a span may say. Whatever is not listed here never leaves the process: a secret, an address, the name of a file or
//! what Google said of an item cannot become an attribute by mistake.

use opentelemetry::{Value, trace::Status};
use opentelemetry_sdk::trace::SpanData;

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// A whole number.
    Number,
    /// An id of ours, or a word of our own or of a standard.
    Word,
}

use Form::{Number, Word};

/// The names that may leave, in order.
const ALLOWED: &[(&str, Form)] = &[
    ("error.kind", Word),
    ("group.items", Number),
    ("http.request.method", Word),
    ("http.response.status_code", Number),
    ("item.attempt", Number),
    ("item.bytes", Number),
    ("item.kind", Word),
    ("item.seq", Number),
    ("lease.epoch", Number),
    ("manifest.bytes", Number),
    ("manifest.items", Number),
    ("page.items", Number),
    ("page.news", Number),
    ("peer.identity", Word),
    ("plan.id", Word),
    ("quota.kind", Word),
    ("rpc.code", Word),
    ("rpc.method", Word),
    ("rpc.system", Word),
    ("run.id", Word),
    ("run.mode", Word),
    ("shard.id", Word),
    ("shard.items", Number),
    ("shard.kind", Word),
    ("tenant.id", Word),
];

/// No word of ours is longer; what is longer is something else.
const LONGEST: usize = 160;

/// Drops what may not leave.
pub(super) fn keep_allowed(span: &mut SpanData) {
    span.attributes.retain_mut(|attribute| {
        let place = ALLOWED.binary_search_by_key(&attribute.key.as_str(), |it| it.0);
        let fitting = place
            .ok()
            .and_then(|at| fitting(&attribute.value, ALLOWED[at].1));
        let Some(value) = fitting else {
            return false;
        };
        attribute.value = value;
        true
    });
    span.events.events.clear();
    if matches!(span.status, Status::Error { .. }) {
        // The kind of error is an attribute; its text may name anything.
        span.status = Status::error("");
    }
}

fn fitting(value: &Value, form: Form) -> Option<Value> {
    match (form, value) {
        (Number, Value::I64(number)) => Some(Value::I64(*number)),
        // What has no sign comes as text.
        (Number, Value::String(text)) => text.as_str().parse().ok().map(Value::I64),
        (Word, Value::String(text)) if is_word(text.as_str()) => Some(Value::String(text.clone())),
        _ => None,
    }
}

/// Without spaces, and not too long.
fn is_word(text: &str) -> bool {
    text.len() <= LONGEST && text.chars().all(|it| it.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_in_order_for_the_search() {
        assert!(ALLOWED.is_sorted_by_key(|it| it.0));
    }

    #[test]
    fn values_have_the_form_of_their_name() {
        let text = |text: &str| Value::String(text.to_owned().into());
        assert_eq!(fitting(&text("42"), Number), Some(Value::I64(42)));
        assert_eq!(fitting(&text("IMG_1.JPG"), Number), None);
        assert_eq!(fitting(&text("Transfer"), Word), Some(text("Transfer")));
        assert_eq!(fitting(&text("my holiday.jpg"), Word), None);
        assert_eq!(fitting(&text(&"x".repeat(LONGEST + 1)), Word), None);
    }
}
