//! The center over HTTP: a real server on a loopback port over a real SQLite file.

mod again;
mod browsers;
mod buyer;
mod limits;
mod refused;
mod stand;
mod the_loop;
mod wallet_site;
