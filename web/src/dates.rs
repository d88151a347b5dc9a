//! Dates and times in the reader's locale and time zone.

use js_sys::{Date, Object, Reflect};
use tuppence_protocol::Timestamp;
use wasm_bindgen::JsValue;

use crate::locales::{self, texts};

/// A day of the calendar, as the reader's device has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Day {
    year: u32,
    month: u32,
    day: u32,
}

/// The day on which something happened.
pub fn day(at: Timestamp) -> Day {
    let date = date(at);
    Day { year: date.get_full_year(), month: date.get_month(), day: date.get_date() }
}

/// "Today", "Yesterday", or the date in words.
pub fn said_day(at: Timestamp) -> String {
    let now = Date::new_0();
    let today = Day { year: now.get_full_year(), month: now.get_month(), day: now.get_date() };
    now.set_date(now.get_date().saturating_sub(1));
    let yesterday = Day { year: now.get_full_year(), month: now.get_month(), day: now.get_date() };
    match day(at) {
        day if day == today => texts().common.today.to_owned(),
        day if day == yesterday => texts().common.yesterday.to_owned(),
        _ => said(at, &[("dateStyle", "long")]),
    }
}

/// The time of day.
pub fn said_time(at: Timestamp) -> String {
    said(at, &[("timeStyle", "short")])
}

/// Date and time.
pub fn said_moment(at: Timestamp) -> String {
    said(at, &[("dateStyle", "long"), ("timeStyle", "medium")])
}

/// The date.
pub fn said_date(at: Timestamp) -> String {
    said(at, &[("dateStyle", "medium")])
}

/// The time of day to the second.
pub fn said_second(at: Timestamp) -> String {
    said(at, &[("timeStyle", "medium")])
}

/// For machines: `2026-11-23T10:00:00.000Z`.
pub fn iso(at: Timestamp) -> String {
    date(at).to_iso_string().into()
}

fn said(at: Timestamp, styles: &[(&str, &str)]) -> String {
    let options = Object::new();
    for (name, value) in styles {
        // A plain object takes every property.
        let _ = Reflect::set(&options, &(*name).into(), &(*value).into());
    }
    let locale = locales::shown().tag();
    date(at).to_locale_string(locale, &options).into()
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a timestamp is at most 2^53 - 1, which a double holds exactly"
)]
fn date(at: Timestamp) -> Date {
    Date::new(&JsValue::from_f64(at.as_millis() as f64))
}
