//! The coin that travels from the question to the balance: the one motion that explains something.

use std::time::Duration;

use js_sys::{Array, Function, Object, Reflect};
use leptos::prelude::*;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::Element;

use crate::browser;

/// The id of the balance in the masthead.
pub const PURSE: &str = "purse";

const FLIGHT_MS: u32 = 380;

/// Lets a copy of the coin within the element `from` travel to the balance. Nothing moves where the reader wants
/// no motion.
pub fn fly_coin(from: &str) {
    if !browser::prefers_no_motion() {
        // Without a coin, a balance or the animation there is nothing to see, and nothing is missing.
        let _ = fly(from);
    }
}

fn fly(from: &str) -> Option<()> {
    let coin = browser::element(from)?.query_selector(".coin").ok()??;
    let purse = browser::element(PURSE)?;
    let flying = document().create_element("span").ok()?;
    flying.set_class_name("flight");
    flying.set_attribute("aria-hidden", "true").ok()?;
    flying.append_child(&coin.clone_node_with_deep(true).ok()?).ok()?;
    document().body()?.append_child(&flying).ok()?;

    let animated = animate(&flying, &place(&coin, "scale(1.5)"), &place(&purse, "scale(0.6)"));
    let over = Duration::from_millis(u64::from(if animated.is_some() { FLIGHT_MS } else { 0 }));
    set_timeout(move || flying.remove(), over);
    Some(())
}

/// The transformation that brings the flying coin from the page's corner to `element`.
#[expect(clippy::cast_possible_truncation, reason = "whole pixels are fine enough for a coin")]
fn place(element: &Element, size: &str) -> String {
    let at = element.get_bounding_client_rect();
    format!("translate({}px, {}px) {size}", at.left() as i32, at.top() as i32)
}

/// `element.animate(...)`, which web-sys does not offer yet.
fn animate(element: &Element, from: &str, to: &str) -> Option<()> {
    let keyframes = Object::new();
    Reflect::set(&keyframes, &"transform".into(), &Array::of2(&from.into(), &to.into())).ok()?;
    Reflect::set(&keyframes, &"opacity".into(), &Array::of2(&JsValue::from(1), &JsValue::from_str("0.5")))
        .ok()?;
    let timing = Object::new();
    Reflect::set(&timing, &"duration".into(), &JsValue::from(FLIGHT_MS)).ok()?;
    Reflect::set(&timing, &"easing".into(), &"cubic-bezier(0.3, 0, 0.3, 1)".into()).ok()?;
    Reflect::set(&timing, &"fill".into(), &"both".into()).ok()?;
    let animate: Function = Reflect::get(element, &"animate".into()).ok()?.dyn_into().ok()?;
    animate.call2(element, &keyframes, &timing).ok().map(|_| ())
}
