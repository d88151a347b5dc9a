//! Screens: their sizes, colour schemes and motion.

/// What a person looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Screen {
    /// Width in CSS pixels.
    pub width: u32,
    /// Height in CSS pixels.
    pub height: u32,
    /// Whether the system is set to dark.
    pub dark: bool,
    /// Whether the system asks for less motion.
    pub calm: bool,
}

impl Screen {
    /// A phone.
    pub const PHONE: Self = Self::of_width(360);
    /// A desktop window.
    pub const DESKTOP: Self = Self::of_width(1280);

    /// Of this width, light, with motion, and high as such screens are.
    pub const fn of_width(width: u32) -> Self {
        let height = if width < 700 { 740 } else { 900 };
        Self { width, height, dark: false, calm: false }
    }

    /// The same in the dark.
    #[must_use]
    pub const fn dark(self) -> Self {
        Self { dark: true, ..self }
    }

    /// The same with less motion.
    #[must_use]
    pub const fn calm(self) -> Self {
        Self { calm: true, ..self }
    }

    /// `320-dark`.
    pub fn name(self) -> String {
        format!("{}-{}", self.width, if self.dark { "dark" } else { "light" })
    }
}
