//! The API's description against the endpoints, and against every published message.

mod operator;

use serde_json::{Value, json};

use super::*;
use crate::http::openapi::differences;

#[test]
fn the_description_lists_just_what_is_served() {
    let served: Vec<_> = endpoints().into_iter().chain(root()).collect();
    assert_eq!(differences(OPENAPI, &served), Vec::<String>::new());
}

#[test]
fn every_published_message_fits_its_schema_and_no_other_field_does() {
    let document: Value = serde_json::from_str(OPENAPI).unwrap();
    let read = |text| serde_json::from_str::<Value>(text).unwrap()["messages"].as_array().unwrap().clone();
    let mut messages = read(include_str!("../../../../protocol/vectors/scrip.json"));
    messages.extend(read(include_str!("../../../../protocol/vectors/payword.json")));
    messages.extend(read(include_str!("../../../../protocol/vectors/vendor-scrip.json")));
    let known = document["components"]["schemas"].as_object().unwrap();
    let mut checked = 0;
    for message in messages {
        let name = message["type"].as_str().unwrap();
        if !known.contains_key(name) {
            continue;
        }
        let wire = message["wire"].clone();
        let schema = schema(&document, name);
        let errors: Vec<_> =
            schema.iter_errors(&wire).map(|error| format!("{error} at {}", error.instance_path())).collect();
        assert!(errors.is_empty(), "{}: {errors:?}", message["name"]);
        let mut extended = wire;
        extended["surplus"] = json!(1);
        assert!(!schema.is_valid(&extended), "{name} takes any field");
        checked += 1;
    }
    assert!(checked >= 48, "only {checked} messages were checked");
}

#[test]
fn every_error_code_is_described() {
    let document: Value = serde_json::from_str(OPENAPI).unwrap();
    let described: Vec<_> = document["components"]["schemas"]["ErrorCode"]["enum"]
        .as_array()
        .unwrap()
        .iter()
        .map(|name| name.as_str().unwrap())
        .collect();
    let codes: Vec<_> = tuppence_protocol::ErrorCode::ALL.iter().map(|code| code.as_str()).collect();
    assert_eq!(described, codes);
}

fn schema(document: &Value, name: &str) -> jsonschema::Validator {
    let mut root = json!({"$ref": format!("#/components/schemas/{name}")});
    root["components"] = document["components"].clone();
    jsonschema::draft202012::new(&root).unwrap()
}
