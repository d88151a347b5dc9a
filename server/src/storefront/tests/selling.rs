//! S1 to S7.

use std::future::pending;

use tuppence_protocol::Seal;
use tuppence_protocol::scrip::payment::{PaymentMethod, PurchaseRequest};
use tuppence_protocol::scrip::relay::Outcome;

use super::*;

pub(super) fn s1(url: &str) -> PurchaseRequest {
    PurchaseRequest {
        header: Header::new(Code::Pm1_1, NOW),
        request_url: url.parse().unwrap(),
        p_method: PaymentMethod::View,
    }
}

#[tokio::test]
async fn s1_gets_the_article_s_price_under_the_shared_secret() {
    let stand = stand("http://127.0.0.1:1");
    let information = stand.shop.quote(&s1("https://shop.example/articles/bread")).await.unwrap();
    assert_eq!(information.offer.price.to_string(), "USD:0.03");
    assert!(information.offer.holds(&vendor_secret()));
    let again = stand.shop.quote(&s1("https://shop.example/articles/bread")).await.unwrap();
    assert_ne!(again.offer.tran_id, information.offer.tran_id);
}

#[tokio::test]
async fn what_is_not_for_sale_gets_pm2_2() {
    let stand = stand("http://127.0.0.1:1");
    for url in [
        "https://shop.example/articles/none",
        "https://shop.example/articles/about",
        "https://shop.example/articles/bread/",
        "https://shop.example/articles/bread?x",
        "https://shop.example/articles/../articles/bread",
        "https://shop.example",
        "https://other.example/articles/bread",
        "http://shop.example/articles/bread",
        "bread",
        "",
    ] {
        let declined = stand.shop.quote(&s1(url)).await.unwrap_err();
        assert_eq!(declined.refusal.code, ErrorCode::ArticleUnknown, "{url}");
        let reply = declined.reply.unwrap();
        assert_eq!(reply.header.cmd_type, Code::Pm2_2);
        assert!(reply.document.unwrap().as_str().starts_with("<p>"));
    }
}

#[tokio::test]
async fn s3_is_held_until_the_center_confirms_and_all_who_wait_get_s7() {
    let (center, origin) = fake_center::serve().await;
    let stand = stand(&origin);
    let tran_id = stand.shop.quote(&s1("https://shop.example/articles/bread")).await.unwrap().offer.tran_id;
    let s3 = init(Code::Pm3_1, tran_id);
    let wait = || stand.shop.deliver_article(&s3, pending());
    let confirm = async {
        while center.asked.load(Ordering::SeqCst) == 0 {
            tokio::task::yield_now().await;
        }
        let url = "https://shop.example/articles/bread";
        center.end(tran_id, Outcome::Posted(receipt(ReceiptKind::Payment, tran_id, url, "USD:0.03")));
    };
    let (a, b, c, ()) = tokio::join!(wait(), wait(), wait(), confirm);
    for delivered in [a, b, c] {
        let Delivered::Document(delivery) = delivered.unwrap() else { panic!("not delivered") };
        assert_eq!(delivery.header.cmd_type, Code::Pm7_1);
        assert!(delivery.document.as_str().contains("ZQX-PAID-WORDS"));
    }
    assert_eq!(center.asked.load(Ordering::SeqCst), 1, "one question is asked for all");
}

#[tokio::test]
async fn without_a_confirmation_the_answer_is_where_to_ask_again() {
    let (_center, origin) = fake_center::serve().await;
    let stand = stand_with(&origin, |settings| Settings { hold: Duration::from_millis(30), ..settings });
    let delivered = stand.shop.deliver_article(&init(Code::Pm3_1, tran(1)), pending()).await.unwrap();
    let Delivered::Unconfirmed(unconfirmed) = delivered else { panic!("delivered") };
    assert_eq!(unconfirmed.header.cmd_type, Code::Pm7_2);
    assert_eq!((unconfirmed.tran_id, unconfirmed.ask_again.as_str()), (tran(1), "/api/v1/purchase/deliver"));
}

#[tokio::test]
async fn a_stopping_shop_lets_go_of_those_who_wait() {
    let (_center, origin) = fake_center::serve().await;
    let stand = stand(&origin);
    let delivered = stand.shop.deliver_article(&init(Code::Pm3_1, tran(1)), async {}).await.unwrap();
    assert!(matches!(delivered, Delivered::Unconfirmed(_)));
}

#[tokio::test]
async fn a_voided_payment_and_a_center_that_is_away_say_so() {
    let (center, origin) = fake_center::serve().await;
    let stand = stand(&origin);
    center.end(tran(1), Outcome::Voided);
    let declined = stand.shop.deliver_article(&init(Code::Pm3_1, tran(1)), pending()).await.unwrap_err();
    assert_eq!(declined.refusal.code, ErrorCode::TransactionVoided);

    let alone = super::stand("http://127.0.0.1:1");
    let declined = alone.shop.deliver_article(&init(Code::Pm3_1, tran(1)), pending()).await.unwrap_err();
    assert_eq!(declined.refusal.code, ErrorCode::CenterUnreachable);
    let declined = alone.shop.deliver_article(&init(Code::Gm3_1, tran(1)), pending()).await.unwrap_err();
    assert_eq!(declined.refusal.code, ErrorCode::WrongMessage);
}

#[tokio::test]
async fn only_so_many_requests_are_held() {
    let (center, origin) = fake_center::serve().await;
    let stand = stand_with(&origin, |settings| Settings { held_max: 1, ..settings });
    let s3 = init(Code::Pm3_1, tran(1));
    let first = stand.shop.deliver_article(&s3, pending());
    let second = async {
        while center.asked.load(Ordering::SeqCst) == 0 {
            tokio::task::yield_now().await;
        }
        let refused = stand.shop.deliver_article(&s3, pending()).await.unwrap_err();
        center.end(tran(1), Outcome::Voided);
        refused
    };
    let (_, refused) = tokio::join!(first, second);
    assert_eq!(refused.refusal.code, ErrorCode::Busy);
}

#[tokio::test]
async fn a_receipt_opens_its_article_any_number_of_times_without_the_center() {
    let stand = stand("http://127.0.0.1:1");
    for _ in 0..3 {
        let delivery = stand.shop.open_article(bread_receipt()).await.unwrap();
        assert!(delivery.document.as_str().contains("ZQX-PAID-WORDS"));
    }
}

#[tokio::test]
async fn forged_foreign_and_other_receipts_open_nothing() {
    let stand = stand("http://127.0.0.1:1");
    let url = "https://shop.example/articles/bread";
    let cases = [
        (Receipt { seal: Seal::from_bytes([0; 32]), ..bread_receipt() }, ErrorCode::ReceiptInvalid),
        (Receipt { amount: "USD:0.01".parse().unwrap(), ..bread_receipt() }, ErrorCode::ReceiptInvalid),
        (
            Receipt { vendor_id: server("other.example"), ..bread_receipt() }.sealed(&vendor_secret()),
            ErrorCode::ReceiptInvalid,
        ),
        (bread_receipt().sealed(&Secret::from_bytes([6; 32])), ErrorCode::ReceiptInvalid),
        (receipt(ReceiptKind::Issue, tran(7), url, "USD:0.03"), ErrorCode::ReceiptInvalid),
        (
            receipt(ReceiptKind::Payment, tran(7), "https://shop.example/articles/none", "USD:0.03"),
            ErrorCode::ArticleUnknown,
        ),
        (
            receipt(ReceiptKind::Payment, tran(7), "https://other.example/articles/bread", "USD:0.03"),
            ErrorCode::ArticleUnknown,
        ),
    ];
    for (number, (receipt, code)) in cases.into_iter().enumerate() {
        assert_eq!(
            stand.shop.open_article(receipt.clone()).await.unwrap_err().refusal.code,
            code,
            "case {number}"
        );
        assert_eq!(stand.shop.unlock(&receipt).await.unwrap_err().refusal.code, code, "case {number}");
    }
}
