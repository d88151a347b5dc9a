//! Unicode's normal form C (UAX 15).
//!
//! In a browser it is the browser's own: the tables of unicode-normalization would be a sixth of what the wallet
//! downloads. Unicode's stability policy has both agree on every assigned character.

#[cfg(not(target_arch = "wasm32"))]
use unicode_normalization::UnicodeNormalization;

/// `text` in normal form C.
#[cfg(not(target_arch = "wasm32"))]
pub fn normal_form(text: &str) -> String {
    text.nfc().collect()
}

/// `text` in normal form C.
#[cfg(target_arch = "wasm32")]
pub fn normal_form(text: &str) -> String {
    js_sys::JsString::from(text).normalize("NFC").into()
}

/// Whether `text` is in normal form C. ASCII always is, and most of what is decoded is ASCII.
#[cfg(not(target_arch = "wasm32"))]
pub fn is_normal(text: &str) -> bool {
    text.is_ascii() || unicode_normalization::is_nfc(text)
}

/// Whether `text` is in normal form C.
#[cfg(target_arch = "wasm32")]
pub fn is_normal(text: &str) -> bool {
    text.is_ascii() || normal_form(text) == text
}
