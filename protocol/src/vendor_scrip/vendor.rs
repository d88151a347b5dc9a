//! The shop's side (spec/02): it licenses, serves and settles; to serve it asks nobody.

use crate::amount::Amount;
use crate::ids::{IdType, Serial, VendorId};
use crate::seal::Seal;
use crate::secret::{KeyRing, Secret};
use crate::time::Timestamp;
use crate::vendor_scrip::account::{Account, Spent};
use crate::vendor_scrip::error::VendorScripError;
use crate::vendor_scrip::licence::{Licence, Licensed};
use crate::vendor_scrip::request::{Reply, Request, Return};
use crate::vendor_scrip::settlement::{Settled, Settlement};
use crate::vendor_scrip::{VendorScrip, VendorScripBody};

/// A shop that takes its own scrip.
#[derive(Debug, Clone)]
pub struct Vendor {
    /// Who it is.
    pub vendor_id: VendorId,
    /// The center that sells its scrip.
    pub center_id: VendorId,
    /// The Vendor_Secrets that it shares with the center.
    pub secrets: KeyRing,
    /// Master scrip secrets for change, which the center never has. Their numbers are none of a licence's. A new one
    /// leaves older change good; an old one is removed when all scrip of its time is over.
    pub change_secrets: KeyRing,
    /// What it has licensed; kept until all scrip of a licence is over.
    pub licences: Vec<Licensed>,
}

/// A request that was served. Account and spent ID# are to be stored in one step before anything is handed out.
#[derive(Debug, Clone)]
pub struct Served {
    /// The account as it is now.
    pub account: Account,
    /// What to remember of the ID#.
    pub spent: Spent,
    /// Whether it is new; otherwise nothing changes, and the reply is the first one.
    pub new: bool,
}

/// A purchase that was ended. The account is to be stored before the settlement leaves.
#[derive(Debug, Clone)]
pub struct Ended {
    /// The account as it is now.
    pub account: Account,
    /// For the center, by way of the customer or of the shop.
    pub settlement: Settlement,
}

impl Vendor {
    /// The message that hands one of its licences to the center; `nonces` are random.
    ///
    /// # Errors
    /// [`VendorScripError::Terms`], or [`VendorScripError::Forged`] if the shop's secrets were taken away.
    pub fn licence(&self, licensed: &Licensed, nonces: [[u8; 12]; 2]) -> Result<Licence, VendorScripError> {
        licensed.terms.check()?;
        let (secret_id, secret) = self.secret()?;
        Licence::new(licensed, nonces, secret_id, secret)
    }

    /// Takes `request` for what `offer` says. `account` is what is stored
    /// for the scrip's Cust_ID#, `spent` for its ID#.
    ///
    /// # Errors
    /// [`VendorScripError::Foreign`], [`VendorScripError::Forged`], [`VendorScripError::Spent`],
    /// [`VendorScripError::Ended`], [`VendorScripError::Expired`], [`VendorScripError::Terms`] for another price,
    /// [`VendorScripError::Insufficient`].
    pub fn serve(
        &self,
        request: &Request,
        offer: Offer,
        account: Option<&Account>,
        spent: Option<&Spent>,
        now: Timestamp,
    ) -> Result<Served, VendorScripError> {
        let body = &request.scrip.scrip;
        let customer_secret =
            self.authenticate(&request.scrip, &request.hash, |secret| request.seal(secret))?;
        let account = account.filter(|account| account.customer_id == body.customer_id);
        if let Some(spent) = spent.filter(|spent| spent.id == body.id) {
            return match account {
                Some(account) if spent.request.matches(&request.hash) => {
                    Ok(Served { account: account.clone(), spent: spent.clone(), new: false })
                }
                _ => Err(VendorScripError::Spent),
            };
        }
        let account = account.cloned().unwrap_or_else(|| self.account(body));
        if account.live != Some(body.id) {
            return Err(VendorScripError::Spent);
        }
        if account.ended {
            return Err(VendorScripError::Ended(account.redeemed));
        }
        if now > body.expires {
            return Err(VendorScripError::Expired("The scrip has expired."));
        }
        if request.price != offer.price {
            return Err(VendorScripError::Terms("The price is another one now."));
        }
        let change = self.change(body, request.price, offer.serial)?;
        let redeemed = account.redeemed.checked_add(request.price);
        let redeemed = redeemed.map_err(|_| VendorScripError::Terms("No account holds so much."))?;
        let live = change.as_ref().map(|change| change.scrip.id);
        let mut reply = Reply { digest: offer.digest, change, hash: Seal::from_bytes([0; 32]) };
        reply.hash = reply.seal(request, &customer_secret);
        let spent = Spent { id: body.id, request: request.hash, reply, expires: body.expires };
        Ok(Served { account: Account { live, redeemed, ..account }, spent, new: true })
    }

    /// Ends the purchase that the scrip belongs to, whichever of its scrips it is. The same again changes nothing.
    ///
    /// # Errors
    /// [`VendorScripError::Foreign`], [`VendorScripError::Forged`], [`VendorScripError::Expired`].
    pub fn end(&self, message: &Return, account: Option<&Account>) -> Result<Ended, VendorScripError> {
        let account = Account { ended: true, ..self.standing(message, account)? };
        let settlement = self.settlement(&account)?;
        Ok(Ended { account, settlement })
    }

    /// How the purchase stands that the scrip belongs to, whichever of its scrips it is; nothing changes.
    ///
    /// # Errors
    /// As [`Vendor::end`].
    pub fn standing(&self, message: &Return, account: Option<&Account>) -> Result<Account, VendorScripError> {
        let body = &message.scrip.scrip;
        self.authenticate(&message.scrip, &message.hash, |secret| message.seal(secret))?;
        let account = account.filter(|account| account.customer_id == body.customer_id);
        let account = account.cloned().unwrap_or_else(|| self.account(body));
        if account.live.is_none() && account.redeemed.is_zero() {
            return Err(VendorScripError::Expired("The purchase was forgotten, long after its end."));
        }
        Ok(account)
    }

    /// What to send to the center next, if there is anything that it has not confirmed. Until it has, the same is sent
    /// again.
    ///
    /// # Errors
    /// [`VendorScripError::Forged`] if the shop's secrets were taken away.
    pub fn settle(&self, account: &Account) -> Result<Option<Settlement>, VendorScripError> {
        if account.redeemed == account.settled && (!account.ended || account.closed) {
            return Ok(None);
        }
        self.settlement(account).map(Some)
    }

    /// Takes the center's word that what was redeemed is on the shop's account. An old one changes nothing.
    ///
    /// # Errors
    /// [`VendorScripError::Foreign`], [`VendorScripError::Forged`].
    pub fn confirm(&self, account: &Account, settled: &Settled) -> Result<Account, VendorScripError> {
        if settled.customer_id != account.customer_id || !account.redeemed.covers(settled.redeemed) {
            return Err(VendorScripError::Foreign("The center confirms what was not settled."));
        }
        if !self.secrets.find(settled.secret_id).is_some_and(|secret| settled.holds(secret)) {
            return Err(VendorScripError::Forged("The confirmation is not the center's."));
        }
        let more = settled.redeemed.covers(account.settled);
        let confirmed = if more { settled.redeemed } else { account.settled };
        Ok(Account { settled: confirmed, closed: account.closed || settled.last, ..account.clone() })
    }

    /// That this shop, or the center for it, made `scrip`, and that its owner sealed the message with `theirs`.
    fn authenticate(
        &self,
        scrip: &VendorScrip,
        theirs: &Seal,
        ours: impl FnOnce(&Secret) -> Seal,
    ) -> Result<Secret, VendorScripError> {
        let body = &scrip.scrip;
        if body.vendor_id != self.vendor_id {
            return Err(VendorScripError::Foreign("The scrip is another shop's."));
        }
        let licensed = || self.licences.iter().find_map(|licensed| licensed.scrip(body.id));
        let master = self.change_secrets.find(body.id.secret_id).or_else(licensed);
        if !master.is_some_and(|master| body.certify(master).matches(&scrip.certificate)) {
            return Err(VendorScripError::Forged("The shop did not make the scrip."));
        }
        let customer = self.licences.iter().find_map(|licensed| licensed.customer(body.customer_id));
        let customer = customer.ok_or(VendorScripError::Forged("The shop has no such customer."))?;
        if !ours(&customer).matches(theirs) {
            return Err(VendorScripError::Forged("The scrip's owner has not sealed the message."));
        }
        Ok(customer)
    }

    /// The account of a purchase whose first scrip is seen.
    fn account(&self, first: &VendorScripBody) -> Account {
        let nothing = Amount::zero(first.value.currency());
        Account {
            customer_id: first.customer_id,
            // Change is made with its account. What has none comes after the account was forgotten.
            live: self.change_secrets.find(first.id.secret_id).is_none().then_some(first.id),
            redeemed: nothing,
            expires: first.expires,
            ended: false,
            settled: nothing,
            closed: false,
        }
    }

    fn change(
        &self,
        body: &VendorScripBody,
        price: Amount,
        serial: Serial,
    ) -> Result<Option<VendorScrip>, VendorScripError> {
        let insufficient = VendorScripError::Insufficient { value: body.value, price };
        let value = body.value.checked_sub(price).map_err(|_| insufficient)?;
        if value.is_zero() {
            return Ok(None);
        }
        let none = VendorScripError::Forged("The shop has no secret to make change with.");
        let (secret_id, secret) = self.change_secrets.current().ok_or(none)?;
        let id = IdType { secret_id, serial_number: serial };
        Ok(Some(VendorScrip::new(VendorScripBody { value, id, ..body.clone() }, secret)))
    }

    fn settlement(&self, account: &Account) -> Result<Settlement, VendorScripError> {
        let (secret_id, secret) = self.secret()?;
        let settlement = Settlement {
            vendor_id: self.vendor_id.clone(),
            customer_id: account.customer_id,
            redeemed: account.redeemed,
            last: account.ended,
            secret_id,
            seal: Seal::from_bytes([0; 32]),
        };
        Ok(settlement.sealed(secret))
    }

    fn secret(&self) -> Result<(u32, &Secret), VendorScripError> {
        self.secrets.current().ok_or(VendorScripError::Forged("The shop has no secret to seal with."))
    }
}

/// What the shop gives for a request.
#[derive(Debug, Clone, Copy)]
pub struct Offer {
    /// What it costs.
    pub price: Amount,
    /// SHA-256 of what will be handed out.
    pub digest: [u8; 32],
    /// A number that no change had before.
    pub serial: Serial,
}
