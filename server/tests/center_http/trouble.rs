//! The records cannot be written for a while: a clear 503, nothing acknowledged is lost, and it passes by itself (T23).

use std::fs;

use rusqlite::Connection;
use tuppence_protocol::ErrorCode;

use crate::buyer::{Buyer, finish, start};
use crate::stand::{Answer, Stand};

#[track_caller]
fn is_unavailable(answer: &Answer) {
    answer.refused_for(ErrorCode::StoreUnavailable);
    assert_eq!((answer.status, answer.header("retry-after")), (503, "1"));
}

#[actix_web::test]
async fn while_the_database_is_locked_payments_get_503_and_go_on_when_it_is_free() {
    let stand = Stand::start().await;
    let mut buyer = Buyer::with(&stand, "USD:1").await;
    let payment = buyer.starts(&stand, buyer.article(&stand, "USD:0.3"));

    let other = Connection::open(stand.folder.path().join("center.sqlite")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    is_unavailable(&start(&stand, &payment).await);
    other.execute_batch("ROLLBACK").unwrap();

    let paid = start(&stand, &payment).await.expect(200);
    let receipt = buyer.confirms(&stand, &payment, &paid);
    finish(&stand, &receipt).await.expect(200);
    buyer.purse.scrip = receipt.new_scrip().clone();
    assert_eq!(buyer.live(&stand).await, "USD:0.7".parse().unwrap());
}

#[actix_web::test]
async fn while_the_database_is_gone_payments_get_503_and_what_was_acknowledged_is_there_when_it_is_back() {
    let stand = Stand::start().await;
    let mut buyer = Buyer::with(&stand, "USD:1").await;
    let acknowledged = buyer.starts(&stand, buyer.article(&stand, "USD:0.3"));
    let paid = start(&stand, &acknowledged).await.expect(200);

    let (here, away) = (stand.folder.path().join("center.sqlite"), stand.folder.path().join("away"));
    fs::rename(&here, &away).unwrap();
    let receipt = buyer.confirms(&stand, &acknowledged, &paid);
    is_unavailable(&finish(&stand, &receipt).await);
    fs::rename(&away, &here).unwrap();

    assert_eq!(start(&stand, &acknowledged).await.expect(200).body, paid.body);
    finish(&stand, &receipt).await.expect(200);
    buyer.purse.scrip = receipt.new_scrip().clone();
    assert_eq!(buyer.live(&stand).await, "USD:0.7".parse().unwrap());
}
