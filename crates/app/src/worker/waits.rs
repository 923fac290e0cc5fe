//! What an item's trace tells of the time in which it waits for others: the commit and the record of a group.
//!
//! A group serves many items, of several runs and so of several traces. Each item's own span covers its wait, rather than one
//! span of the group with a link to each item: a trace then shows where the time of this photo went without looking up another
//! trace, nothing grows with the size of the group, and where no trace is recorded there is nothing to make. How many shared the
//! work stands in `group.items`.

use tracing::{Span, debug_span, field::Empty};

/// The waits of one item that was handed to the committer.
pub(crate) struct Waits {
    item: Span,
    now: Span,
}

impl Waits {
    /// From now on the item waits for its group to be durable.
    pub(crate) fn new(item: Span) -> Self {
        let now = item.in_scope(|| debug_span!("item.commit", group.items = Empty));
        Self { item, now }
    }

    /// Its group, of so many items, is durable; from now on it waits to be recorded. Ends when dropped.
    pub(crate) fn committed(&mut self, group: usize) {
        self.now.record("group.items", group);
        // The one ends before the other begins.
        self.now = Span::none();
        self.now = self
            .item
            .in_scope(|| debug_span!("item.record", group.items = Empty));
    }

    /// It is recorded together with so many.
    pub(crate) fn recorded(&self, group: usize) {
        self.now.record("group.items", group);
    }
}
