//! Whoever means harm: owns two purses and a registered shop, sees messages go by, and sends what nobody should.

use serde::Serialize;
use serde_json::Value;
use tuppence_protocol::challenge::{Solution, solve};
use tuppence_protocol::ids::Serial;
use tuppence_protocol::scrip::campaign::CampaignFunding;
use tuppence_protocol::scrip::center::Center;
use tuppence_protocol::scrip::earner::{AttestationRequest, earner};
use tuppence_protocol::scrip::finish::{Finish, Transaction};
use tuppence_protocol::scrip::issue::{IssueOffer, IssueStart};
use tuppence_protocol::scrip::payment::{
    DeliveryMethod, PaymentMethod, PaymentOffer, PaymentStart, PurchaseRequest,
};
use tuppence_protocol::scrip::registration::RegistrationRequest;
use tuppence_protocol::scrip::relay::RelayRequest;
use tuppence_protocol::scrip::{Code, Header, Scrip};
use tuppence_protocol::{Amount, HashAlgorithm, IdType, Seal, Secret, Timestamp, TranId, VendorId, WalletId};

use crate::chance::Chance;
use crate::fixture::{self, ROGUE_PURSES, ROGUE_VENDOR, SHOPS, usd};
use crate::kernel::{Party, Reply};

/// How many messages are remembered.
const SEEN_MAX: usize = 60;
const UNSEALED: Seal = Seal::from_bytes([0; 32]);
/// The rogue shop's campaign.
pub const BAIT: &str = "bait";

/// A message to be sent.
pub type Letter = (Party, String, Vec<u8>);

/// The rogue.
pub struct Rogue {
    center: Center,
    pub(crate) chance: Chance,
    /// Whether scrip may be shown that no books of this run ever gave.
    shows_lost: bool,
    seen: Vec<Letter>,
    /// Of these, what was about budgets; kept apart, since there are fewer.
    pub(crate) kept: Vec<Letter>,
    /// Every scrip that the first purse had, the newest last.
    scrips: Vec<Scrip>,
    /// Transactions begun with it: whether an issue, the seller, and with which new scrip, as far as that is known.
    begun: Vec<(bool, VendorId, TranId, Option<Scrip>)>,
}

impl Rogue {
    /// A rogue with an empty purse.
    pub fn new(chance: Chance, shows_lost: bool) -> Self {
        let center = fixture::center();
        let purse = fixture::purse(&center, ROGUE_PURSES[0], 1);
        let scrip = center.live_scrip(&purse).expect("the fixture's key rings have secrets");
        Rogue {
            center,
            chance,
            shows_lost,
            seen: Vec::new(),
            kept: Vec::new(),
            scrips: vec![scrip],
            begun: Vec::new(),
        }
    }

    /// A message goes by.
    pub fn sees(&mut self, to: Party, path: &str, body: &[u8]) {
        let place = if self.seen.len() < SEEN_MAX { self.seen.len() } else { self.chance.place(SEEN_MAX) };
        self.seen.truncate(SEEN_MAX);
        let letter = (to, path.to_owned(), body.to_vec());
        if (path.starts_with("payword/") || path.starts_with("vendor-scrip/")) && matches!(to, Party::Shop(_))
        {
            let place =
                if self.kept.len() < SEEN_MAX { self.kept.len() } else { self.chance.place(SEEN_MAX) };
            if place < self.kept.len() {
                self.kept[place] = letter.clone()
            } else {
                self.kept.push(letter.clone())
            }
        }
        if place < self.seen.len() { self.seen[place] = letter } else { self.seen.push(letter) }
    }

    /// An answer to one of the rogue's own messages.
    pub fn hears(&mut self, reply: &Reply) {
        let Ok(message) = serde_json::from_slice::<Value>(&reply.body) else { return };
        let inner = message.get("ecash").or(message.get("balance")).unwrap_or(&message);
        let Ok(scrip) = serde_json::from_value::<Scrip>(inner["newScrip"].clone()) else { return };
        let tran: Option<TranId> = serde_json::from_value(inner["tranId"].clone()).ok();
        if scrip.scrip.custom_id.serial_number.get() != ROGUE_PURSES[0] {
            return;
        }
        for (_, _, begun, new) in &mut self.begun {
            if Some(*begun) == tran && new.is_none() {
                *new = Some(scrip.clone());
            }
        }
        let newest = |scrip: &Scrip| scrip.scrip.scrip_id.serial_number;
        if self.scrips.last().is_none_or(|last| newest(last) < newest(&scrip)) {
            self.scrips.push(scrip);
        }
    }

    /// Does something; whatever comes of it.
    pub fn act(&mut self, now: u64) -> (&'static str, Vec<Letter>) {
        match self.chance.below(28) {
            20.. => self.act_on_budgets(now),
            0 | 1 => ("message_replayed", self.replay()),
            2..5 => ("message_doctored", self.doctor()),
            5..8 => ("rogue_offer", vec![self.earn(now)]),
            8..10 => ("rogue_offer", vec![self.pay(now)]),
            10 => ("scrip_spent_twice", self.spend_twice(now)),
            11 => ("transaction_reused", self.reuse(now)),
            12..15 => ("rogue_finish", self.finish(now)),
            15 => ("strange_scrip", vec![self.strange(now)]),
            16 => ("rogue_registration", self.register(now)),
            17 => ("rogue_funding", vec![self.fund(now)]),
            18 => ("rogue_relay", vec![self.relay(now)]),
            _ => ("rogue_errand", vec![self.errand(now)]),
        }
    }

    pub(crate) fn live(&self) -> Scrip {
        self.scrips.last().expect("there was one from the beginning").clone()
    }

    fn secret(&self, customer: u64) -> Secret {
        let (_, master) = self.center.keys.customer_secrets.current().expect("the fixture has one");
        master.custom_secret(customer)
    }

    fn replay(&mut self) -> Vec<Letter> {
        if self.seen.is_empty() {
            return Vec::new();
        }
        let count = self.chance.between(1, 3);
        (0..count).map(|_| self.chance.one(&self.seen).clone()).collect()
    }

    /// A message with one field of another one, or with a field of its own changed.
    fn doctor(&mut self) -> Vec<Letter> {
        if self.seen.is_empty() {
            return Vec::new();
        }
        let (to, path, body) = self.chance.one(&self.seen).clone();
        let (_, _, other) = self.chance.one(&self.seen).clone();
        let (Ok(mut message), Ok(other)) =
            (serde_json::from_slice::<Value>(&body), serde_json::from_slice::<Value>(&other))
        else {
            return Vec::new();
        };
        let mut places = Vec::new();
        leaves(&message, String::new(), &mut places);
        let place = self.chance.one(&places).clone();
        let mut spliced = Vec::new();
        leaves(&other, String::new(), &mut spliced);
        let last = |place: &str| place.rsplit('/').next().unwrap_or_default().to_owned();
        let same: Vec<&String> = spliced.iter().filter(|found| last(found) == last(&place)).collect();
        let splice = !same.is_empty() && self.chance.happens(500);
        let donor = if splice { other.pointer(self.chance.one(&same).as_str()).cloned() } else { None };
        if let Some(field) = message.pointer_mut(&place) {
            *field = match (donor, &*field) {
                (Some(donor), _) => donor,
                (None, Value::Number(number)) => {
                    Value::from(number.as_u64().unwrap_or(0).wrapping_add(1) >> 1)
                }
                (None, Value::String(text)) => Value::from(self.chance_changed(text)),
                (None, _) => Value::from(7),
            };
        }
        let path = if self.chance.happens(60) { self.chance.one(&self.seen).1.clone() } else { path };
        vec![(to, path, serde_json::to_vec(&message).unwrap_or_default())]
    }

    fn chance_changed(&mut self, text: &str) -> String {
        let mut bytes = text.as_bytes().to_vec();
        if bytes.is_empty() {
            return "x".to_owned();
        }
        let place = self.chance.place(bytes.len());
        bytes[place] = *self.chance.one(b"abcxyzABC0189-_:.");
        String::from_utf8(bytes).unwrap_or_default()
    }

    /// M4 with an offer of the rogue's own shop.
    fn earn(&mut self, now: u64) -> Letter {
        let scrip = self.live();
        let customer = ROGUE_PURSES[0];
        let mut offer = self.issue_offer(now);
        match self.chance.below(12) {
            0 => offer.center_id = fixture::server("elsewhere.example"),
            1 => offer.expires = Timestamp::from_millis(now.saturating_sub(1)),
            2 => offer.value = usd(0),
            3 => offer.value = usd(700_000),
            4 => offer.value = "EUR:0.05".parse().unwrap_or(offer.value),
            5 => offer.earner = earner(&offer.vendor_id, &self.secret(customer + 5)),
            6 => offer.item = "nothing".parse().unwrap_or(offer.item),
            7 => offer.value = usd(599_000),
            _ => {}
        }
        let sealed = if self.chance.happens(60) { offer } else { offer.sealed(&own_secret()) };
        self.begun.push((true, sealed.vendor_id.clone(), sealed.tran_id, None));
        self.issue(scrip, sealed, Code::Gm4_1, now)
    }

    fn issue_offer(&mut self, now: u64) -> IssueOffer {
        let vendor_id = fixture::vendor(ROGUE_VENDOR);
        IssueOffer {
            earner: earner(&vendor_id, &self.secret(ROGUE_PURSES[0])),
            vendor_id,
            center_id: fixture::vendor(0),
            tran_id: TranId::new(Timestamp::from_millis(now), self.chance.bytes()),
            item: BAIT.parse().expect("an item"),
            value: usd(50_000),
            expires: Timestamp::from_millis(now + 600_000),
            secret_id: 1,
            seal: UNSEALED,
        }
    }

    fn issue(&self, scrip: Scrip, offer: IssueOffer, code: Code, now: u64) -> Letter {
        let header = Header::new(code, Timestamp::from_millis(now));
        let customer = scrip.scrip.custom_id.serial_number.get();
        let mut message = IssueStart { header, scrip, offer, hash: UNSEALED, p_count: 0 };
        message.hash = message.seal(&self.secret(customer));
        letter("issue", &message)
    }

    /// S4 with an offer of the rogue's own shop.
    fn pay(&mut self, now: u64) -> Letter {
        let scrip = self.live();
        let mut offer = self.payment_offer(now);
        match self.chance.below(12) {
            0 => offer.center_id = fixture::server("elsewhere.example"),
            1 => offer.expires = Timestamp::from_millis(now.saturating_sub(1)),
            2 => offer.price = usd(0),
            3 => offer.price = usd(590_000),
            4 => offer.delivery_method = DeliveryMethod::Payout,
            5 => offer.vendor_id = fixture::server("nobody.example"),
            6 => offer.vendor_id = fixture::vendor(1),
            _ => {}
        }
        let sealed = offer.sealed(&own_secret());
        self.begun.push((false, sealed.vendor_id.clone(), sealed.tran_id, None));
        self.payment(scrip, sealed, Code::Pm4_1, now)
    }

    pub(crate) fn payment_offer(&mut self, now: u64) -> PaymentOffer {
        PaymentOffer {
            vendor_id: fixture::vendor(ROGUE_VENDOR),
            center_id: fixture::vendor(0),
            tran_id: TranId::new(Timestamp::from_millis(now), self.chance.bytes()),
            request_url: format!("{}/articles/x", fixture::ROGUE_SHOP).parse().expect("an address"),
            price: usd(10_000),
            delivery_method: DeliveryMethod::View,
            expires: Timestamp::from_millis(now + 600_000),
            secret_id: 1,
            seal: UNSEALED,
        }
    }

    pub(crate) fn payment(&self, scrip: Scrip, order: PaymentOffer, code: Code, now: u64) -> Letter {
        let header = Header::new(code, Timestamp::from_millis(now));
        let customer = scrip.scrip.custom_id.serial_number.get();
        let mut message = PaymentStart { header, scrip, order, hash: UNSEALED, p_count: 0 };
        message.hash = message.seal(&self.secret(customer));
        letter("payment", &message)
    }

    /// One scrip, many offers at once.
    fn spend_twice(&mut self, now: u64) -> Vec<Letter> {
        let scrip =
            if self.chance.happens(300) { self.chance.one(&self.scrips).clone() } else { self.live() };
        let count = self.chance.between(2, 4);
        let mut letters = Vec::new();
        for _ in 0..count {
            let offer = self.payment_offer(now).sealed(&own_secret());
            self.begun.push((false, offer.vendor_id.clone(), offer.tran_id, None));
            letters.push(self.payment(scrip.clone(), offer, Code::Pm4_1, now));
        }
        letters
    }

    /// A known TranID with other content.
    fn reuse(&mut self, now: u64) -> Vec<Letter> {
        if self.begun.is_empty() {
            return Vec::new();
        }
        let (_, _, tran_id, _) = self.chance.one(&self.begun).clone();
        let mut offer = self.payment_offer(now);
        offer.tran_id = tran_id;
        offer.price = usd(11_000);
        let (scrip, offer) = (self.live(), offer.sealed(&own_secret()));
        let code = *self.chance.one(&[Code::Pm4_1, Code::Pm4_1, Code::Pm4_2]);
        vec![self.payment(scrip, offer, code, now)]
    }

    /// The end of something, or of what never was; cancelled, and begun after that.
    fn finish(&mut self, now: u64) -> Vec<Letter> {
        if self.chance.happens(200) {
            let offer = self.issue_offer(now).sealed(&own_secret());
            self.begun.push((true, offer.vendor_id.clone(), offer.tran_id, None));
            let cancel = self.issue(self.live(), offer.clone(), Code::Gm4_2, now);
            return vec![cancel.clone(), self.issue(self.live(), offer, Code::Gm4_1, now), cancel];
        }
        let unknown = (false, fixture::vendor(ROGUE_VENDOR), TranId::from_bytes(self.chance.bytes()), None);
        let strange = self.begun.is_empty() || self.chance.happens(100);
        let (issue, vendor_id, tran_id, scrip) = if strange {
            unknown
        } else {
            self.begun[self.begun.len() - 1 - self.chance.place(self.begun.len().min(4))].clone()
        };
        let codes = if issue != self.chance.happens(50) {
            [Code::Gm6_1, Code::Gm6_2, Code::Gm6_3]
        } else {
            [Code::Pm6_1, Code::Pm6_2, Code::Pm6_3]
        };
        let new_scrip = scrip.unwrap_or_else(|| self.live());
        let count = self.chance.between(1, 2);
        let mut letters = Vec::new();
        for _ in 0..count {
            let code = *self.chance.one(&codes);
            let transaction =
                (!self.chance.happens(100)).then(|| Transaction { vendor_id: vendor_id.clone(), tran_id });
            let header = Header::new(code, Timestamp::from_millis(now));
            let new_scrip = new_scrip.clone();
            let mut message = Finish { header, transaction, new_scrip, hash: UNSEALED, p_count: 0 };
            message.hash = message.seal(&self.secret(ROGUE_PURSES[0]));
            let path = if matches!(codes[0], Code::Gm6_1) { "issue/finish" } else { "payment/finish" };
            letters.push(letter(path, &message));
        }
        letters
    }

    /// Scrip of a purse that the center has lost, at its last serial, or with an algorithm that was turned off.
    fn strange(&mut self, now: u64) -> Letter {
        let (number, serial) = match self.chance.below(3) {
            0 if self.shows_lost && self.chance.happens(100) => (999, 5),
            0 | 1 => (ROGUE_PURSES[1], fixture::SERIAL_MAX - 1),
            _ => (ROGUE_PURSES[0], 1),
        };
        let mut purse = fixture::purse(&self.center, number, serial);
        if number == ROGUE_PURSES[0] {
            purse.live.algorithm = HashAlgorithm::Sha256;
        }
        // Not with the last serials: they are of the last epoch, and no other could begin after it.
        if self.shows_lost && number != ROGUE_PURSES[1] && self.chance.happens(30) {
            purse.custom_id = IdType { secret_id: 9, ..purse.custom_id };
        }
        let scrip = self.center.live_scrip(&purse).expect("the fixture's key rings have secrets");
        let mut offer = self.issue_offer(now);
        offer.earner = earner(&offer.vendor_id, &self.secret(number));
        self.issue(scrip, offer.sealed(&own_secret()), Code::Gm4_1, now)
    }

    /// R1 with what another one has used, or with an envelope that holds nothing.
    fn register(&mut self, now: u64) -> Vec<Letter> {
        let seen = self.seen.iter().rev().find(|(_, path, _)| path == "registration");
        let Some(mut request) =
            seen.and_then(|(_, _, body)| serde_json::from_slice::<RegistrationRequest>(body).ok())
        else {
            return Vec::new();
        };
        request.etc.wallet_key = self.chance.bytes();
        let way = self.chance.below(3);
        if way > 0 {
            let challenge = self.center.challenge(self.chance.bytes(), Timestamp::from_millis(now));
            if way == 2 {
                request.id = WalletId::from_bytes(self.chance.bytes());
                let envelope = tuppence_protocol::bytes::Bytes::try_from(vec![7; 384]);
                request.key_envelope = envelope.unwrap_or(request.key_envelope);
            }
            let nonce = solve(&challenge, request.content(), 0, 100_000);
            request.etc.solution = Solution { challenge, nonce: nonce.unwrap_or(Serial::FIRST) };
        }
        vec![letter("registration", &request)]
    }

    /// A budget for the bait, or what nobody may ask.
    fn fund(&mut self, now: u64) -> Letter {
        let mut message = CampaignFunding {
            vendor_id: fixture::vendor(ROGUE_VENDOR),
            item: BAIT.parse().expect("an item"),
            budget: usd(self.chance.between(0, 12) * 50_000),
            date: Timestamp::from_millis(now - self.chance.below(5_000)),
            secret_id: 1,
            seal: UNSEALED,
        };
        match self.chance.below(8) {
            0 => message.budget = usd(50_000_000),
            1 => message.budget = "EUR:1".parse().unwrap_or(message.budget),
            2 => message.vendor_id = fixture::vendor(1),
            3 => message.vendor_id = fixture::server("nobody.example"),
            _ => {}
        }
        letter("campaigns", &message.sealed(&own_secret()))
    }

    /// M3 or S3 of its own, or of another's transaction.
    fn relay(&mut self, now: u64) -> Letter {
        let known = self.begun.last().cloned();
        let (issue, vendor_id, tran_id, _) = known.unwrap_or((
            false,
            fixture::vendor(ROGUE_VENDOR),
            TranId::from_bytes(self.chance.bytes()),
            None,
        ));
        let code = if issue != self.chance.happens(100) { Code::Gm3_1 } else { Code::Pm3_1 };
        let vendor_id = if self.chance.happens(200) { fixture::vendor(2) } else { vendor_id };
        let header = Header::new(code, Timestamp::from_millis(now));
        let request = RelayRequest { header, vendor_id, tran_id, secret_id: 1, seal: UNSEALED };
        letter("relay", &request.sealed(&own_secret()))
    }

    /// Smaller mischief, at shops too.
    fn errand(&mut self, now: u64) -> Letter {
        let time = Timestamp::from_millis(now);
        let shop = self.chance.place(SHOPS.len());
        let purchase = |url: String, code| PurchaseRequest {
            header: Header::new(code, time),
            request_url: url.parse().expect("an address"),
            p_method: PaymentMethod::View,
        };
        match self.chance.below(9) {
            0 => at_shop(shop, "purchase", &purchase(format!("{}/articles/none", SHOPS[shop]), Code::Pm1_1)),
            1 => at_shop(shop, "purchase", &purchase(format!("{}/articles/flour", SHOPS[shop]), Code::Gm1_1)),
            2 => (Party::Center, "nowhere".to_owned(), b"{}".to_vec()),
            3 => (Party::Center, "payment".to_owned(), b"{\"header\":".to_vec()),
            4 => {
                let mut purchase = purchase("cash-out:USD:1:me".to_owned(), Code::Pm1_1);
                purchase.header.protocol_version = 2;
                letter("cash-out", &purchase)
            }
            5 => letter("cash-out", &purchase("cash-out:EUR:1:me".to_owned(), Code::Pm1_1)),
            6 => {
                let scrip = self.live();
                let vendor_id = fixture::server("nobody.example");
                let header = Header::new(Code::Em1, time);
                let mut message = AttestationRequest { header, scrip, vendor_id, hash: UNSEALED };
                message.hash = message.seal(&self.secret(ROGUE_PURSES[0]));
                letter("earner", &message)
            }
            7 => self.foreign_receipt(shop, time),
            _ => {
                let scrip = self.live();
                let order = self.payment_offer(now).sealed(&own_secret());
                let mut message = self.payment(scrip, order, Code::Pm4_1, now);
                message.2 = String::from_utf8_lossy(&message.2)
                    .replace("\"protocolVersion\":1", "\"protocolVersion\":9")
                    .into_bytes();
                message
            }
        }
    }

    /// A receipt that no center made.
    fn foreign_receipt(&mut self, shop: usize, date: Timestamp) -> Letter {
        let number = u32::try_from(shop + 1).unwrap_or(1);
        let receipt = tuppence_protocol::scrip::receipt::Receipt {
            kind: tuppence_protocol::scrip::receipt::ReceiptKind::Payment,
            vendor_id: if self.chance.happens(300) { fixture::vendor(0) } else { fixture::vendor(number) },
            tran_id: TranId::from_bytes(self.chance.bytes()),
            subject: format!("{}/articles/flour", SHOPS[shop]).parse().expect("an address"),
            amount: Amount::zero(usd(0).currency()),
            date,
            secret_id: 1,
            seal: UNSEALED,
        };
        let receipt = receipt.sealed(&own_secret());
        if self.chance.happens(400) {
            return letter("cash-out/state", &receipt);
        }
        (Party::Shop(shop), "articles/open".to_owned(), serde_json::to_vec(&receipt).unwrap_or_default())
    }
}

pub(crate) fn at_shop(shop: usize, path: &str, message: &impl Serialize) -> Letter {
    (Party::Shop(shop), path.to_owned(), serde_json::to_vec(message).unwrap_or_default())
}

pub(crate) fn own_secret() -> Secret {
    fixture::vendor_secret(ROGUE_VENDOR, 1)
}

pub(crate) fn letter(path: &str, message: &impl Serialize) -> Letter {
    (Party::Center, path.to_owned(), serde_json::to_vec(message).unwrap_or_default())
}

/// The places of everything that has no parts, as JSON pointers.
fn leaves(value: &Value, place: String, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                leaves(field, format!("{place}/{name}"), found);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                leaves(item, format!("{place}/{index}"), found);
            }
        }
        _ => found.push(place),
    }
}
