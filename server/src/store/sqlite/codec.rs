//! Records as columns, and back. A row that does not parse is named, never guessed at.

use std::error::Error;

use rusqlite::types::{FromSql, Value};
use rusqlite::{Row, ToSql};
use serde::{Deserialize, Serialize};
use tuppence_protocol::ids::{IdType, Serial};
use tuppence_protocol::payword::{self, AuthorityId, Countersigned, Payword, Position};
use tuppence_protocol::recovery::notes::{Notes, Sealed};
use tuppence_protocol::scrip::center::{Purse, ScripState, Step, StepKey, StepKind, StepState};
use tuppence_protocol::vendor_scrip::{self, LicenceState, Licensed, Order, OrderId, VendorScrip};
use tuppence_protocol::{Amount, Currency, HashAlgorithm, Seal, Text, Timestamp, TranId, WalletId};

use super::super::records::{
    Campaign, Claim, Direction, Epoch, EpochReason, KeptLicence, KeptNotes, Movement, Payout, PayoutState,
    Registration, Reservation, Sale, Vendor,
};
use crate::ledger::{AccountId, Posting, Transfer};

/// Room for a row of any table, so that none is moved while it is put together.
const PARAMETERS_MAX: usize = 32;

/// Why a row does not parse.
pub(super) type Misfit = Box<dyn Error + Send + Sync>;

pub(super) const PURSE: &str = "customer, customer_secret_id, live_algorithm, live_secret_id, live_serial, \
     live_value, live_ad, live_expires, pending_vendor, pending_tran";
pub(super) const STEP: &str = "vendor, tran_id, kind, customer, amount, fee, subject, secret_id, request_hash, \
     old_algorithm, old_secret_id, old_serial, old_value, old_ad, old_expires, \
     new_algorithm, new_secret_id, new_serial, new_value, new_ad, new_expires, \
     started, state, ended, \
     void_algorithm, void_secret_id, void_serial, void_value, void_ad, void_expires";
pub(super) const REGISTRATION: &str = "customer, wallet, digest, nonce, first_algorithm, first_secret_id, \
     first_serial, first_value, first_ad, first_expires, wallet_key, name, address, e_mail, at";
pub(super) const VENDOR: &str = "number, id, origin, secrets, at";
pub(super) const CAMPAIGN: &str = "number, vendor, item, budget, funded, asked";
pub(super) const PAYOUT: &str = "number, step_vendor, step_tran, customer, amount, fee, destination, ordered, \
     state, ended, note";
pub(super) const TRANSFER: &str = "number, debit_kind, debit_number, credit_kind, credit_number, amount, posting, \
     step_vendor, step_tran, payout, movement, at";
pub(super) const EPOCH: &str = "number, began, reason, lost";
pub(super) const CLAIM: &str = "customer, customer_secret_id, shown_algorithm, shown_secret_id, shown_serial, \
     shown_value, shown_ad, shown_expires, known_serial, known_value, at";
pub(super) const MOVEMENT: &str = "reference, vendor, direction, amount, at";
pub(super) const NOTES: &str = "customer, version, sealed, at";

pub(super) const RESERVATION: &str = "id, step_vendor, step_tran, vendor, customer, customer_secret_id, value, \
     unit, units, fee_basis_points, due, countersigned, funded, paid_index, paid_payword, closed";

pub(super) const LICENCE: &str = "vendor, number, licensed, total, used";
pub(super) const SALE: &str = "id, step_vendor, step_tran, vendor, licence, purchase_secret_id, purchase_serial, \
     customer, customer_secret_id, value, fee_basis_points, due, content, funded, redeemed, closed";

/// What of a sale is kept as it is.
#[derive(Serialize, Deserialize)]
pub(super) struct SaleContent {
    pub order: Order,
    pub scrip: VendorScrip,
}

/// A row's columns, from left to right.
pub(super) struct Columns<'r> {
    row: &'r Row<'r>,
    index: usize,
    currency: Currency,
}

impl<'r> Columns<'r> {
    pub fn new(row: &'r Row<'r>, currency: Currency) -> Self {
        Columns { row, index: 0, currency }
    }

    fn take<T: FromSql>(&mut self) -> Result<T, Misfit> {
        let value = self.row.get(self.index)?;
        self.index += 1;
        Ok(value)
    }

    fn u64(&mut self) -> Result<u64, Misfit> {
        Ok(u64::try_from(self.take::<i64>()?)?)
    }

    fn u32(&mut self) -> Result<u32, Misfit> {
        Ok(u32::try_from(self.take::<i64>()?)?)
    }

    fn serial(&mut self) -> Result<Serial, Misfit> {
        Ok(Serial::try_from(self.u64()?)?)
    }

    fn time(&mut self) -> Result<Timestamp, Misfit> {
        Ok(Timestamp::try_from(self.u64()?)?)
    }

    fn amount(&mut self) -> Result<Amount, Misfit> {
        Ok(Amount::new(self.currency, self.u64()?)?)
    }

    fn text<const MAX: usize>(&mut self) -> Result<Text<MAX>, Misfit> {
        Ok(self.take::<String>()?.parse()?)
    }

    fn text_or_null<const MAX: usize>(&mut self) -> Result<Option<Text<MAX>>, Misfit> {
        Ok(self.take::<Option<String>>()?.map(|text| text.parse()).transpose()?)
    }

    fn bytes<const N: usize>(&mut self) -> Result<[u8; N], Misfit> {
        self.take()
    }

    fn scrip(&mut self) -> Result<ScripState, Misfit> {
        Ok(ScripState {
            algorithm: match self.take::<String>()?.as_str() {
                "hmac-sha256" => HashAlgorithm::HmacSha256,
                "sha256" => HashAlgorithm::Sha256,
                other => return Err(format!("the hash algorithm {other:?} is unknown").into()),
            },
            secret_id: self.u32()?,
            serial: self.serial()?,
            value: self.amount()?,
            ad: self.text_or_null()?,
            expires: self.time()?,
        })
    }

    fn key_or_null(&mut self) -> Result<Option<StepKey>, Misfit> {
        let (vendor, tran_id) = (self.take::<Option<i64>>()?, self.take::<Option<[u8; 16]>>()?);
        match (vendor, tran_id) {
            (None, None) => Ok(None),
            (Some(vendor), Some(tran_id)) => {
                Ok(Some(StepKey { vendor: u32::try_from(vendor)?, tran_id: TranId::from_bytes(tran_id) }))
            }
            _ => Err("half a step's key".into()),
        }
    }

    pub fn key(&mut self) -> Result<StepKey, Misfit> {
        self.key_or_null()?.ok_or_else(|| "a step's key is missing".into())
    }

    fn account(&mut self) -> Result<AccountId, Misfit> {
        let (kind, number) = (self.take::<String>()?, self.u64()?);
        let account = match kind.as_str() {
            "purse" => return Ok(AccountId::Purse(number)),
            "vendor" => return Ok(AccountId::Vendor(u32::try_from(number)?)),
            "campaign" => return Ok(AccountId::Campaign(u32::try_from(number)?)),
            "reserve" => AccountId::Reserve,
            "transit" => AccountId::Transit,
            "fees" => AccountId::Fees,
            "payouts" => AccountId::Payouts,
            "reservations" => AccountId::Reservations,
            other => return Err(format!("the account {other:?} is unknown").into()),
        };
        if number == 0 { Ok(account) } else { Err(format!("there is only one account {kind:?}").into()) }
    }

    pub fn purse(&mut self) -> Result<Purse, Misfit> {
        let serial_number = self.serial()?;
        Ok(Purse {
            custom_id: IdType { secret_id: self.u32()?, serial_number },
            live: self.scrip()?,
            pending: self.key_or_null()?,
        })
    }

    pub fn step(&mut self) -> Result<Step, Misfit> {
        Ok(Step {
            key: self.key()?,
            kind: match self.take::<String>()?.as_str() {
                "issue" => StepKind::Issue,
                "payment" => StepKind::Payment,
                "cash-out" => StepKind::CashOut,
                other => return Err(format!("the kind {other:?} is unknown").into()),
            },
            customer: self.serial()?,
            amount: self.amount()?,
            fee: self.amount()?,
            subject: self.text()?,
            secret_id: self.u32()?,
            request_hash: Seal::from_bytes(self.bytes()?),
            old: self.scrip()?,
            new: self.scrip()?,
            started: self.time()?,
            state: match self.take::<String>()?.as_str() {
                "pending" => StepState::Pending,
                "posted" => StepState::Posted(self.time()?),
                "voided" => StepState::Voided(self.time()?, self.scrip()?),
                other => return Err(format!("the state {other:?} is unknown").into()),
            },
        })
    }

    pub fn registration(&mut self) -> Result<Registration, Misfit> {
        let customer = self.serial()?;
        Ok(Registration {
            wallet: WalletId::from_bytes(self.bytes()?),
            digest: self.bytes()?,
            customer,
            nonce: self.bytes()?,
            first: self.scrip()?,
            wallet_key: self.bytes()?,
            name: self.text_or_null()?,
            address: self.text_or_null()?,
            e_mail: self.text_or_null()?,
            at: self.time()?,
        })
    }

    pub fn vendor(&mut self) -> Result<Vendor, Misfit> {
        Ok(Vendor {
            number: self.u32()?,
            id: serde_json::from_str(&self.take::<String>()?)?,
            origin: self.text()?,
            secrets: serde_json::from_slice(&self.take::<Vec<u8>>()?)?,
            at: self.time()?,
        })
    }

    pub fn campaign(&mut self) -> Result<Campaign, Misfit> {
        Ok(Campaign {
            number: self.u32()?,
            vendor: self.u32()?,
            item: self.text()?,
            budget: self.amount()?,
            funded: self.amount()?,
            asked: self.time()?,
        })
    }

    pub fn payout(&mut self) -> Result<Payout, Misfit> {
        Ok(Payout {
            number: self.u64()?,
            step: self.key()?,
            customer: self.serial()?,
            amount: self.amount()?,
            fee: self.amount()?,
            destination: self.text()?,
            ordered: self.time()?,
            state: match self.take::<String>()?.as_str() {
                "ordered" => PayoutState::Ordered,
                "confirmed" => PayoutState::Confirmed(self.time()?, self.text()?),
                "returned" => PayoutState::Returned(self.time()?, self.text()?),
                other => return Err(format!("the state {other:?} is unknown").into()),
            },
        })
    }

    pub fn reservation(&mut self) -> Result<Reservation, Misfit> {
        let (id, step, vendor) = (AuthorityId::from_bytes(self.bytes()?), self.key()?, self.u32()?);
        let custom_id = IdType { serial_number: self.serial()?, secret_id: self.u32()? };
        let (value, unit, units) = (self.amount()?, self.amount()?, self.u32()?);
        let fee_basis_points = u16::try_from(self.u32()?)?;
        let (due, countersigned) = (self.time()?, self.take::<String>()?);
        let countersigned: Countersigned = serde_json::from_str(&countersigned)?;
        let funded = self.take::<i64>()? == 1;
        let paid = Position { index: self.u32()?, payword: Payword::from_bytes(self.bytes()?) };
        let closed = self.take::<Option<u64>>()?.map(Timestamp::try_from).transpose()?;
        let tran_id = step.tran_id;
        let kept = payword::Reservation { countersigned, tran_id, custom_id, fee_basis_points, paid, closed };
        let reservation = Reservation { vendor, funded, kept };
        let authority = reservation.kept.countersigned.authority();
        let same = reservation.id() == id
            && reservation.step() == step
            && reservation.due() == due
            && authority.value().ok() == Some(value)
            && (authority.unit, authority.length) == (unit, units);
        if same { Ok(reservation) } else { Err("its columns and its authority disagree".into()) }
    }

    pub fn licence(&mut self) -> Result<KeptLicence, Misfit> {
        let (vendor, number) = (self.u32()?, self.u32()?);
        let licensed: Licensed = serde_json::from_slice(&self.take::<Vec<u8>>()?)?;
        let (total, used) = (self.u32()?, self.u32()?);
        let same = licensed.terms.number == number && licensed.terms.count == total;
        let licence = KeptLicence { vendor, state: LicenceState { licensed, used } };
        if same { Ok(licence) } else { Err("its columns and its terms disagree".into()) }
    }

    pub fn sale(&mut self) -> Result<Sale, Misfit> {
        let (id, step) = (self.bytes::<32>()?, self.key()?);
        let (vendor, licence) = (self.u32()?, self.u32()?);
        let purchase = (vendor, self.u32()?, self.serial()?);
        let custom_id = IdType { serial_number: self.serial()?, secret_id: self.u32()? };
        let value = self.amount()?;
        let fee_basis_points = u16::try_from(self.u32()?)?;
        let due = self.time()?;
        let SaleContent { order, scrip } = serde_json::from_str(&self.take::<String>()?)?;
        let (funded, redeemed) = (self.take::<i64>()? == 1, self.amount()?);
        let closed = self.take::<Option<u64>>()?.map(Timestamp::try_from).transpose()?;
        let tran_id = step.tran_id;
        let kept = vendor_scrip::Sale {
            order,
            tran_id,
            custom_id,
            licence,
            scrip,
            fee_basis_points,
            redeemed,
            closed,
        };
        let sale = Sale { vendor, funded, kept };
        let same = *sale.id().as_bytes() == id
            && sale.step() == step
            && sale.purchase() == purchase
            && sale.kept.due() == due
            && sale.kept.order.value == value;
        if same { Ok(sale) } else { Err("its columns and its order disagree".into()) }
    }

    pub fn order_id(&mut self) -> Result<OrderId, Misfit> {
        Ok(OrderId::from_bytes(self.bytes()?))
    }

    pub fn reservation_id(&mut self) -> Result<AuthorityId, Misfit> {
        Ok(AuthorityId::from_bytes(self.bytes()?))
    }

    pub fn movement(&mut self) -> Result<Movement, Misfit> {
        Ok(Movement {
            reference: self.text()?,
            vendor: self.u32()?,
            direction: match self.take::<String>()?.as_str() {
                "deposit" => Direction::Deposit,
                "withdrawal" => Direction::Withdrawal,
                other => return Err(format!("the direction {other:?} is unknown").into()),
            },
            amount: self.amount()?,
            at: self.time()?,
        })
    }

    pub fn epoch(&mut self) -> Result<Epoch, Misfit> {
        let (number, began, reason) = (self.u32()?, self.time()?, self.take::<String>()?);
        let known = EpochReason::ALL.into_iter().find(|known| known.as_str() == reason);
        Ok(Epoch {
            number,
            began,
            reason: known.ok_or_else(|| format!("the reason {reason:?} is unknown"))?,
            lost: self.take::<Option<String>>()?.map(|head| head.parse()).transpose()?,
        })
    }

    pub fn claim(&mut self) -> Result<Claim, Misfit> {
        let serial_number = self.serial()?;
        let (secret_id, shown) = (self.u32()?, self.scrip()?);
        let known = match (self.take::<Option<u64>>()?, self.take::<Option<u64>>()?) {
            (None, None) => None,
            (Some(serial), Some(micros)) => {
                Some((Serial::try_from(serial)?, Amount::new(self.currency, micros)?))
            }
            _ => return Err("half of what the books had".into()),
        };
        Ok(Claim { custom_id: IdType { secret_id, serial_number }, shown, known, at: self.time()? })
    }

    pub fn notes(&mut self) -> Result<KeptNotes, Misfit> {
        let customer = self.serial()?;
        let version = self.serial()?;
        let sealed = Sealed::try_from(self.take::<Vec<u8>>()?)?;
        Ok(KeptNotes { customer, notes: Notes { version, sealed }, at: self.time()? })
    }

    pub fn balance(&mut self) -> Result<(AccountId, i64), Misfit> {
        Ok((self.account()?, self.take()?))
    }

    pub fn salt(&mut self) -> Result<([u8; 16], Timestamp), Misfit> {
        Ok((self.bytes()?, self.time()?))
    }

    pub fn transfer(&mut self) -> Result<(u64, Transfer), Misfit> {
        let number = self.u64()?;
        let (debit, credit, amount) = (self.account()?, self.account()?, self.amount()?);
        let posting = self.take::<String>()?;
        let known = Posting::ALL.into_iter().find(|known| known.as_str() == posting);
        let transfer = Transfer {
            debit,
            credit,
            amount,
            posting: known.ok_or_else(|| format!("the posting {posting:?} is unknown"))?,
            step: self.key_or_null()?,
            payout: self.take::<Option<i64>>()?.map(u64::try_from).transpose()?,
            movement: self.text_or_null()?,
            at: self.time()?,
        };
        Ok((number, transfer))
    }
}

/// The kind and number by which an account is stored.
pub(super) fn account(account: AccountId) -> (&'static str, u64) {
    match account {
        AccountId::Reserve => ("reserve", 0),
        AccountId::Purse(number) => ("purse", number),
        AccountId::Vendor(number) => ("vendor", u64::from(number)),
        AccountId::Campaign(number) => ("campaign", u64::from(number)),
        AccountId::Transit => ("transit", 0),
        AccountId::Fees => ("fees", 0),
        AccountId::Payouts => ("payouts", 0),
        AccountId::Reservations => ("reservations", 0),
    }
}

/// The name by which a step's kind is stored.
pub(super) const fn kind(kind: StepKind) -> &'static str {
    match kind {
        StepKind::Issue => "issue",
        StepKind::Payment => "payment",
        StepKind::CashOut => "cash-out",
    }
}

/// The name by which a movement's direction is stored.
pub(super) const fn direction(direction: Direction) -> &'static str {
    match direction {
        Direction::Deposit => "deposit",
        Direction::Withdrawal => "withdrawal",
    }
}

/// A number on the wire is at most 2^53 - 1, so that it always fits; should it not, the database's own checks
/// refuse what takes its place.
pub(super) fn int(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MIN)
}

/// Parameters of a statement, from left to right.
pub(super) struct Parameters(Vec<Value>);

impl Default for Parameters {
    fn default() -> Self {
        Parameters(Vec::with_capacity(PARAMETERS_MAX))
    }
}

impl Parameters {
    pub fn value(mut self, value: impl Into<Value>) -> Self {
        self.0.push(value.into());
        self
    }

    pub fn number(self, number: impl Into<u64>) -> Self {
        self.value(int(number.into()))
    }

    pub fn text(self, text: &str) -> Self {
        self.value(text.to_owned())
    }

    pub fn text_or_null(self, text: Option<&str>) -> Self {
        self.value(text.map(str::to_owned))
    }

    pub fn bytes(self, bytes: &[u8]) -> Self {
        self.value(bytes.to_vec())
    }

    pub fn key(self, key: &StepKey) -> Self {
        self.number(key.vendor).bytes(key.tran_id.as_bytes())
    }

    pub fn key_or_null(self, key: Option<&StepKey>) -> Self {
        match key {
            Some(key) => self.key(key),
            None => self.value(Value::Null).value(Value::Null),
        }
    }

    pub fn account(self, id: AccountId) -> Self {
        let (kind, number) = account(id);
        self.text(kind).number(number)
    }

    pub fn scrip(self, scrip: &ScripState) -> Self {
        self.text(scrip.algorithm.as_str())
            .number(scrip.secret_id)
            .number(scrip.serial)
            .number(scrip.value.micros())
            .text_or_null(scrip.ad.as_ref().map(Text::as_str))
            .number(scrip.expires)
    }

    /// `state` and `ended`, and the scrip that a void gave.
    pub fn step_state(self, state: &StepState) -> Self {
        match state {
            StepState::Pending => self.text("pending").nulls(7),
            StepState::Posted(at) => self.text("posted").number(*at).nulls(6),
            StepState::Voided(at, scrip) => self.text("voided").number(*at).scrip(scrip),
        }
    }

    /// `state`, `ended` and `note`.
    pub fn payout_state(self, state: &PayoutState) -> Self {
        match state {
            PayoutState::Ordered => self.text("ordered").nulls(2),
            PayoutState::Confirmed(at, note) => self.text("confirmed").number(*at).text(note.as_str()),
            PayoutState::Returned(at, note) => self.text("returned").number(*at).text(note.as_str()),
        }
    }

    fn nulls(mut self, count: usize) -> Self {
        self.0.resize(self.0.len() + count, Value::Null);
        self
    }

    pub fn all(&self) -> impl Iterator<Item = &dyn ToSql> {
        self.0.iter().map(|value| value as &dyn ToSql)
    }

    /// The columns as they are stored.
    pub fn values(&self) -> &[Value] {
        &self.0
    }
}
