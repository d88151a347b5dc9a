//! What a person looks for on a page: a thing with a role and a name.

use std::fmt;

/// Something on a page, as assistive technology names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    role: &'static str,
    name: String,
    exact: bool,
}

impl Target {
    /// The role, as `locate.js` knows it.
    pub fn role(&self) -> &'static str {
        self.role
    }

    /// The accessible name, or a part of it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether the name must be the whole one.
    pub fn is_exact(&self) -> bool {
        self.exact
    }

    /// The same, where a part of the name is enough.
    #[must_use]
    pub fn containing(mut self) -> Self {
        self.exact = false;
        self
    }

    fn new(role: &'static str, name: impl Into<String>) -> Self {
        Self { role, name: name.into(), exact: true }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "the {} \"{}\"", self.role, self.name)
    }
}

/// A button.
pub fn button(name: impl Into<String>) -> Target {
    Target::new("button", name)
}

/// A link.
pub fn link(name: impl Into<String>) -> Target {
    Target::new("link", name)
}

/// A button or a link: what can be followed.
pub fn control(name: impl Into<String>) -> Target {
    Target::new("control", name)
}

/// A heading.
pub fn heading(name: impl Into<String>) -> Target {
    Target::new("heading", name)
}

/// A field for text, or a choice from a list.
pub fn field(label: impl Into<String>) -> Target {
    Target::new("field", label)
}

/// A field for a file.
pub fn file(label: impl Into<String>) -> Target {
    Target::new("file", label)
}

/// A radio button or check box.
pub fn choice(label: impl Into<String>) -> Target {
    Target::new("choice", label)
}

/// An element that the page marks for tests (`data-testid`): for figures, whose text is what is tested.
pub fn marked(id: impl Into<String>) -> Target {
    Target::new("marked", id)
}
