//! A customer, two shops and a center, which exchange what the messages carry and nothing else.

mod broker;
mod customer;
mod property;
mod vendor;

use std::collections::HashMap;

use super::*;
use crate::ids::{IdType, Serial, TranId, VendorId};
use crate::scrip::center::{Center, CenterKeys, Policy, Seller};
use crate::scrip::payment::PaymentOffer;
use crate::scrip::receipt::{Receipt, ReceiptKind};
use crate::{Amount, Currency, Duration, HashAlgorithm, KeyRing, Seal, Secret, Timestamp};

const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);
const URL: &str = "https://shop.example/articles/small-change";

fn later(days: u64) -> Timestamp {
    NOW.plus(Duration::from_days(days))
}

fn usd(text: &str) -> Amount {
    format!("USD:{text}").parse().unwrap()
}

fn serial(number: u64) -> Serial {
    Serial::try_from(number).unwrap()
}

fn server(name: &str) -> VendorId {
    VendorId {
        dns_name: format!("{name}.example").parse().unwrap(),
        ip_addr: None,
        server_name: name.parse().unwrap(),
        port: 443,
    }
}

fn secret(byte: u8) -> Secret {
    Secret::from_bytes([byte; 32])
}

fn ring(byte: u8) -> KeyRing {
    KeyRing::new(1, secret(byte))
}

/// The secrets of `shop` begin with this byte.
fn byte_of(shop: &str) -> u8 {
    if shop == "shop" { 100 } else { 200 }
}

/// The licence `number` of `shop`: three scrips, for a hundred days.
fn licensed(shop: &str, number: u32) -> Licensed {
    let byte = byte_of(shop) + 10 * u8::try_from(number).unwrap();
    Licensed {
        terms: LicenceTerms {
            vendor_id: server(shop),
            center_id: server("center"),
            number,
            scrips: IdRange { secret_id: 10 * number, first: serial(1_000) },
            customers: IdRange { secret_id: 10 * number + 1, first: serial(500) },
            count: 3,
            expires: later(100),
            props: "".parse().unwrap(),
        },
        scrip_secret: secret(byte),
        customer_secret: secret(byte + 1),
    }
}

fn vendor(shop: &str) -> Vendor {
    Vendor {
        vendor_id: server(shop),
        center_id: server("center"),
        secrets: ring(byte_of(shop)),
        change_secrets: ring(byte_of(shop) + 1),
        licences: vec![licensed(shop, 1)],
    }
}

/// A shop with its records.
struct Shop {
    vendor: Vendor,
    accounts: HashMap<IdType, Account>,
    spent: HashMap<IdType, Spent>,
    serial: u64,
    /// How often something was handed out anew.
    sold: u32,
}

impl Shop {
    fn new(name: &str) -> Self {
        let (accounts, spent) = (HashMap::new(), HashMap::new());
        Shop { vendor: vendor(name), accounts, spent, serial: 0, sold: 0 }
    }

    /// Serves an article of `price`.
    fn serve(&mut self, request: &Request, price: &str, now: Timestamp) -> Result<Reply, VendorScripError> {
        let offer = Offer { price: usd(price), digest: digest(b"article"), serial: serial(self.serial + 1) };
        let body = &request.scrip.scrip;
        let (account, spent) = (self.accounts.get(&body.customer_id), self.spent.get(&body.id));
        let served = self.vendor.serve(request, offer, account, spent, now)?;
        self.serial += 1;
        self.sold += u32::from(served.new);
        self.accounts.insert(served.account.customer_id, served.account);
        self.spent.insert(served.spent.id, served.spent.clone());
        Ok(served.spent.reply)
    }

    fn end(&mut self, message: &Return) -> Result<Settlement, VendorScripError> {
        let account = self.accounts.get(&message.scrip.scrip.customer_id);
        let ended = self.vendor.end(message, account)?;
        self.accounts.insert(ended.account.customer_id, ended.account);
        Ok(ended.settlement)
    }

    /// The one account.
    fn account(&self) -> &Account {
        self.accounts.values().next().unwrap()
    }
}

/// The center takes a tenth of what shops get.
struct World {
    center: Center,
    custom_id: IdType,
    custom_secret: Secret,
}

impl World {
    fn new() -> Self {
        let center = Center {
            keys: CenterKeys {
                center_id: server("center"),
                scrip_secrets: ring(1),
                customer_secrets: ring(2),
                vendor_secrets: ring(3),
                signing_secrets: ring(5),
                challenge_secret: secret(4),
                algorithm: HashAlgorithm::HmacSha256,
                sha256_allowed: false,
            },
            policy: Policy { fee_basis_points: 1_000, ..Policy::new(Currency::USD) },
        };
        let custom_id = center.new_purse(Serial::FIRST, NOW).unwrap().custom_id;
        let custom_secret = center.keys.custom_secret(custom_id).unwrap();
        World { center, custom_id, custom_secret }
    }

    fn broker(&self) -> Broker<'_> {
        Broker { center: &self.center }
    }

    /// What the center knows of the shop's licence `number`.
    fn licence(&self, shop: &str, number: u32) -> LicenceState {
        let licence = vendor(shop).licence(&licensed(shop, number), [[1; 12], [2; 12]]).unwrap();
        self.accept(shop, &licence, None, NOW).unwrap()
    }

    fn accept(
        &self,
        shop: &str,
        licence: &Licence,
        newest: Option<&LicenceState>,
        now: Timestamp,
    ) -> Result<LicenceState, VendorScripError> {
        let (id, secrets) = (server(shop), ring(byte_of(shop)));
        self.broker().accept(licence, Seller { number: 1, id: &id, secrets: &secrets }, newest, now)
    }

    /// The center's receipt for a payment of `amount` to itself.
    fn receipt(&self, order: &Order, amount: Amount) -> Receipt {
        Receipt {
            kind: ReceiptKind::Payment,
            vendor_id: server("center"),
            tran_id: TranId::new(NOW, [6; 10]),
            subject: order.id().request_url().unwrap(),
            amount,
            date: NOW,
            secret_id: 1,
            seal: Seal::from_bytes([0; 32]),
        }
        .sealed(&secret(3))
    }

    /// S2's offer for `order`.
    fn offer(&self, order: &Order, licence: &LicenceState) -> PaymentOffer {
        let (id, secrets) = (order.vendor_id.clone(), ring(100));
        let shop = Seller { number: 1, id: &id, secrets: &secrets };
        let tran_id = TranId::new(NOW, [6; 10]);
        self.broker().quote(order, shop, Some(licence), tran_id, NOW).unwrap().offer
    }

    fn sell(&self, order: &Order, licence: &LicenceState) -> Sold {
        let offer = self.offer(order, licence);
        self.broker().sell(order, &offer, self.custom_id, Some(licence), NOW).unwrap()
    }

    /// What was sold, as the wallet holds it.
    fn receive(&self, sold: &Sold) -> Holding {
        let order = sold.sale.order.clone();
        let receipt = self.receipt(&order, order.value);
        let reply = self.broker().purchased(&sold.sale, &receipt, &sold.licence.licensed).unwrap();
        AwaitingScrip { order }.receive(&reply, &self.custom_secret).unwrap()
    }

    /// Ten cents of `shop`'s scrip.
    fn bought(&self, shop: &str) -> (Sale, Holding) {
        let sold = self.sell(&order(shop), &self.licence(shop, 1));
        let holding = self.receive(&sold);
        (sold.sale, holding)
    }

    fn settle(
        &self,
        shop: &str,
        settlement: &Settlement,
        sale: &Sale,
        now: Timestamp,
    ) -> Result<Settling, VendorScripError> {
        let (id, secrets) = (server(shop), ring(byte_of(shop)));
        self.broker().settle(settlement, sale, Seller { number: 1, id: &id, secrets: &secrets }, now)
    }
}

fn order(shop: &str) -> Order {
    Order { vendor_id: server(shop), center_id: server("center"), value: usd("0.1"), nonce: [9; 16] }
}

/// Pays `price` at `shop`, and takes the change.
fn pay(shop: &mut Shop, holding: &Holding, price: &str) -> Holding {
    let asking = holding.pay(URL.parse().unwrap(), usd(price)).unwrap();
    let reply = shop.serve(&asking.request, price, NOW).unwrap();
    asking.receive(&reply, digest(b"article")).unwrap()
}
