//! Languages that are data.

use js_sys::Array;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use super::{COUNT, NAMES, Texts, en};

#[wasm_bindgen(module = "/language.js")]
extern "C" {
    /// The sentences of `/locales/<tag>.json`, one after the other; the first is the mark of their names.
    #[wasm_bindgen(catch)]
    async fn sentences(tag: &str) -> Result<JsValue, JsValue>;
}

/// What a language says. It is kept for as long as the page lasts: a reader changes it hardly ever.
pub async fn texts(tag: &str) -> Option<&'static Texts> {
    let list = Array::from(&sentences(tag).await.ok()?);
    let all = list.iter().map(|sentence| sentence.as_string()).collect::<Option<Vec<_>>>()?;
    read(all).map(|texts| &*Box::leak(Box::new(texts)))
}

/// The texts in a list, if it is one of this version's.
fn read(all: Vec<String>) -> Option<Texts> {
    let mut list = all.into_iter();
    let ours = list.next()? == mark() && list.len() == COUNT;
    ours.then(|| {
        let mut texts = en::TEXTS;
        texts.take(&mut list.map(|sentence| &*sentence.leak()));
        texts
    })
}

/// What tells these names from those of another version: CRC-32 of them, in hexadecimal.
fn mark() -> String {
    let crc = NAMES.bytes().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg()))
    });
    format!("{:08x}", !crc)
}
