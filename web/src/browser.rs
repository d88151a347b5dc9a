//! The few things that the pages ask of the browser itself.

use leptos::prelude::*;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    Blob, BlobPropertyBag, DomParser, HtmlAnchorElement, HtmlElement, HtmlInputElement, Storage,
    SupportedType, Url,
};

/// The element with this id, if it is there and can take the focus.
pub fn element(id: &str) -> Option<HtmlElement> {
    document().get_element_by_id(id)?.dyn_into().ok()
}

/// Sets an attribute of the root element.
pub fn set_root(name: &str, value: &str) {
    if let Some(root) = document().document_element() {
        // Only an ill-formed name is refused.
        let _ = root.set_attribute(name, value);
    }
}

/// The languages that the reader prefers, best first, as BCP 47 tags.
pub fn languages() -> Vec<String> {
    window().navigator().languages().iter().filter_map(|tag| tag.as_string()).collect()
}

/// Whether the browser believes that there is a network.
pub fn is_online() -> bool {
    window().navigator().on_line()
}

/// Tells each change of the network, as long as the page lasts.
pub fn on_connection(changed: impl Fn(bool) + Clone + 'static) {
    let lost = changed.clone();
    // The handles are dropped without ending the listening, which lasts as long as the page.
    let _ = window_event_listener(leptos::ev::online, move |_| changed(true));
    let _ = window_event_listener(leptos::ev::offline, move |_| lost(false));
}

/// Tells when this page is looked at again, as long as it lasts.
pub fn on_seen(seen: impl Fn() + 'static) {
    let _ = window_event_listener_untyped("visibilitychange", move |_| {
        if !document().hidden() {
            seen();
        }
    });
}

/// Whether the reader wants no motion.
pub fn prefers_no_motion() -> bool {
    window()
        .match_media("(prefers-reduced-motion: reduce)")
        .ok()
        .flatten()
        .is_some_and(|query| query.matches())
}

/// Whether a page has put this one into a frame.
pub fn is_framed() -> bool {
    match (window().top(), window().parent()) {
        (Ok(Some(top)), Ok(Some(parent))) => {
            let own = JsValue::from(window());
            JsValue::from(top) != own || JsValue::from(parent) != own
        }
        _ => true,
    }
}

/// `text` if it is exactly an http or https origin, such as `https://shop.example`.
pub fn origin(text: &str) -> Option<String> {
    let url = web_url(text)?;
    (url.origin() == text).then(|| text.to_owned())
}

/// `text` if it is an absolute http or https address.
pub fn web_address(text: &str) -> Option<String> {
    web_url(text).map(|url| url.href())
}

/// `text` if it is an absolute address at `origin`.
pub fn address_at(origin: &str, text: &str) -> Option<String> {
    web_url(text).filter(|url| url.origin() == origin).map(|url| url.href())
}

fn web_url(text: &str) -> Option<Url> {
    let url = Url::new(text).ok()?;
    let no_login = url.username().is_empty() && url.password().is_empty();
    (no_login && matches!(url.protocol().as_str(), "http:" | "https:")).then_some(url)
}

/// The text of an HTML document that somebody else has written. Nothing of it is run, loaded or shown as HTML.
pub fn text_of_html(html: &str) -> String {
    let parsed = DomParser::new().and_then(|parser| parser.parse_from_string(html, SupportedType::TextHtml));
    let text = parsed.ok().and_then(|document| document.body()).and_then(|body| body.text_content());
    text.unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ")
}

/// `text` in lower case. The browser has the table for it already.
pub fn lower_case(text: &str) -> String {
    js_sys::JsString::from(text).to_lower_case().into()
}

/// `text` as a part of an address's query.
pub fn encoded(text: &str) -> String {
    js_sys::encode_uri_component(text).into()
}

/// Saves a text as a file among the reader's downloads.
pub fn download(name: &str, media_type: &str, text: &str) -> Option<()> {
    let options = BlobPropertyBag::new();
    options.set_type(media_type);
    let parts = js_sys::Array::of1(&JsValue::from_str(text));
    let blob = Blob::new_with_str_sequence_and_options(&parts, &options).ok()?;
    let address = Url::create_object_url_with_blob(&blob).ok()?;
    let link: HtmlAnchorElement = document().create_element("a").ok()?.dyn_into().ok()?;
    link.set_href(&address);
    link.set_download(name);
    link.click();
    // The browser has taken the contents by the time another task runs.
    set_timeout(
        move || {
            let _ = Url::revoke_object_url(&address);
        },
        std::time::Duration::from_secs(60),
    );
    Some(())
}

/// Reads the file that was chosen in `input`, as text.
pub async fn chosen_file(input: &HtmlInputElement) -> Option<String> {
    let file = input.files()?.get(0)?;
    let text = JsFuture::from(file.text()).await.ok()?;
    // The same file can then be chosen again.
    input.set_value("");
    text.as_string()
}

/// What this device remembers under `key`. Without storage it remembers nothing.
pub fn local_get(key: &str) -> Option<String> {
    local()?.get_item(key).ok().flatten()
}

/// Has this device remember `value`, where it lets the page.
pub fn local_put(key: &str, value: &str) {
    if let Some(storage) = local() {
        let _ = storage.set_item(key, value);
    }
}

/// What this visit remembers under `key`.
pub fn session_get(key: &str) -> Option<String> {
    session()?.get_item(key).ok().flatten()
}

/// Has this visit remember `value`, where the browser lets the page.
pub fn session_put(key: &str, value: &str) {
    if let Some(storage) = session() {
        let _ = storage.set_item(key, value);
    }
}

/// Has this visit forget `key`.
pub fn session_remove(key: &str) {
    if let Some(storage) = session() {
        let _ = storage.remove_item(key);
    }
}

fn local() -> Option<Storage> {
    window().local_storage().ok().flatten()
}

fn session() -> Option<Storage> {
    window().session_storage().ok().flatten()
}
