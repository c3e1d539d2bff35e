//! The numbers that a plan sets, checked before a node uses them.

use std::time::Duration;

use rashomon_core::{BootError, OptionInfo, Setup};

/// The options of a node, none of them unknown to its chapter.
pub(crate) struct Options<'a> {
    setup: &'a Setup,
}

/// A node that cannot start, and why.
pub(crate) fn refused<T>(reason: impl Into<String>) -> Result<T, BootError> {
    Err(BootError(reason.into()))
}

impl<'a> Options<'a> {
    /// Refuses an option that the chapter does not have, and a node that is not of its cluster.
    pub(crate) fn of(
        setup: &'a Setup,
        chapter: &str,
        known: &[OptionInfo],
    ) -> Result<Options<'a>, BootError> {
        if let Some(name) = setup.options.keys().find(|name| known.iter().all(|info| info.name != *name)) {
            let known: Vec<&str> = known.iter().map(|info| info.name).collect();
            let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
            return refused(format!("{chapter} has no option `{name}`; it has {known}"));
        }
        if !setup.nodes.contains(&setup.me) {
            return refused(format!("{} is not a node of the cluster", setup.me));
        }
        Ok(Options { setup })
    }

    /// A number of which 0 is one.
    pub(crate) fn number(&self, info: &OptionInfo) -> Result<u64, BootError> {
        self.setup.option(info)
    }

    /// A number above 0.
    pub(crate) fn positive(&self, info: &OptionInfo) -> Result<u64, BootError> {
        match self.setup.option(info)? {
            0 => refused(format!("option `{}` is 0; it must be at least 1", info.name)),
            number => Ok(number),
        }
    }

    /// A time above 0, given in milliseconds.
    pub(crate) fn milliseconds(&self, info: &OptionInfo) -> Result<Duration, BootError> {
        self.positive(info).map(Duration::from_millis)
    }

    /// Refuses two options of which the first must be below the second.
    pub(crate) fn below(&self, smaller: &OptionInfo, larger: &OptionInfo) -> Result<(), BootError> {
        if self.number(smaller)? < self.number(larger)? {
            return Ok(());
        }
        refused(format!("option `{}` must be below `{}`", smaller.name, larger.name))
    }
}

#[cfg(test)]
mod tests {
    use rashomon_core::{Map, NodeId, Value};

    use super::*;

    const PING: OptionInfo = OptionInfo { name: "ping", summary: "", default: 50 };
    const DEAD: OptionInfo = OptionInfo { name: "dead", summary: "", default: 300 };

    /// Why the options are refused; empty when they are not.
    fn reason(me: u16, options: &[(&str, Value)]) -> String {
        let options: Map<String, Value> =
            options.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        let setup = Setup { me: NodeId(me), nodes: NodeId::first(3), bugs: Vec::new(), options };
        let checked = Options::of(&setup, "town", &[PING, DEAD]).and_then(|options| {
            options.milliseconds(&PING)?;
            options.below(&PING, &DEAD)
        });
        checked.err().map_or_else(String::new, |error| error.to_string())
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_the_reason() {
        assert_eq!(reason(1, &[]), "");
        assert_eq!(reason(3, &[("ping", 299.into())]), "");
        assert_eq!(reason(4, &[]), "n4 is not a node of the cluster");
        assert_eq!(reason(1, &[("pong", 5.into())]), "town has no option `pong`; it has ping, dead");
        assert_eq!(reason(1, &[("ping", 0.into())]), "option `ping` is 0; it must be at least 1");
        assert_eq!(reason(1, &[("ping", 300.into())]), "option `ping` must be below `dead`");
        assert!(reason(1, &[("ping", "x".into())]).contains("takes a non-negative integer"));
    }
}
