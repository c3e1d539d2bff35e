//! Faults as they happened once: the same nodes and links at the same times.

use std::collections::VecDeque;

use rashomon_core::{FaultId, Time};

use super::Order;
use crate::plan::RecordedFault;

#[derive(Debug)]
pub(super) struct RecordedFaults {
    /// What is to be done, in order of time.
    orders: VecDeque<(Time, Order)>,
}

impl RecordedFaults {
    pub(super) fn new(faults: &[RecordedFault]) -> RecordedFaults {
        let mut orders = Vec::new();
        for (number, recorded) in faults.iter().enumerate() {
            let id = FaultId(recorded.id.unwrap_or(number as u32));
            let (fault, disruption) = (recorded.fault.clone(), recorded.disruption.clone());
            orders.push((Time::ZERO + recorded.at, Order::Inject { id, fault, disruption }));
            if let Some(until) = recorded.until {
                orders.push((Time::ZERO + until.max(recorded.at), Order::Heal { id }));
            }
        }
        // Stable: what begins and ends at one instant begins first.
        orders.sort_by_key(|(at, _)| *at);
        RecordedFaults { orders: orders.into() }
    }

    pub(super) fn next_due(&self) -> Option<Time> {
        self.orders.front().map(|(at, _)| *at)
    }

    pub(super) fn due(&mut self, now: Time) -> Vec<Order> {
        let count = self.orders.partition_point(|(at, _)| *at <= now);
        self.orders.drain(..count).map(|(_, order)| order).collect()
    }
}
