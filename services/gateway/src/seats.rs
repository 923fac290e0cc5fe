//! Seats for streams: so many in all, and so many of them for one tenant.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tintype_model::TenantId;

/// Who has how many seats.
#[derive(Debug)]
pub(crate) struct Seats {
    most: usize,
    most_of_one: usize,
    taken: Mutex<HashMap<TenantId, usize>>,
}

/// A seat, until it is dropped.
#[derive(Debug)]
pub(crate) struct Seat {
    seats: Arc<Seats>,
    tenant: TenantId,
}

impl Seats {
    pub(crate) fn new(most: usize, most_of_one: usize) -> Arc<Self> {
        Arc::new(Self {
            most,
            most_of_one,
            taken: Mutex::default(),
        })
    }

    fn taken(&self) -> MutexGuard<'_, HashMap<TenantId, usize>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A seat for the tenant; `None` when it has all of its own, or all are taken.
    pub(crate) fn take(self: &Arc<Self>, tenant: TenantId) -> Option<Seat> {
        let mut taken = self.taken();
        let own = taken.get(&tenant).copied().unwrap_or_default();
        if own >= self.most_of_one || taken.values().sum::<usize>() >= self.most {
            return None;
        }
        taken.insert(tenant, own + 1);
        metrics::gauge!("tintype_http_streams_open").increment(1.0);
        Some(Seat {
            seats: Arc::clone(self),
            tenant,
        })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        metrics::gauge!("tintype_http_streams_open").decrement(1.0);
        let mut taken = self.seats.taken();
        if let Some(own) = taken.get_mut(&self.tenant) {
            *own -= 1;
            if *own == 0 {
                taken.remove(&self.tenant);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tenant(number: u8) -> TenantId {
        TenantId::new(chrono::DateTime::UNIX_EPOCH, [number; 10])
    }

    #[test]
    fn one_tenant_leaves_seats_to_the_others() {
        let seats = Seats::new(3, 2);
        let (first, _second) = (seats.take(tenant(1)).unwrap(), seats.take(tenant(1)));
        assert!(seats.take(tenant(1)).is_none());
        let _third = seats.take(tenant(2)).unwrap();
        assert!(seats.take(tenant(2)).is_none(), "all are taken");
        drop(first);
        assert!(seats.take(tenant(1)).is_some());
    }

    #[test]
    fn who_has_no_seat_is_forgotten() {
        let seats = Seats::new(3, 2);
        drop(seats.take(tenant(1)));
        assert!(seats.taken().is_empty());
    }
}
