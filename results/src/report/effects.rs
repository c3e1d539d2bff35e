//! The order of effects that gets farthest: what state each op leads to, and why none can follow.

use maud::{Markup, html};
use rashomon_core::{Anomaly, History};
use serde_json::Value;

use crate::describe;

/// The most steps that are told in words: the last ones.
const TOLD: usize = 30;

/// An order of the ops of an anomaly, up to where one cannot follow.
#[derive(Debug)]
pub(crate) struct Effects {
    initial: Option<String>,
    pub(crate) steps: Vec<Step>,
    /// Where it ends.
    state: Option<String>,
    /// The ops that cannot follow, with the reason where one is given.
    refused: Vec<(u64, Option<String>)>,
}

/// One op of the order.
#[derive(Debug)]
pub(crate) struct Step {
    /// The index of its invocation.
    pub(crate) op: u64,
    state: Option<String>,
}

impl Effects {
    /// The order that the checker attempted, if it stops at the very op that is shown as illegal. An attempt that stops
    /// elsewhere tells another story than the drawing, and would only confuse.
    pub(crate) fn of(anomaly: &Anomaly, illegal: &[u64]) -> Option<Effects> {
        let details = &anomaly.details;
        let stuck = details.get("stuck").and_then(Value::as_u64).filter(|stuck| illegal.contains(stuck))?;
        let list = |name: &str| details.get(name).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let shown = |name: &str| details.get(name).map(describe::value);
        let order: Vec<u64> = list("order").iter().filter_map(Value::as_u64).collect();
        let states = list("states");
        let known = states.len() == order.len();
        let steps = order.iter().enumerate().map(|(place, op)| Step {
            op: *op,
            state: states.get(place).filter(|_| known).map(describe::value),
        });
        let steps: Vec<Step> = steps.collect();
        let refused = list("impossible").iter().filter_map(|one| {
            let because = one.get("because").and_then(Value::as_str);
            Some((one.get("invoke")?.as_u64()?, because.map(|text| describe::clean(text, 400))))
        });
        let mut refused: Vec<_> = refused.collect();
        if !refused.iter().any(|(op, _)| *op == stuck) {
            refused.insert(0, (stuck, None));
        }
        (!steps.is_empty()).then(|| Effects {
            initial: shown("initial"),
            steps,
            state: shown("state"),
            refused,
        })
    }

    /// The state after an op of the order.
    pub(crate) fn after(&self, op: u64) -> Option<&str> {
        self.steps.iter().find(|step| step.op == op)?.state.as_deref()
    }

    /// For an op that cannot follow: the state in which it would have to, and why it cannot.
    pub(crate) fn refused(&self, op: u64) -> Option<(&str, &str)> {
        let (_, because) = self.refused.iter().find(|(refused, _)| *refused == op)?;
        Some((self.state.as_deref()?, because.as_deref().unwrap_or("it cannot follow")))
    }

    /// The state to which the order leads.
    pub(crate) fn state(&self) -> Option<&str> {
        self.state.as_deref()
    }

    /// The same in words, for those who have no mouse.
    pub(crate) fn told(&self, history: &History) -> Markup {
        let name = |op: u64| {
            history.op(op).map_or_else(
                || format!("op {op}"),
                |invoke| {
                    let (action, result) = describe::in_short(invoke, history.partner_of(invoke));
                    format!("{action} → {result} (op {op})")
                },
            )
        };
        let skipped = self.steps.len().saturating_sub(TOLD);
        html! {
            details.effects open[self.steps.len() <= 8] {
                summary { "The state after each op of the order that gets furthest" }
                ol {
                    @if skipped == 0 {
                        @if let Some(initial) = &self.initial { li value="0" { "at first the state is " b { (initial) } } }
                    }
                    @for (place, step) in self.steps.iter().enumerate().skip(skipped) {
                        li value=(place + 1) {
                            code { (name(step.op)) }
                            @if let Some(state) = &step.state { ": then it is " b { (state) } }
                        }
                    }
                }
                ul {
                    @for (op, because) in &self.refused {
                        li.refused {
                            code { (name(*op)) } " cannot follow"
                            @if let Some(because) = because { ": " (because) }
                        }
                    }
                }
            }
        }
    }
}
