//! The wallet's site: pages over the wallet core, for the reader.

mod address;
mod app;
mod asker;
mod browser;
mod components;
mod dates;
mod errors;
mod locales;
mod money;
mod pages;
mod state;
mod view;

fn main() {
    #[cfg(debug_assertions)]
    console_error_panic_hook::set_once();
    app::start();
}
