//! A view that knows which `view!` wrote it. Since all elements are of one type, Leptos could not tell the views of two
//! places apart: it would take the elements of the one for those of the other, and leave attributes behind.

use leptos::attr::Attribute;
use leptos::attr::any_attribute::AnyAttribute;
use leptos::prelude::*;
use leptos::tachys::hydration::Cursor;
use leptos::tachys::renderer::types::{Element, Node};
use leptos::tachys::view::any_view::{AnyViewState, AnyViewWithAttrs};
use leptos::tachys::view::{Mountable, Position, PositionState};

/// A view, and the number of the `view!` that wrote it.
pub struct Templated {
    template: u32,
    view: AnyView,
}

impl Templated {
    /// What the `view!` of this number has written.
    pub fn new(template: u32, view: AnyView) -> Self {
        Templated { template, view }
    }
}

/// The elements of a [`Templated`].
pub struct TemplatedState {
    template: u32,
    state: AnyViewState,
}

impl Render for Templated {
    type State = TemplatedState;

    fn build(self) -> TemplatedState {
        TemplatedState { template: self.template, state: self.view.build() }
    }

    fn rebuild(self, state: &mut TemplatedState) {
        if self.template == state.template {
            return self.view.rebuild(&mut state.state);
        }
        let mut new = self.build();
        state.insert_before_this(&mut new);
        state.unmount();
        *state = new;
    }
}

impl Mountable for TemplatedState {
    fn unmount(&mut self) {
        self.state.unmount();
    }

    fn mount(&mut self, parent: &Element, marker: Option<&Node>) {
        self.state.mount(parent, marker);
    }

    fn insert_before_this(&self, child: &mut dyn Mountable) -> bool {
        self.state.insert_before_this(child)
    }

    fn elements(&self) -> Vec<Element> {
        self.state.elements()
    }
}

impl AddAnyAttr for Templated {
    type Output<SomeNewAttr: Attribute> = AnyViewWithAttrs;

    fn add_any_attr<NewAttr: Attribute>(self, attribute: NewAttr) -> AnyViewWithAttrs {
        self.view.add_any_attr(attribute)
    }
}

impl RenderHtml for Templated {
    type AsyncOutput = Self;
    type Owned = Self;

    const MIN_LENGTH: usize = 0;

    fn dry_resolve(&mut self) {
        self.view.dry_resolve();
    }

    async fn resolve(self) -> Self {
        Templated { template: self.template, view: self.view.resolve().await }
    }

    fn to_html_with_buf(
        self,
        html: &mut String,
        position: &mut Position,
        escape: bool,
        mark_branches: bool,
        attributes: Vec<AnyAttribute>,
    ) {
        self.view.to_html_with_buf(html, position, escape, mark_branches, attributes);
    }

    fn hydrate<const FROM_SERVER: bool>(self, cursor: &Cursor, position: &PositionState) -> TemplatedState {
        TemplatedState { template: self.template, state: self.view.hydrate::<FROM_SERVER>(cursor, position) }
    }

    fn into_owned(self) -> Self {
        self
    }
}
