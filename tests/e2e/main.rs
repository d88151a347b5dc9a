//! What people do with Tuppence, in headless Chromium against the real program.

mod cash_out;
mod earn;
mod interrupted;
mod keyboard;
mod newcomer;
mod pay;
mod publisher;
mod screenshots;
mod settings;
mod tabs;
mod trouble;
