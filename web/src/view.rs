//! What [`view!`] is made of. Every element is of one type, and every function here is compiled once, so that a page
//! costs a reader little to download.

use leptos::attr::any_attribute::{AnyAttribute, IntoAnyAttribute};
use leptos::attr::custom::custom_attribute;
use leptos::ev;
use leptos::html;
use leptos::prelude::*;
use leptos::tachys::html::element::custom;
use leptos::tachys::html::node_ref::node_ref;
use leptos::tachys::html::property::{IntoProperty, prop};
use leptos::tachys::view::iterators::StaticVec;
use wasm_bindgen::JsCast;

mod template;

pub use tuppence_view::view;

use template::Templated;

/// An element of HTML while it is being put together. It is a pointer, so that the pages' code, which is mostly calls of
/// these functions, stays short.
pub struct Element(Box<Parts>);

struct Parts {
    tag: &'static str,
    attributes: Vec<AnyAttribute>,
    children: Vec<AnyView>,
}

impl Element {
    /// An empty element. The tag is in capitals, as the browser gives it back.
    #[inline(never)]
    pub fn new(tag: &'static str) -> Self {
        Element(Box::new(Parts { tag, attributes: Vec::new(), children: Vec::new() }))
    }

    /// Adds an attribute with a value that never changes.
    #[inline(never)]
    pub fn set(self, name: &'static str, value: &'static str) -> Self {
        self.with(custom_attribute(name, value).into_any_attr())
    }

    /// Adds an attribute.
    pub fn attribute(self, name: &'static str, value: impl Value) -> Self {
        value.put(name, self)
    }

    /// Adds whatever acts like an attribute: a listener, a property, a reference.
    #[inline(never)]
    pub fn with(mut self, attribute: AnyAttribute) -> Self {
        self.0.attributes.push(attribute);
        self
    }

    /// Adds a text that never changes.
    #[inline(never)]
    pub fn text(self, text: &'static str) -> Self {
        self.view(text.into_any())
    }

    /// Adds an element.
    #[inline(never)]
    pub fn element(self, element: Element) -> Self {
        self.view(element.done())
    }

    /// Adds whatever may stand in a page.
    pub fn child(self, child: impl Child) -> Self {
        child.put(self)
    }

    /// Adds a view.
    #[inline(never)]
    pub fn view(mut self, view: AnyView) -> Self {
        self.0.children.push(view);
        self
    }

    /// The element as a view.
    #[inline(never)]
    pub fn done(self) -> AnyView {
        let Parts { tag, attributes, children } = *self.0;
        custom(tag).add_any_attr(attributes).child(StaticVec::from(children)).into_any()
    }
}

/// What the `view!` of this number has written.
#[inline(never)]
pub fn template(number: u32, view: AnyView) -> AnyView {
    Templated::new(number, view).into_any()
}

/// A text that never changes.
#[inline(never)]
pub fn text(text: &'static str) -> AnyView {
    text.into_any()
}

/// Views side by side.
#[inline(never)]
pub fn many(views: Vec<AnyView>) -> AnyView {
    StaticVec::from(views).into_any()
}

/// Whatever may stand in a page, as a view.
pub fn child(child: impl Child) -> AnyView {
    child.child()
}

/// What a component gives.
pub fn component(view: impl IntoAny) -> AnyView {
    view.into_any()
}

/// What may stand in a page.
pub trait Child: Sized {
    /// The same as a view.
    fn child(self) -> AnyView;

    /// Puts it into an element.
    fn put(self, element: Element) -> Element {
        element.view(self.child())
    }
}

impl Child for AnyView {
    fn child(self) -> AnyView {
        self
    }
}

impl Child for () {
    #[inline(never)]
    fn child(self) -> AnyView {
        ().into_any()
    }
}

impl Child for &'static str {
    fn child(self) -> AnyView {
        text(self)
    }

    fn put(self, element: Element) -> Element {
        element.text(self)
    }
}

impl Child for String {
    #[inline(never)]
    fn child(self) -> AnyView {
        self.into_any()
    }

    #[inline(never)]
    fn put(self, element: Element) -> Element {
        element.view(self.child())
    }
}

impl<C: Child> Child for Option<C> {
    fn child(self) -> AnyView {
        self.map_or_else(|| ().child(), Child::child)
    }
}

impl<C: Child> Child for Vec<C> {
    fn child(self) -> AnyView {
        list(self.into_iter().map(Child::child).collect())
    }
}

/// Follows the signals that it reads.
impl<C: Child, F: FnMut() -> C + Send + 'static> Child for F {
    fn child(mut self) -> AnyView {
        live(Box::new(move || self().child()))
    }
}

/// Views whose number may change.
#[inline(never)]
fn list(views: Vec<AnyView>) -> AnyView {
    views.into_any()
}

#[inline(never)]
fn live(view: Box<dyn FnMut() -> AnyView + Send>) -> AnyView {
    view.into_any()
}

/// What an attribute may have for a value.
pub trait Value {
    /// Puts the attribute of that name and value onto an element.
    fn put(self, name: &'static str, element: Element) -> Element;
}

/// Text that an attribute may have; none leaves the attribute out.
pub trait Text {
    /// The text, if there is one.
    fn text(self) -> Option<String>;
}

impl Text for String {
    fn text(self) -> Option<String> {
        Some(self)
    }
}

impl Text for &'static str {
    fn text(self) -> Option<String> {
        Some(self.to_owned())
    }
}

impl Text for bool {
    fn text(self) -> Option<String> {
        self.then(String::new)
    }
}

impl<T: Text> Text for Option<T> {
    fn text(self) -> Option<String> {
        self.and_then(Text::text)
    }
}

impl Value for &'static str {
    fn put(self, name: &'static str, element: Element) -> Element {
        element.set(name, self)
    }
}

impl Value for String {
    fn put(self, name: &'static str, element: Element) -> Element {
        fixed(element, name, Some(self))
    }
}

impl Value for bool {
    fn put(self, name: &'static str, element: Element) -> Element {
        fixed(element, name, self.text())
    }
}

impl<T: Text> Value for Option<T> {
    fn put(self, name: &'static str, element: Element) -> Element {
        fixed(element, name, self.text())
    }
}

/// Follows the signals that it reads.
impl<T: Text, F: FnMut() -> T + Send + 'static> Value for F {
    fn put(mut self, name: &'static str, element: Element) -> Element {
        followed(element, name, Box::new(move || self().text()))
    }
}

#[inline(never)]
fn fixed(element: Element, name: &'static str, value: Option<String>) -> Element {
    element.with(custom_attribute(name, value).into_any_attr())
}

#[inline(never)]
fn followed(
    element: Element,
    name: &'static str,
    value: Box<dyn FnMut() -> Option<String> + Send>,
) -> Element {
    element.with(custom_attribute(name, value).into_any_attr())
}

/// A property of the element itself, such as what stands in a field.
pub fn property(name: &'static str, value: impl IntoProperty + Send + 'static) -> AnyAttribute {
    prop(name, value).into_any_attr()
}

/// Gives the element to `node` when it is there.
pub fn node<E>(node: NodeRef<E>) -> AnyAttribute
where
    E: html::ElementType,
    E::Output: JsCast + Clone + 'static,
{
    node_ref(node).into_any_attr()
}

macro_rules! listeners {
    ($($(#[$doc:meta])* $name:ident: $event:ident, $kind:ty;)*) => {$(
        $(#[$doc])*
        pub fn $name(handle: impl FnMut($kind) + 'static) -> AnyAttribute {
            #[inline(never)]
            fn boxed(handle: Box<dyn FnMut($kind)>) -> AnyAttribute {
                leptos::tachys::html::event::on(ev::$event, handle).into_any_attr()
            }
            boxed(Box::new(handle))
        }
    )*};
}

listeners! {
    /// Hears when a choice was made.
    on_change: change, ev::Event;
    /// Hears clicks, and keys that press buttons.
    on_click: click, ev::MouseEvent;
    /// Hears each change of a text.
    on_input: input, ev::Event;
    /// Hears that a form is sent.
    on_submit: submit, ev::SubmitEvent;
}
