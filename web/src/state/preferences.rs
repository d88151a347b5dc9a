//! Language and look: the reader's choice on this device, or the browser's word.

use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::browser;
use crate::locales::{self, Language};

const LANGUAGE: &str = "tuppence.language";
const THEME: &str = "tuppence.theme";

/// Light, dark, or as the system has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Theme {
    /// As the system has it.
    Auto,
    /// Light.
    Light,
    /// Dark.
    Dark,
}

impl Theme {
    /// All of them, in the order of the settings.
    pub const ALL: [Theme; 3] = [Theme::Auto, Theme::Light, Theme::Dark];

    /// Its name in the page's `data-theme` and on this device.
    pub const fn as_str(self) -> &'static str {
        match self {
            Theme::Auto => "auto",
            Theme::Light => "light",
            Theme::Dark => "dark",
        }
    }
}

/// The language that was chosen or, before that, the browser's word.
pub fn language() -> Language {
    browser::local_get(LANGUAGE)
        .and_then(|tag| Language::of_tag(&tag))
        .or_else(|| browser::languages().iter().find_map(|tag| Language::of_tag(tag)))
        .unwrap_or(Language::English)
}

/// The choices. Copies are the same ones.
#[derive(Debug, Clone, Copy)]
pub struct Preferences {
    /// The language.
    pub language: RwSignal<Language>,
    /// The look.
    pub theme: RwSignal<Theme>,
}

impl Preferences {
    /// Reads what was chosen, and keeps the page's root element in step with it.
    pub fn start() -> Self {
        let theme = browser::local_get(THEME)
            .and_then(|name| Theme::ALL.into_iter().find(|theme| theme.as_str() == name))
            .unwrap_or(Theme::Auto);
        let preferences =
            Preferences { language: RwSignal::new(locales::shown()), theme: RwSignal::new(theme) };
        Effect::new(move || {
            let language = preferences.language.get();
            browser::set_root("lang", language.tag());
            browser::set_root("dir", language.direction());
        });
        Effect::new(move || browser::set_root("data-theme", preferences.theme.get().as_str()));
        preferences
    }

    /// The choices that [`Preferences::start`] has put into the context.
    pub fn current() -> Self {
        expect_context()
    }

    /// Chooses a language, on later visits and, as soon as its sentences are here, now.
    pub fn choose_language(self, language: Language) {
        browser::local_put(LANGUAGE, language.tag());
        spawn_local(async move {
            locales::show(language).await;
            self.language.set(locales::shown());
        });
    }

    /// Chooses a look, now and on later visits.
    pub fn choose_theme(self, theme: Theme) {
        browser::local_put(THEME, theme.as_str());
        self.theme.set(theme);
    }
}
