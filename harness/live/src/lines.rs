//! Lines as anybody might send them, for the tests of those who read lines.

use proptest::prelude::*;

/// Objects of the fields that matter to the reader, with values that fit and that do not; and any bytes.
pub(crate) fn lines(names: &'static [&'static str]) -> impl Strategy<Value = Vec<u8>> {
    let names = prop::sample::select(names);
    let values = prop::sample::select(vec![
        "null",
        "7",
        "-1",
        "18446744073709551616",
        "1e300",
        "\"\"",
        "\"read_ok\"",
        "\"error\"",
        "[]",
        "[[7]]",
        "{}",
        "{\"type\":\"read\"}",
    ]);
    let object = prop::collection::vec((names, values), 0..6).prop_map(|fields| {
        let fields: Vec<String> = fields.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
        format!("{{{}}}", fields.join(",")).into_bytes()
    });
    prop_oneof![3 => object, 1 => prop::collection::vec(any::<u8>(), 0..60)]
}
