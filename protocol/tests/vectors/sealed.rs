//! What holds of the messages in every file of vectors.

use serde_json::{Value, json};

use crate::{alterations, leaves, read};

/// Every message of `file` decodes and encodes to the same value; none decodes with a field more, or one less but those
/// that `optional` names by the message's type and field.
pub fn round_trips(
    file: &str,
    round_trip: impl Fn(&str, &Value) -> Result<Value, serde_json::Error>,
    optional: impl Fn(&str, &str) -> bool,
) {
    for vector in read(file)["messages"].as_array().unwrap() {
        let (kind, wire) = (vector["type"].as_str().unwrap(), &vector["wire"]);
        assert_eq!(&round_trip(kind, wire).unwrap(), wire, "{}", vector["name"]);
        let fields = wire.as_object().unwrap();
        let mut more = fields.clone();
        more.insert("surprise".into(), json!(1));
        assert!(round_trip(kind, &Value::Object(more)).is_err(), "{} with one more", vector["name"]);
        for name in fields.keys().filter(|name| !optional(kind, name)) {
            let mut fewer = fields.clone();
            fewer.remove(name);
            assert!(round_trip(kind, &Value::Object(fewer)).is_err(), "{} without {name}", vector["name"]);
        }
    }
}

/// Every message of `file` holds, for what `holds` says of its type, and none does with any field altered. `holds` gives
/// nothing where the message does not decode, or carries no seal.
pub fn every_field_is_covered(file: &str, holds: impl Fn(&str, &Value) -> Option<bool>) {
    for vector in read(file)["messages"].as_array().unwrap() {
        let (kind, wire) = (vector["type"].as_str().unwrap(), &vector["wire"]);
        let Some(whole) = holds(kind, wire) else { continue };
        assert!(whole, "{}", vector["name"]);
        for leaf in leaves(wire, String::new()) {
            let altered: Vec<bool> = alterations(wire.pointer(&leaf).unwrap())
                .into_iter()
                .filter_map(|value| {
                    let mut message = wire.clone();
                    *message.pointer_mut(&leaf).unwrap() = value;
                    holds(kind, &message)
                })
                .collect();
            let alterable = !altered.is_empty() || leaf.ends_with("/hashAlgorithm");
            assert!(alterable, "{kind}: {leaf} cannot be altered");
            assert!(!altered.contains(&true), "{}: {leaf} is not covered", vector["name"]);
        }
    }
}
