//! JSON, read in two steps: text becomes a [`Tree`], and a tree becomes a value.
//!
//! serde compiles a type's reader once for each format it is read from, and again for each form that the format
//! allows. Here there is one format, and one form: an object for a struct, never a list. That halves the
//! WebAssembly of the messages, and is stricter.

use std::slice;

use serde::de::{self, DeserializeOwned, Visitor, value::StrDeserializer};
use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Deserialize, Deserializer, Serialize, Serializer, forward_to_deserialize_any};

/// Why text is no JSON, or JSON not of the type that it should be.
pub type Error = serde_json::Error;

type Result<T, E = Error> = std::result::Result<T, E>;

/// Reads a value.
///
/// # Errors
/// If `json` is not of the type.
pub fn read<T: DeserializeOwned>(json: &[u8]) -> Result<T> {
    T::deserialize(&Tree::parse(json)?)
}

/// Writes a value in one line.
///
/// # Errors
/// For a map with keys that are no text.
pub fn write<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>> {
    serde_json::to_vec(value)
}

/// Writes a value in lines, for people.
///
/// # Errors
/// As [`write`].
#[cfg(not(target_arch = "wasm32"))]
pub fn pretty<T: Serialize + ?Sized>(value: &T) -> Result<String> {
    Tree::parse(&write(value)?)?.pretty()
}

/// Writes a value in lines, for people, as the browser does it.
///
/// # Errors
/// As [`write`].
#[cfg(target_arch = "wasm32")]
pub fn pretty<T: Serialize + ?Sized>(value: &T) -> Result<String> {
    use wasm_bindgen::JsValue;
    let text = String::from_utf8(write(value)?).map_err(|_| expected("text"))?;
    let lines = js_sys::JSON::parse(&text).and_then(|tree| {
        js_sys::JSON::stringify_with_replacer_and_space(&tree, &JsValue::NULL, &JsValue::from_f64(2.0))
    });
    // What was written here, the browser reads.
    Ok(lines.map_or(text, String::from))
}

/// Any JSON, as it was written: names keep their order, and doubled ones stay, for the type to refuse.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tree {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A whole number from 0.
    Unsigned(u64),
    /// A negative whole number.
    Signed(i64),
    /// Any other number. No message and no record has one, so its value is not kept, and cannot be written.
    Fraction,
    /// Text.
    Text(String),
    /// A list.
    List(Vec<Tree>),
    /// An object.
    Object(Vec<(String, Tree)>),
}

impl Tree {
    /// Reads any JSON.
    ///
    /// # Errors
    /// If it is none, or is nested deeper than 128 levels.
    pub fn parse(json: &[u8]) -> Result<Tree> {
        serde_json::from_slice(json)
    }

    #[cfg(not(target_arch = "wasm32"))]
    fn pretty(&self) -> Result<String> {
        serde_json::to_string_pretty(self)
    }

    #[inline(never)]
    fn bool(&self) -> Result<bool> {
        if let Tree::Bool(value) = self { Ok(*value) } else { Err(expected("true or false")) }
    }

    #[inline(never)]
    fn unsigned(&self) -> Result<u64> {
        if let Tree::Unsigned(number) = self { Ok(*number) } else { Err(expected("a whole number from 0")) }
    }

    #[inline(never)]
    fn text(&self) -> Result<&str> {
        if let Tree::Text(text) = self { Ok(text) } else { Err(expected("text")) }
    }

    #[inline(never)]
    fn list(&self) -> Result<Items<'_>> {
        if let Tree::List(items) = self { Ok(Items(items.iter())) } else { Err(expected("a list")) }
    }

    #[inline(never)]
    fn object(&self) -> Result<Fields<'_>> {
        let Tree::Object(fields) = self else { return Err(expected("an object")) };
        Ok(Fields { rest: fields.iter(), value: &Tree::Null })
    }

    /// A variant by name alone, or an object with the variant as its one field.
    #[inline(never)]
    fn variant(&self) -> Result<Variant<'_>> {
        match self {
            Tree::Text(name) => Ok(Variant { name, content: None }),
            Tree::Object(fields) => match fields.as_slice() {
                [(name, content)] => Ok(Variant { name, content: Some(content) }),
                _ => Err(expected("one variant")),
            },
            _ => Err(expected("a variant")),
        }
    }
}

#[cold]
#[inline(never)]
fn expected(what: &str) -> Error {
    de::Error::custom(format_args!("{what} is expected"))
}

impl<'de> Deserializer<'de> for &'de Tree {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self {
            Tree::Null => visitor.visit_unit(),
            Tree::Bool(value) => visitor.visit_bool(*value),
            Tree::Unsigned(number) => visitor.visit_u64(*number),
            Tree::Signed(number) => visitor.visit_i64(*number),
            Tree::Fraction => Err(expected("a whole number")),
            Tree::Text(text) => visitor.visit_str(text),
            Tree::List(_) => visitor.visit_seq(self.list()?),
            Tree::Object(_) => visitor.visit_map(self.object()?),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        visitor.visit_bool(self.bool()?)
    }

    fn deserialize_u8<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.deserialize_u64(visitor)
    }

    fn deserialize_u16<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.deserialize_u64(visitor)
    }

    fn deserialize_u32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.deserialize_u64(visitor)
    }

    fn deserialize_u64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        visitor.visit_u64(self.unsigned()?)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        visitor.visit_str(self.text()?)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.deserialize_str(visitor)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        if matches!(self, Tree::Null) { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        let mut items = self.list()?;
        let value = visitor.visit_seq(&mut items)?;
        items.end().map(|()| value)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        visitor.visit_map(self.object()?)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        self.deserialize_map(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        visitor.visit_enum(self.variant()?)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i64 i128 u128 f32 f64 char bytes byte_buf unit unit_struct tuple_struct
    }
}

/// The items of a list.
struct Items<'a>(slice::Iter<'a, Tree>);

impl Items<'_> {
    fn end(&self) -> Result<()> {
        if self.0.as_slice().is_empty() { Ok(()) } else { Err(expected("a shorter list")) }
    }
}

impl<'de> de::SeqAccess<'de> for Items<'de> {
    type Error = Error;

    fn next_element_seed<T: de::DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>> {
        self.0.next().map(|item| seed.deserialize(item)).transpose()
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.0.len())
    }
}

/// The fields of an object.
struct Fields<'a> {
    rest: slice::Iter<'a, (String, Tree)>,
    /// Of the name that was read last.
    value: &'a Tree,
}

impl<'de> de::MapAccess<'de> for Fields<'de> {
    type Error = Error;

    fn next_key_seed<K: de::DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>> {
        let Some((name, value)) = self.rest.next() else { return Ok(None) };
        self.value = value;
        seed.deserialize(StrDeserializer::new(name)).map(Some)
    }

    fn next_value_seed<T: de::DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value> {
        seed.deserialize(self.value)
    }
}

/// A variant of an enum.
struct Variant<'a> {
    name: &'a str,
    /// Nothing where it is its name alone.
    content: Option<&'a Tree>,
}

impl<'de> de::EnumAccess<'de> for Variant<'de> {
    type Error = Error;
    type Variant = Self;

    fn variant_seed<V: de::DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self)> {
        Ok((seed.deserialize(StrDeserializer::<Error>::new(self.name))?, self))
    }
}

impl<'de> Variant<'de> {
    #[inline(never)]
    fn content(&self) -> Result<&'de Tree> {
        self.content.ok_or_else(|| expected("a variant with content"))
    }
}

impl<'de> de::VariantAccess<'de> for Variant<'de> {
    type Error = Error;

    fn unit_variant(self) -> Result<()> {
        if self.content.is_none_or(|content| *content == Tree::Null) {
            Ok(())
        } else {
            Err(expected("a variant without content"))
        }
    }

    fn newtype_variant_seed<T: de::DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value> {
        seed.deserialize(self.content()?)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value> {
        self.content()?.deserialize_seq(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(self, _: &'static [&'static str], visitor: V) -> Result<V::Value> {
        self.content()?.deserialize_map(visitor)
    }
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Tree, D::Error> {
        deserializer.deserialize_any(TreeVisitor)
    }
}

struct TreeVisitor;

impl<'de> Visitor<'de> for TreeVisitor {
    type Value = Tree;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Tree, E> {
        Ok(Tree::Null)
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Tree, E> {
        Ok(Tree::Bool(value))
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Tree, E> {
        Ok(Tree::Unsigned(number))
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Tree, E> {
        Ok(Tree::Signed(number))
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<Tree, E> {
        Ok(Tree::Fraction)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Tree, E> {
        Ok(Tree::Text(text.to_owned()))
    }

    fn visit_seq<A: de::SeqAccess<'de>>(self, mut access: A) -> Result<Tree, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = access.next_element()? {
            items.push(item);
        }
        Ok(Tree::List(items))
    }

    fn visit_map<A: de::MapAccess<'de>>(self, mut access: A) -> Result<Tree, A::Error> {
        let mut fields = Vec::new();
        while let Some(field) = access.next_entry()? {
            fields.push(field);
        }
        Ok(Tree::Object(fields))
    }
}

impl Serialize for Tree {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Tree::Null => serializer.serialize_unit(),
            Tree::Bool(value) => serializer.serialize_bool(*value),
            Tree::Unsigned(number) => serializer.serialize_u64(*number),
            Tree::Signed(number) => serializer.serialize_i64(*number),
            Tree::Fraction => Err(serde::ser::Error::custom("a whole number is expected")),
            Tree::Text(text) => serializer.serialize_str(text),
            Tree::List(items) => {
                let mut list = serializer.serialize_seq(Some(items.len()))?;
                for item in items {
                    list.serialize_element(item)?;
                }
                list.end()
            }
            Tree::Object(fields) => {
                let mut object = serializer.serialize_map(Some(fields.len()))?;
                for (name, value) in fields {
                    object.serialize_entry(name, value)?;
                }
                object.end()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(rename_all = "camelCase", deny_unknown_fields)]
    struct Strict {
        count: u32,
        note: Option<String>,
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(rename_all = "camelCase")]
    enum Shape {
        Point,
        Named(String),
        Sized { width: u8 },
    }

    #[derive(Debug, PartialEq, Deserialize)]
    struct Lenient {
        name: String,
    }

    fn strict(json: &str) -> Result<Strict> {
        read(json.as_bytes())
    }

    #[test]
    fn a_struct_is_an_object_with_its_own_fields_once() {
        assert_eq!(strict(r#"{"note":null,"count":2}"#).unwrap(), Strict { count: 2, note: None });
        for refused in [
            r#"{"count":2,"count":2}"#,
            r#"{"count":2,"other":1}"#,
            r#"[2,null]"#,
            r#"{"note":"n"}"#,
            r#"{"count":-1}"#,
            r#"{"count":1.0}"#,
            r#"{"count":4294967296}"#,
            r#"{"count":"1"}"#,
            r#"{"count":1} {}"#,
        ] {
            assert!(strict(refused).is_err(), "{refused}");
        }
    }

    #[test]
    fn fields_that_a_type_does_not_ask_for_may_hold_any_json() {
        let json = br#"{"more":[1.5,-2,{"a":null}],"name":"shop","flag":true}"#;
        assert_eq!(read::<Lenient>(json).unwrap(), Lenient { name: "shop".into() });
    }

    #[test]
    fn every_form_of_a_variant_is_read_as_it_is_written() {
        for shape in [Shape::Point, Shape::Named("n".into()), Shape::Sized { width: 7 }] {
            assert_eq!(read::<Shape>(&write(&shape).unwrap()).unwrap(), shape);
        }
        for refused in [r#"{"point":1}"#, r#""named""#, r#"{"named":"a","point":null}"#, "{}", r#""round""#] {
            assert!(read::<Shape>(refused.as_bytes()).is_err(), "{refused}");
        }
    }

    #[test]
    fn a_list_has_as_many_items_as_its_type() {
        assert_eq!(read::<(String, u8)>(br#"["a",1]"#).unwrap(), ("a".into(), 1));
        assert!(read::<(String, u8)>(br#"["a",1,2]"#).is_err());
        assert!(read::<(String, u8)>(br#"["a"]"#).is_err());
    }

    #[test]
    fn lines_for_people_keep_the_order_of_the_fields() {
        let text = pretty(&Strict { count: 1, note: Some("n".into()) }).unwrap();
        assert_eq!(text, "{\n  \"count\": 1,\n  \"note\": \"n\"\n}");
    }
}
