//! What people do with Tuppence, in a browser against the real program.

mod album;
mod cash_out;
mod earn;
mod embed;
mod in_front;
mod interrupted;
mod keyboard;
mod newcomer;
mod pay;
mod private;
mod publisher;
mod recovery;
mod settings;
mod shops;
mod stage;
mod tabs;
mod trouble;
mod without_a_browser;
