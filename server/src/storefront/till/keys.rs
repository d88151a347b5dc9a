//! What the till stands on: the center's public keys, the shop's licences and its secrets of change. All of it is kept,
//! so that a shop that starts while its center is away sells as before.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use rusqlite::Connection;
use tuppence_protocol::ids::Serial;
use tuppence_protocol::vendor_scrip::{GRACE, IdRange, LicenceTerms, Licensed, Vendor};
use tuppence_protocol::{Duration, KeyRing, PublicKeys, Refusal, Secret, Timestamp, VendorId};

use crate::storefront::store::{self, till as rows, till::ChangeSecret, till::KeptLicence};
use crate::storefront::{Storefront, fault};

/// Under which name the store keeps the center's keys.
const KEYS_SETTING: &str = "payword-keys";
/// How soon the center is asked for its keys again.
const ASKED_AGAIN: Duration = Duration::from_minutes(1);
/// How many scrips a licence is for.
const COUNT: u32 = 100_000;
/// How long scrip of a licence can be spent. In the second half of that, a new licence is made.
const LICENCE_LIFETIME: Duration = Duration::from_days(90);
const LICENCE_RENEWED: Duration = Duration::from_days(45);
/// How long change is made with one secret.
const CHANGE_ROTATED: Duration = Duration::from_days(90);
/// The numbers of change secrets have this bit; those of licences, minutes since 1970, don't.
const CHANGE_BIT: u32 = 1 << 31;

impl Storefront {
    /// Takes what is kept of an earlier run, for the center `center_id`.
    pub(in crate::storefront) fn prepare_from_store(&self, center_id: &VendorId) -> store::Result<()> {
        if let Some(text) = self.store.blocking().setting(KEYS_SETTING)?
            && let Ok(keys) = serde_json::from_str(&text)
        {
            self.take_paywords(center_id.clone(), keys);
        }
        let (licences, change) =
            self.store.blocking().read(|store| Ok((rows::licences(store)?, rows::change_secrets(store)?)))?;
        self.take_scrip(center_id, licences, change);
        Ok(())
    }

    /// Fetches the center's keys, and keeps licences and secrets of change as young as they must be. Safe to repeat.
    pub(in crate::storefront) async fn prepare(&self) -> Result<(), Refusal> {
        if self.till.asked.load(Ordering::Relaxed) == 0 {
            self.learn_keys().await?;
        }
        if self.settings.till.taken || self.till.scrip.load().is_some() {
            self.license().await?;
        }
        Ok(())
    }

    /// Whether the center may have a key that this shop does not know: then it is asked, though not for every forger.
    pub(super) fn may_ask_for_keys(&self) -> bool {
        let asked = Timestamp::from_millis(self.till.asked.load(Ordering::Relaxed));
        self.now().since(asked) >= ASKED_AGAIN
    }

    /// Fetches the center's keys.
    pub(super) async fn learn_keys(&self) -> Result<(), Refusal> {
        let center_id = self.seller()?.center_id().clone();
        let keys: PublicKeys = self.center.payword_keys().await?;
        let text = serde_json::to_string(&keys).map_err(fault)?;
        self.store.run(move |store| store.keep_setting(KEYS_SETTING, &text)).await?;
        self.take_paywords(center_id, keys);
        self.till.asked.store(self.now().as_millis().max(1), Ordering::Relaxed);
        Ok(())
    }

    pub(in crate::storefront) async fn license(&self) -> Result<(), Refusal> {
        let (center_id, now) = (self.seller()?.center_id().clone(), self.now());
        let mut fresh = [0; 96];
        self.ports.random.fill(&mut fresh).map_err(fault)?;
        let fresh = Fresh { secrets: split(&fresh), taken: self.settings.till.taken };
        let (vendor_id, center) = (self.settings.credentials.vendor_id.clone(), center_id.clone());
        let renewed = self.store.commit(move |store| {
            rotate_change(store, &fresh, now)?;
            let licences = renew(store, &fresh, vendor_id, center, now)?;
            Ok((licences, rows::change_secrets(store)?))
        });
        let (mut licences, change) = renewed.await?;
        if let Some(newest) = licences.last_mut().filter(|newest| !newest.confirmed) {
            self.hand_over(&center_id, newest).await?;
        }
        self.take_scrip(&center_id, licences, change);
        Ok(())
    }

    /// Hands the center a licence that it has not confirmed.
    async fn hand_over(&self, center_id: &VendorId, newest: &mut KeptLicence) -> Result<(), Refusal> {
        let mut nonces = [0; 24];
        self.ports.random.fill(&mut nonces).map_err(fault)?;
        let [first, second] = [0, 12].map(|from| std::array::from_fn(|at| nonces[from + at]));
        let vendor = self.vendor(center_id, Vec::new(), empty());
        let licence = vendor.licence(&newest.licensed, [first, second])?;
        self.center.license(&licence).await?;
        newest.confirmed = true;
        let kept = newest.clone();
        self.store.commit(move |store| rows::keep_licence(store, &kept)).await
    }

    /// Takes scrip of these licences, once the center has one of them.
    fn take_scrip(&self, center_id: &VendorId, licences: Vec<KeptLicence>, change: Vec<ChangeSecret>) {
        if !licences.iter().any(|licence| licence.confirmed) {
            return;
        }
        let mut ring = empty();
        for ChangeSecret { id, secret, .. } in change {
            // Each number is kept once.
            let _ = ring.add(id, secret);
        }
        let licences = licences.into_iter().map(|licence| licence.licensed).collect();
        self.till.scrip.store(Some(Arc::new(self.vendor(center_id, licences, ring))));
    }

    fn vendor(&self, center_id: &VendorId, licences: Vec<Licensed>, change_secrets: KeyRing) -> Vendor {
        let credentials = self.settings.credentials.clone();
        Vendor {
            vendor_id: credentials.vendor_id,
            center_id: center_id.clone(),
            secrets: credentials.secrets,
            change_secrets,
            licences,
        }
    }
}

/// New secrets, should they be needed.
struct Fresh {
    secrets: [Secret; 3],
    /// Whether new budgets are taken, so that there shall be a licence.
    taken: bool,
}

fn split(bytes: &[u8; 96]) -> [Secret; 3] {
    [0, 32, 64].map(|from| Secret::from_bytes(std::array::from_fn(|at| bytes[from + at])))
}

fn empty() -> KeyRing {
    let mut ring = KeyRing::new(0, Secret::from_bytes([0; 32]));
    ring.remove(0);
    ring
}

/// Makes a new secret of change where the newest is old, and forgets those whose change is over.
fn rotate_change(store: &Connection, fresh: &Fresh, now: Timestamp) -> store::Result<()> {
    let kept = rows::change_secrets(store)?;
    let newest = kept.last();
    if newest.is_none_or(|newest| now.since(newest.since) >= CHANGE_ROTATED) {
        let id = newest.map_or(0, |newest| newest.id.saturating_add(1)).max(CHANGE_BIT | minutes(now));
        let secret = fresh.secrets[0].clone();
        rows::keep_change_secret(store, &ChangeSecret { id, secret, since: now })?;
    }
    for (older, newer) in kept.iter().zip(kept.iter().skip(1)) {
        let over = Duration::from_millis(LICENCE_LIFETIME.as_millis() + GRACE.as_millis());
        if now.since(newer.since) > over {
            rows::forget_change_secret(store, older.id)?;
        }
    }
    Ok(())
}

/// The licences, the last of which is young and far from used up.
fn renew(
    store: &Connection,
    fresh: &Fresh,
    vendor_id: VendorId,
    center_id: VendorId,
    now: Timestamp,
) -> store::Result<Vec<KeptLicence>> {
    let mut licences = rows::licences(store)?;
    let newest = licences.last().map(|newest| &newest.licensed.terms);
    let highest = newest.map(|terms| rows::highest_customer(store, terms.customers.secret_id)).transpose()?;
    let used = highest.flatten().unwrap_or(0);
    let good = newest.is_some_and(|terms| {
        terms.center_id == center_id
            && terms.vendor_id == vendor_id
            && terms.expires > now.plus(LICENCE_RENEWED)
            && used < u64::from(COUNT / 4 * 3)
    });
    if good || !fresh.taken {
        return Ok(licences);
    }
    let number = newest.map_or(0, |terms| terms.number.saturating_add(1)).max(minutes(now));
    let numbers = IdRange { secret_id: number, first: Serial::FIRST };
    let terms = LicenceTerms {
        vendor_id,
        center_id,
        number,
        scrips: numbers,
        customers: numbers,
        count: COUNT,
        expires: now.plus(LICENCE_LIFETIME),
        props: tuppence_protocol::Text::normalized("")
            .map_err(|error| store::ShopStoreError::Row(error.to_string()))?,
    };
    let [_, scrip_secret, customer_secret] = fresh.secrets.clone();
    let kept = KeptLicence { licensed: Licensed { terms, scrip_secret, customer_secret }, confirmed: false };
    rows::keep_licence(store, &kept)?;
    licences.push(kept);
    Ok(licences)
}

/// Minutes since 1970: numbers that rise also where the store was lost.
fn minutes(now: Timestamp) -> u32 {
    u32::try_from(now.as_millis() / 60_000).unwrap_or(u32::MAX) & !CHANGE_BIT
}
