//! What readers send to a shop's till, as somebody sends it who may: messages with whatever in them, sealed and signed as
//! they must be, so that the rules behind the seals are reached. And the cookies that browsers send.

use tuppence_protocol::payword::{
    self, CHARGE_JUMP_MAX, Certificate, Charge, Countersigned, DEPOSIT_JUMP_MAX,
};
use tuppence_protocol::scrip::RequestUrl;
use tuppence_protocol::vendor_scrip::{
    self, IdRange, LicenceTerms, Licensed, Offer, Request, Served, VendorScripError, customer_secret,
};
use tuppence_protocol::{Duration, KeyRing, PublicKey, PublicKeys, Secret, Timestamp};
use tuppence_server::http::message::decode;
use tuppence_server::storefront::cookie::Cookies;

use crate::message::written;
use crate::target::Verdict;

const CUSTOMER: [u8; 32] = [1; 32];
const CENTER: [u8; 32] = [2; 32];
const VENDOR: [u8; 32] = [3; 32];
const SCRIP: [u8; 32] = [4; 32];
const MASTER: [u8; 32] = [5; 32];

/// A countersigned authority and a charge, a line each: a session opens or not, and what a charge adds is what it shows
/// and what is deposited.
pub fn payword(bytes: &[u8]) -> Verdict {
    let mut lines = bytes.splitn(2, |byte| *byte == b'\n');
    let (Some(first), Some(second)) = (lines.next(), lines.next()) else { return Verdict::Refused };
    let (Ok(countersigned), Ok(charge)) = (decode::<Countersigned>(first), decode::<Charge>(second)) else {
        return Verdict::Refused;
    };
    let vendor = payword::Vendor {
        vendor_id: countersigned.order.authority.vendor_id.clone(),
        center_id: countersigned.order.authority.center_id.clone(),
        center_keys: PublicKeys::of(&KeyRing::new(1, Secret::from_bytes(CENTER))),
        secrets: KeyRing::new(1, Secret::from_bytes(VENDOR)),
    };
    let now = a_day_before(countersigned.order.authority.expires);
    let forged = vendor.open(None, &countersigned, now);
    assert!(forged.is_err(), "a session opens for what another center has signed");
    let Ok(session) = vendor.open(None, &signed(countersigned), now) else { return Verdict::Refused };
    assert!(session.index() == 0 && !session.is_ended());
    let charge = Charge { authority_id: session.id(), ..charge };
    let Ok(charged) = session.charge(&charge, now) else { return Verdict::Refused };
    let authority = session.countersigned().authority();
    let root = authority.link().back(&charge.payword, charge.index);
    assert_eq!(root, authority.root, "a payword is taken that does not lead to the root");
    assert!(charged.units == charge.index && charged.units <= CHARGE_JUMP_MAX);
    assert_eq!(charged.amount, authority.worth(charged.units).expect("what is taken has a worth"));
    let again = charged.session.charge(&charge, now).expect("the same is taken again");
    assert_eq!((again.units, written(&again.session)), (0, written(&charged.session)));
    let deposit = vendor.deposit(&charged.session).expect("the shop has a secret");
    if let Some(deposit) = &deposit {
        assert!(deposit.index <= DEPOSIT_JUMP_MAX && deposit.index <= charged.session.index());
        assert_eq!(authority.link().back(&deposit.payword, deposit.index), authority.root);
    }
    assert_eq!(deposit.is_some(), charged.units > 0 || charge.last, "what was taken is not deposited");
    let late = authority.expires.plus(Duration::from_millis(1));
    let next = Charge { index: charge.index.saturating_add(1), ..charge };
    let refused = charged.session.charge(&next, late);
    assert!(!matches!(refused, Ok(charged) if charged.units > 0), "something is taken after the end");
    Verdict::Taken
}

/// The same terms, signed by a customer and a center that the target has the keys of.
fn signed(countersigned: Countersigned) -> Countersigned {
    let (customer, center) = (Secret::from_bytes(CUSTOMER), Secret::from_bytes(CENTER));
    let mut order = countersigned.order;
    let certificate = &order.certificate;
    order.authority.customer = PublicKey::of(&customer);
    order.certificate = Certificate::new(
        certificate.center_id.clone(),
        order.authority.customer,
        certificate.expires,
        1,
        &center,
    );
    order.authority = order.authority.signed(&customer);
    Countersigned::new(order, 1, &center)
}

/// A request with scrip: what it pays and what is left make what the scrip was worth, once.
pub fn vendor_scrip(bytes: &[u8]) -> Verdict {
    let Ok(request) = decode::<Request>(bytes) else { return Verdict::Refused };
    let body = &request.scrip.scrip;
    let range = |id: tuppence_protocol::IdType| IdRange { secret_id: id.secret_id, first: id.serial_number };
    let terms = LicenceTerms {
        vendor_id: body.vendor_id.clone(),
        center_id: body.vendor_id.clone(),
        number: 1,
        scrips: range(body.id),
        customers: range(body.customer_id),
        count: 1,
        expires: body.expires,
        props: body.props.clone(),
    };
    let (scrip_secret, master) = (Secret::from_bytes(SCRIP), Secret::from_bytes(MASTER));
    let vendor = vendor_scrip::Vendor {
        vendor_id: body.vendor_id.clone(),
        center_id: body.vendor_id.clone(),
        secrets: KeyRing::new(1, Secret::from_bytes(VENDOR)),
        change_secrets: KeyRing::new(body.id.secret_id ^ 1, Secret::from_bytes(SCRIP)),
        licences: vec![Licensed {
            terms,
            scrip_secret: scrip_secret.clone(),
            customer_secret: master.clone(),
        }],
    };
    let now = a_day_before(body.expires);
    let offer = Offer { price: request.price, digest: [6; 32], serial: body.id.serial_number };
    let forged = vendor.serve(&request, offer, None, None, now);
    assert!(forged.is_err(), "scrip is taken that the shop did not make");
    let owner = customer_secret(body.customer_id, &master);
    let request = sealed(request, &scrip_secret, &owner);
    let Ok(Served { account, spent, new }) = vendor.serve(&request, offer, None, None, now) else {
        return Verdict::Refused;
    };
    let body = &request.scrip.scrip;
    let left = spent.reply.change.as_ref().map(|change| change.scrip.value);
    let left = left.unwrap_or(tuppence_protocol::Amount::zero(body.value.currency()));
    assert_eq!(left.checked_add(request.price), Ok(body.value), "price and change are not the value");
    assert!(new && account.redeemed == request.price);
    assert!(spent.reply.seal(&request, &owner).matches(&spent.reply.hash), "the reply is not sealed");

    let again =
        vendor.serve(&request, offer, Some(&account), Some(&spent), now).expect("it is answered again");
    assert!(!again.new && written(&again.spent.reply) == written(&spent.reply));
    let url: RequestUrl = "https://shop.example/another".parse().expect("an address");
    if url != request.request_url {
        let other = sealed(Request { request_url: url, ..request }, &scrip_secret, &owner);
        let twice = vendor.serve(&other, offer, Some(&account), Some(&spent), now);
        assert!(matches!(twice, Err(VendorScripError::Spent)), "scrip is spent twice");
    }
    let settlement = vendor.settle(&account).expect("the shop has a secret");
    assert_eq!(settlement.is_some(), !account.redeemed.is_zero(), "what was redeemed is not settled");
    Verdict::Taken
}

fn sealed(request: Request, scrip_secret: &Secret, owner: &Secret) -> Request {
    let scrip = vendor_scrip::VendorScrip::new(request.scrip.scrip, scrip_secret);
    let mut request = Request { scrip, ..request };
    request.hash = request.seal(owner);
    request
}

fn a_day_before(end: Timestamp) -> Timestamp {
    Timestamp::from_millis(end.as_millis().saturating_sub(Duration::from_days(1).as_millis()))
}

/// The name of an article and a cookie, a line each.
pub fn cookie(bytes: &[u8]) -> Verdict {
    let text = String::from_utf8_lossy(bytes);
    let Some((article, value)) = text.split_once('\n') else { return Verdict::Refused };
    let cookies = Cookies::new(Secret::from_bytes(VENDOR));
    let right = cookies.seal(article);
    assert!(cookies.opens(&right, article), "the shop's own cookie opens nothing");
    assert_eq!(cookies.opens(value, article), value == right, "two cookies open {article:?}");
    let other = format!("{article}/parts/1");
    assert!(!cookies.opens(&right, &other), "a cookie opens more than its article");
    if value == right { Verdict::Taken } else { Verdict::Refused }
}

/// The cookie that is taken for an article.
pub fn cookie_of(article: &str) -> String {
    Cookies::new(Secret::from_bytes(VENDOR)).seal(article)
}
