//! Streams of the browser as streams of Rust: what Leptos' server functions use of the crate `wasm-streams`, which
//! Cargo.toml puts in its place.
//!
//! The wallet has no server functions. The original exports three classes to JavaScript, though, and what is exported
//! is kept, used or not: 5 KB of the wallet's first visit after gzip (docs/decisions/build-tools.md).

use std::cell::RefCell;
use std::rc::Rc;

use futures_util::stream::{self, LocalBoxStream, Stream, StreamExt};
use js_sys::{Object, Reflect};
use wasm_bindgen::prelude::Closure;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::{JsFuture, future_to_promise};
use web_sys::{ReadableStreamDefaultController, ReadableStreamDefaultReader, ReadableStreamReadResult};

/// A stream of the browser that is read from.
#[derive(Debug)]
pub struct ReadableStream(web_sys::ReadableStream);

type Item = Result<JsValue, JsValue>;

impl ReadableStream {
    /// The browser's own stream.
    pub fn from_raw(raw: web_sys::ReadableStream) -> Self {
        ReadableStream(raw)
    }

    /// Gives the browser's own stream.
    pub fn into_raw(self) -> web_sys::ReadableStream {
        self.0
    }

    /// Gives a stream of Rust to the browser. A browser that takes none gets one that is empty and broken.
    pub fn from_stream(stream: impl Stream<Item = Item> + 'static) -> Self {
        let stream: Rc<RefCell<LocalBoxStream<'static, Item>>> = Rc::new(RefCell::new(stream.boxed_local()));
        let pull = move |controller: ReadableStreamDefaultController| {
            let stream = stream.clone();
            future_to_promise(async move {
                // The browser asks for the next piece only when it has the last one, so nobody else holds it.
                let next = std::future::poll_fn(|context| stream.borrow_mut().poll_next_unpin(context)).await;
                match next {
                    Some(piece) => controller.enqueue_with_chunk(&piece?)?,
                    None => controller.close()?,
                }
                Ok(JsValue::UNDEFINED)
            })
        };
        let pull = Closure::<dyn FnMut(ReadableStreamDefaultController) -> js_sys::Promise>::new(pull);
        let source = Object::new();
        // A fresh, ordinary object takes every property.
        let _ = Reflect::set(&source, &JsValue::from_str("pull"), &pull.into_js_value());
        let raw = web_sys::ReadableStream::new_with_underlying_source(&source);
        ReadableStream(raw.unwrap_or_else(|error| error.unchecked_into()))
    }

    /// Reads it piece by piece. One that somebody else reads gives an error and ends.
    pub fn into_stream(self) -> impl Stream<Item = Item> + 'static {
        let reader = ReadableStreamDefaultReader::new(&self.0);
        stream::unfold(Some(reader), async |reader| {
            let reader = match reader? {
                Ok(reader) => reader,
                Err(error) => return Some((Err(error), None)),
            };
            match JsFuture::from(reader.read()).await {
                Ok(read) => {
                    let read: ReadableStreamReadResult = read.unchecked_into();
                    let more = !read.get_done().unwrap_or_default();
                    more.then(|| (Ok(read.get_value()), Some(Ok(reader))))
                }
                Err(error) => Some((Err(error), None)),
            }
        })
    }
}
