//! The storefront: a shop's articles and campaigns, its offers and deliveries.

pub mod campaigns;
pub mod catalogue;
pub mod folder;
pub mod problem;
