//! Vendor scrip over HTTP: a shop's licence, a reader's purchase, and a settlement, with the center away in between.

use serde_json::{Value, json};
use tuppence_protocol::ids::Serial;
use tuppence_protocol::scrip::buyer::{Offer, Start};
use tuppence_protocol::scrip::finish::FinishReply;
use tuppence_protocol::scrip::payment::PaymentInformation;
use tuppence_protocol::scrip::receipt::Receipt;
use tuppence_protocol::vendor_scrip::{
    Account, AwaitingScrip, IdRange, LicenceTerms, Licensed, Offer as ScripOffer, Order, Purchased, Vendor,
    digest,
};
use tuppence_protocol::{Duration, ErrorCode, KeyRing, Secret};

use crate::buyer::{Buyer, finish};
use crate::stand::{SHOP_SECRET, Stand, random};

fn serial(number: u64) -> Serial {
    Serial::try_from(number).unwrap()
}

/// The shop, with a licence of so many scrips.
fn vendor(stand: &Stand, count: u32) -> Vendor {
    let licensed = Licensed {
        terms: LicenceTerms {
            vendor_id: stand.seller.vendor_id().clone(),
            center_id: stand.seller.center_id().clone(),
            number: 1,
            scrips: IdRange { secret_id: 10, first: serial(1) },
            customers: IdRange { secret_id: 11, first: serial(1) },
            count,
            expires: stand.now().plus(Duration::from_days(365)),
            props: "".parse().unwrap(),
        },
        scrip_secret: Secret::from_bytes(random()),
        customer_secret: Secret::from_bytes(random()),
    };
    Vendor {
        vendor_id: stand.seller.vendor_id().clone(),
        center_id: stand.seller.center_id().clone(),
        secrets: KeyRing::new(1, Secret::from_bytes(SHOP_SECRET)),
        change_secrets: KeyRing::new(1, Secret::from_bytes(random())),
        licences: vec![licensed],
    }
}

fn order(stand: &Stand) -> Order {
    Order {
        vendor_id: stand.seller.vendor_id().clone(),
        center_id: stand.seller.center_id().clone(),
        value: "USD:0.5".parse().unwrap(),
        nonce: random(),
    }
}

/// S2 to S6 for `order`; S4 is sent twice.
async fn pay(stand: &Stand, buyer: &mut Buyer, order: &Order) -> Receipt {
    let information: PaymentInformation = stand.post("/vendor-scrip/order", order).await.expect(200).json();
    let awaiting = buyer.starts(stand, Offer::Payment(information.offer));
    let Start::Payment(payment) = &awaiting.start else { panic!("no S4") };
    let message = json!({"payment": payment, "order": order});
    let answer = stand.post("/vendor-scrip/buy", &message).await.expect(200);
    assert_eq!(stand.post("/vendor-scrip/buy", &message).await.expect(200).body, answer.body);
    let receipt = buyer.confirms(stand, &awaiting, &answer);
    let reply: FinishReply = finish(stand, &receipt).await.expect(200).json();
    buyer.purse.scrip = receipt.new_scrip().clone();
    receipt.receive(&reply).unwrap()
}

#[actix_web::test]
async fn a_reader_buys_a_shops_scrip_and_spends_it_though_the_center_is_away() {
    let mut stand = Stand::start().await;
    let mut buyer = Buyer::with(&stand, "USD:1").await;
    let vendor = vendor(&stand, 10);
    let licence = vendor.licence(&vendor.licences[0], [random(), random()]).unwrap();
    for _ in 0..2 {
        let known: Value = stand.post("/vendor-scrip/licence", &licence).await.expect(200).json();
        assert_eq!(known, json!({"number": 1}));
    }
    let order = order(&stand);
    let receipt = pay(&stand, &mut buyer, &order).await;
    let ask = json!({"orderId": order.id(), "receipt": receipt});
    let purchased: Purchased = stand.post("/vendor-scrip/purchased", &ask).await.expect(200).json();
    let mut holding = AwaitingScrip { order }.receive(&purchased, &buyer.purse.custom_secret).unwrap();

    // From here on the center is away, and the shop serves a hundred requests.
    stand.stop().await;
    let mut account: Option<Account> = None;
    let price = "USD:0.002".parse().unwrap();
    for number in 1..=100 {
        let asking = holding.pay("https://shop.example/articles/bread".parse().unwrap(), price).unwrap();
        let offer = ScripOffer { price, digest: digest(b"bread"), serial: serial(number) };
        let served = vendor.serve(&asking.request, offer, account.as_ref(), None, stand.now()).unwrap();
        holding = asking.receive(&served.spent.reply, digest(b"bread")).unwrap();
        account = Some(served.account);
    }
    stand.resume();

    let settlement = vendor.settle(account.as_ref().unwrap()).unwrap().unwrap();
    let settled = stand.post("/vendor-scrip/settlement", &settlement).await.expect(200);
    assert_eq!(stand.post("/vendor-scrip/settlement", &settlement).await.expect(200).body, settled.body);
    let last = vendor.end(&holding.give_back(), account.as_ref()).unwrap().settlement;
    stand.post("/vendor-scrip/settlement", &last).await.expect(200);
    assert_eq!(buyer.live(&stand).await, "USD:0.8".parse().unwrap());
    let vendors: Value = stand.get("/operator/vendors", "/operator/vendors").await.expect(200).json();
    // 100 paid in, 50 set aside, 0.20 earned less a tenth.
    assert_eq!(vendors["vendors"][0]["balance"], "USD:50.18");
}

#[actix_web::test]
async fn what_is_wrong_with_a_shops_scrip_is_refused_with_its_reason() {
    let stand = Stand::start().await;
    let mut buyer = Buyer::with(&stand, "USD:1").await;
    let vendor = vendor(&stand, 1);
    let order = order(&stand);
    stand.post("/vendor-scrip/order", &order).await.refused_for(ErrorCode::Unlicensed);
    let licence = vendor.licence(&vendor.licences[0], [random(), random()]).unwrap();
    let mut forged = licence.clone();
    forged.terms.count = 5;
    stand.post("/vendor-scrip/licence", &forged).await.refused_for(ErrorCode::VendorScripInvalid);
    stand.post("/vendor-scrip/licence", &licence).await.expect(200);
    let mut nothing = order.clone();
    nothing.value = "USD:0".parse().unwrap();
    stand.post("/vendor-scrip/order", &nothing).await.refused_for(ErrorCode::VendorScripInvalid);
    let receipt = pay(&stand, &mut buyer, &order).await;
    let ask = json!({"orderId": nothing.id(), "receipt": receipt});
    stand.post("/vendor-scrip/purchased", &ask).await.refused_for(ErrorCode::VendorScripUnknown);
    let mut altered = receipt;
    altered.amount = "USD:0.4".parse().unwrap();
    let ask = json!({"orderId": order.id(), "receipt": altered});
    stand.post("/vendor-scrip/purchased", &ask).await.refused_for(ErrorCode::ReceiptInvalid);
    assert_eq!(buyer.live(&stand).await, "USD:0.5".parse().unwrap());
}
