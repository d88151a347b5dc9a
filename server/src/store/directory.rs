//! Sellers and their campaigns: few, and always at hand.

use std::collections::BTreeMap;

use tuppence_protocol::ids::VendorId;
use tuppence_protocol::scrip::Item;

use super::records::{Campaign, Vendor};

/// The sellers and campaigns of a center.
#[derive(Debug, Clone, Default)]
pub struct Directory {
    pub(super) vendors: BTreeMap<u32, Vendor>,
    pub(super) campaigns: BTreeMap<u32, Campaign>,
    numbers: BTreeMap<VendorId, u32>,
    items: BTreeMap<(u32, Item), u32>,
}

impl Directory {
    /// The seller of this number, from 1; the center itself, 0, is not in the directory.
    pub fn vendor(&self, number: u32) -> Option<&Vendor> {
        self.vendors.get(&number)
    }

    /// The seller that is wholly this one.
    pub fn vendor_by_id(&self, id: &VendorId) -> Option<&Vendor> {
        self.vendor(*self.numbers.get(id)?)
    }

    /// All sellers, by number.
    pub fn vendors(&self) -> impl Iterator<Item = &Vendor> {
        self.vendors.values()
    }

    /// The campaign of this number.
    pub fn campaign(&self, number: u32) -> Option<&Campaign> {
        self.campaigns.get(&number)
    }

    /// The campaign of a seller's item.
    pub fn campaign_by_item(&self, vendor: u32, item: &Item) -> Option<&Campaign> {
        self.campaign(*self.items.get(&(vendor, item.clone()))?)
    }

    /// All campaigns, by number.
    pub fn campaigns(&self) -> impl Iterator<Item = &Campaign> {
        self.campaigns.values()
    }

    pub(super) fn put_vendor(&mut self, vendor: Vendor) {
        self.numbers.insert(vendor.id.clone(), vendor.number);
        self.vendors.insert(vendor.number, vendor);
    }

    pub(super) fn put_campaign(&mut self, campaign: Campaign) {
        self.items.insert((campaign.vendor, campaign.item.clone()), campaign.number);
        self.campaigns.insert(campaign.number, campaign);
    }
}
