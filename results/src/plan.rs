//! A plan as far as it is shown.

use serde_json::Value;

use crate::describe;

/// A stored plan, read leniently: what is missing or of another shape is simply not shown.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PlanView<'a> {
    plan: &'a Value,
}

impl<'a> PlanView<'a> {
    pub(crate) fn new(plan: &'a Value) -> PlanView<'a> {
        PlanView { plan }
    }

    fn text(self, field: &str) -> Option<String> {
        match self.plan.get(field)? {
            Value::Null => None,
            Value::String(text) => Some(describe::clean(text, 200)),
            other => Some(describe::value(other)),
        }
    }

    pub(crate) fn system(self) -> Option<String> {
        self.text("system")
    }

    pub(crate) fn workload(self) -> Option<String> {
        self.text("workload")
    }

    pub(crate) fn seed(self) -> Option<String> {
        self.text("seed")
    }

    pub(crate) fn nodes(self) -> Option<u64> {
        self.plan.get("nodes").and_then(Value::as_u64)
    }

    pub(crate) fn concurrency(self) -> Option<u64> {
        self.plan.get("concurrency").and_then(Value::as_u64).filter(|clients| *clients > 0)
    }

    pub(crate) fn bugs(self) -> Option<String> {
        let bugs = self.plan.get("bugs")?.as_array()?;
        let names: Vec<String> =
            bugs.iter().filter_map(Value::as_str).map(|name| describe::clean(name, 60)).collect();
        (!names.is_empty()).then(|| names.join(", "))
    }

    /// The shell command that repeats the run, whole: a command that was cut would not run.
    pub(crate) fn command(self) -> Option<String> {
        self.plan.get("command")?.as_str().map(|command| describe::clean(command, 4096))
    }

    /// What the nemesis was to do, in a line.
    pub(crate) fn nemesis(self) -> Option<String> {
        let nemesis = self.plan.get("nemesis")?;
        if let Some(script) = nemesis.get("script").and_then(Value::as_array) {
            return Some(format!("scripted: {}", describe::counted(script.len() as u64, "step", "steps")));
        }
        let kinds = nemesis.get("kinds")?.as_array()?;
        let names: Vec<&str> = kinds.iter().filter_map(Value::as_str).collect();
        if names.is_empty() {
            return Some("none".to_owned());
        }
        let every = nemesis.get("interval").and_then(Value::as_str);
        let every = every.map(|every| format!(", one every {every} on the average")).unwrap_or_default();
        Some(describe::clean(&format!("{}{every}", names.join(", ")), 300))
    }

    /// Every field that a person may want to see, named, in order.
    pub(crate) fn rows(self) -> Vec<(&'static str, String)> {
        let fields = [
            ("system", self.system()),
            ("nodes", self.text("nodes")),
            ("workload", self.workload()),
            ("nemesis", self.nemesis()),
            ("time limit", self.text("time-limit")),
            ("rate", self.rate()),
            ("clients", self.text("concurrency")),
            ("seed", self.seed()),
            ("bugs", self.bugs()),
            ("options", self.text("options").filter(|options| options != "{}")),
        ];
        fields.into_iter().filter_map(|(name, value)| value.map(|value| (name, value))).collect()
    }

    fn rate(self) -> Option<String> {
        match self.plan.get("rate")?.as_u64() {
            Some(0) => Some("as fast as the clients can".to_owned()),
            Some(rate) => Some(format!("{} ops/s", describe::count(rate))),
            None => self.text("rate"),
        }
    }
}
