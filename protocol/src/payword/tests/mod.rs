//! A customer, two shops and a center, which exchange what the messages carry and nothing else.

mod broker;
mod customer;
mod property;
mod vendor;

use super::*;
use crate::ids::{IdType, Serial, TranId, VendorId};
use crate::scrip::buyer::Purse;
use crate::scrip::center::{Center, CenterKeys, Policy, Seller};
use crate::scrip::receipt::{Receipt, ReceiptKind};
use crate::{
    Amount, Currency, Duration, HashAlgorithm, KeyRing, PublicKeys, Seal, Secret, Signature, Timestamp,
};

const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);
const LENGTH: u32 = 50;

fn later(days: u64) -> Timestamp {
    NOW.plus(Duration::from_days(days))
}

fn usd(text: &str) -> Amount {
    format!("USD:{text}").parse().unwrap()
}

fn server(name: &str) -> VendorId {
    VendorId {
        dns_name: format!("{name}.example").parse().unwrap(),
        ip_addr: None,
        server_name: name.parse().unwrap(),
        port: 443,
    }
}

fn ring(byte: u8) -> KeyRing {
    KeyRing::new(1, Secret::from_bytes([byte; 32]))
}

/// The center takes a tenth of what shops get.
struct World {
    center: Center,
    purse: Purse,
    custom_id: IdType,
}

impl World {
    fn new() -> Self {
        Self::signing_with(5)
    }

    fn signing_with(signing: u8) -> Self {
        let center = Center {
            keys: CenterKeys {
                center_id: server("center"),
                scrip_secrets: ring(1),
                customer_secrets: ring(2),
                vendor_secrets: ring(3),
                signing_secrets: ring(signing),
                challenge_secret: Secret::from_bytes([4; 32]),
                algorithm: HashAlgorithm::HmacSha256,
                sha256_allowed: false,
            },
            policy: Policy { fee_basis_points: 1_000, ..Policy::new(Currency::USD) },
        };
        let record = center.new_purse(Serial::FIRST, NOW).unwrap();
        let purse = Purse {
            scrip: center.live_scrip(&record).unwrap(),
            custom_secret: center.keys.custom_secret(record.custom_id).unwrap(),
        };
        World { center, purse, custom_id: record.custom_id }
    }

    fn broker(&self) -> Broker<'_> {
        Broker { center: &self.center }
    }

    fn keys(&self) -> PublicKeys {
        self.broker().public_keys()
    }

    fn vendor(&self, name: &str) -> Vendor {
        Vendor {
            vendor_id: server(name),
            center_id: server("center"),
            center_keys: self.keys(),
            secrets: ring(secret_of(name)),
        }
    }

    /// 50 paywords of half a cent for `shop`, signed by the customer.
    fn order(&self, shop: &str) -> AuthorityOrder {
        let customer = Customer::at(server(shop), &Secret::from_bytes([8; 32]));
        let certificate = self.certificate(&customer);
        customer.authorise(certificate, &plan(), chain_at(shop).root())
    }

    fn certificate(&self, customer: &Customer) -> Certificate {
        let asking = customer.certificate(&self.purse);
        let reply = self.broker().certify(&asking.request, NOW).unwrap();
        asking.receive(&reply, &self.keys()).unwrap()
    }

    /// The center's receipt for a payment of `amount` to itself.
    fn receipt(&self, order: &AuthorityOrder, amount: Amount) -> Receipt {
        Receipt {
            kind: ReceiptKind::Payment,
            vendor_id: server("center"),
            tran_id: TranId::new(NOW, [6; 10]),
            subject: order.authority.id().request_url().unwrap(),
            amount,
            date: NOW,
            secret_id: 1,
            seal: Seal::from_bytes([0; 32]),
        }
        .sealed(&Secret::from_bytes([3; 32]))
    }

    /// What S4 makes of the center's offer for `order`.
    fn reserve(&self, order: &AuthorityOrder) -> Reservation {
        let (id, secrets) = (order.authority.vendor_id.clone(), ring(11));
        let shop = Seller { number: 1, id: &id, secrets: &secrets };
        let offer = self.broker().quote(order, shop, TranId::new(NOW, [6; 10]), NOW).unwrap().offer;
        self.broker().reserve(order, &offer, self.custom_id).unwrap()
    }

    fn reservation(&self, shop: &str) -> Reservation {
        self.reserve(&self.order(shop))
    }

    fn budget(&self, shop: &str) -> Budget {
        let awaiting = AwaitingCountersignature { order: self.order(shop), end: plan().end };
        awaiting.receive(&self.reservation(shop).countersigned, &self.keys()).unwrap()
    }

    /// A session at `shop` and what pays in it.
    fn session(&self, shop: &str) -> (Session, Budget, Chain) {
        let budget = self.budget(shop);
        let session = self.vendor(shop).open(None, budget.countersigned(), NOW).unwrap();
        (session, budget, chain_at(shop))
    }

    fn deposit(
        &self,
        shop: &str,
        deposit: &Deposit,
        reservation: &Reservation,
        now: Timestamp,
    ) -> Result<Deposited, PaywordError> {
        let (id, secrets) = (server(shop), ring(secret_of(shop)));
        self.broker().deposit(deposit, reservation, Seller { number: 1, id: &id, secrets: &secrets }, now)
    }
}

fn secret_of(shop: &str) -> u8 {
    if shop == "shop" { 11 } else { 12 }
}

fn plan() -> Plan {
    Plan {
        nonce: [9; 16],
        end: Secret::from_bytes([7; 32]),
        length: LENGTH,
        unit: usd("0.005"),
        expires: later(30),
    }
}

fn chain_at(shop: &str) -> Chain {
    let mut generator = plan().generator(&server(shop)).unwrap();
    generator.step(LENGTH);
    generator.finish().unwrap()
}
