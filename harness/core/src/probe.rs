//! What a node says about itself, for the eyes of the harness alone.
//!
//! A simulated run emits hundreds of thousands of probes, so the names that stand in the program's text are not copied.

use std::borrow::Cow;
use std::fmt;
use std::ops::Index;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

/// Something a node says about itself: `leader`, `vote`, `commit`, ...
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Probe {
    /// What happened.
    pub probe: Name,
    /// The particulars.
    #[serde(flatten)]
    pub fields: Fields,
}

impl Probe {
    /// A probe without fields.
    pub fn new(name: impl Into<Name>) -> Probe {
        Probe { probe: name.into(), fields: Fields::default() }
    }

    /// The same probe with one more field.
    pub fn with(mut self, field: impl Into<Name>, value: impl Into<Value>) -> Probe {
        self.fields.insert(field, value);
        self
    }

    /// A field that must be a non-negative integer.
    pub fn number(&self, field: &str) -> Option<u64> {
        self.fields.get(field)?.as_u64()
    }
}

/// The name of a probe or of a field.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Name(Cow<'static, str>);

impl Name {
    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&'static str> for Name {
    fn from(name: &'static str) -> Name {
        Name(Cow::Borrowed(name))
    }
}

impl From<String> for Name {
    fn from(name: String) -> Name {
        Name(Cow::Owned(name))
    }
}

impl PartialEq<str> for Name {
    fn eq(&self, other: &str) -> bool {
        self.0 == other
    }
}

impl PartialEq<&str> for Name {
    fn eq(&self, other: &&str) -> bool {
        self.0 == *other
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// The fields of a probe, each name once, in the order of the names.
#[derive(Clone, Default, PartialEq)]
pub struct Fields(Vec<(Name, Value)>);

impl Fields {
    /// The value of a field.
    pub fn get(&self, name: &str) -> Option<&Value> {
        // There are a handful: looking at each is faster than searching.
        self.0.iter().find_map(|(known, value)| (*known == *name).then_some(value))
    }

    /// Sets a field, in place of what it was.
    pub fn insert(&mut self, name: impl Into<Name>, value: impl Into<Value>) {
        let (name, value) = (name.into(), value.into());
        match self.0.binary_search_by(|(known, _)| known.cmp(&name)) {
            Ok(at) => self.0[at].1 = value,
            Err(at) => {
                if self.0.is_empty() {
                    self.0.reserve_exact(4);
                }
                self.0.insert(at, (name, value));
            }
        }
    }

    /// Every field, in the order of the names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<Map<String, Value>> for Fields {
    fn from(map: Map<String, Value>) -> Fields {
        let mut fields = Fields::default();
        for (name, value) in map {
            fields.insert(name, value);
        }
        fields
    }
}

impl Index<&str> for Fields {
    type Output = Value;

    /// The value of a field; null where it is missing.
    fn index(&self, name: &str) -> &Value {
        self.get(name).unwrap_or(&Value::Null)
    }
}

impl fmt::Debug for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl Serialize for Fields {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Fields, D::Error> {
        struct Reader;

        impl<'de> Visitor<'de> for Reader {
            type Value = Fields;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
                let mut fields = Fields::default();
                while let Some((name, value)) = map.next_entry::<String, Value>()? {
                    fields.insert(name, value);
                }
                Ok(fields)
            }
        }

        deserializer.deserialize_map(Reader)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_probe_is_one_flat_object() {
        let probe = Probe::new("vote").with("term", 3).with("candidate", "n2");
        let text = serde_json::to_string(&probe).unwrap();
        assert_eq!(text, r#"{"probe":"vote","candidate":"n2","term":3}"#);
        assert_eq!(serde_json::from_str::<Probe>(&text).unwrap(), probe);
        assert_eq!(
            (probe.number("term"), probe.number("candidate"), probe.number("none")),
            (Some(3), None, None)
        );
        assert_eq!(probe.fields["candidate"], "n2");
        assert_eq!(probe.fields["none"], Value::Null);
    }

    #[test]
    fn a_field_that_is_set_again_is_replaced() {
        assert_eq!(Probe::new("a").with("x", 1).with("x", 2), Probe::new("a").with("x", 2));
    }
}
