//! The same again gets the same, also after a restart (T2); one scrip is spent once (T1).

use std::collections::BTreeSet;

use futures_util::future::join_all;
use tuppence_protocol::ErrorCode;
use tuppence_protocol::scrip::payment::PaymentBalance;

use crate::buyer::{Buyer, finish, registration, start};
use crate::stand::Stand;

#[actix_web::test]
async fn every_reply_is_the_same_byte_for_byte_after_a_restart() {
    let mut stand = Stand::start().await;
    let (request, session_key) = registration(&stand).await;
    let registered = stand.post("/registration", &request.request).await.expect(200);
    assert!(request.receive(&registered.json(), &session_key).is_ok());

    let mut buyer = Buyer::with(&stand, "USD:1").await;
    let reward = buyer.reward(&stand, "USD:0.5").await;
    let issue = buyer.starts(&stand, reward);
    let issued = start(&stand, &issue).await.expect(200);
    let issue_receipt = buyer.confirms(&stand, &issue, &issued);
    let issue_finished = finish(&stand, &issue_receipt).await.expect(200);
    buyer.purse.scrip = issue_receipt.new_scrip().clone();
    let payment = buyer.starts(&stand, buyer.article(&stand, "USD:0.3"));
    let paid = start(&stand, &payment).await.expect(200);
    let receipt = buyer.confirms(&stand, &payment, &paid);

    stand.stop().await;
    stand.resume();
    assert_eq!(stand.post("/registration", &request.request).await.expect(200).body, registered.body);
    assert_eq!(start(&stand, &issue).await.expect(200).body, issued.body);
    assert_eq!(finish(&stand, &issue_receipt).await.expect(200).body, issue_finished.body);
    assert_eq!(start(&stand, &payment).await.expect(200).body, paid.body);
    // The step that was open at the restart goes on.
    let finished = finish(&stand, &receipt).await.expect(200);

    stand.stop().await;
    stand.resume();
    assert_eq!(finish(&stand, &receipt).await.expect(200).body, finished.body);
    assert_eq!(buyer.live(&stand).await, "USD:1.2".parse().unwrap());
}

#[actix_web::test]
async fn the_same_transaction_with_other_content_is_a_conflict_and_moves_nothing() {
    let stand = Stand::start().await;
    let mut buyer = Buyer::with(&stand, "USD:1").await;
    // A shop that gives one number to two offers.
    let fresh = stand.fresh();
    let cheap = buyer.article_of(&stand, "USD:0.1", fresh);
    let dear = buyer.article_of(&stand, "USD:0.2", fresh);
    let (first, second) = (buyer.starts(&stand, cheap), buyer.starts(&stand, dear));
    let paid = start(&stand, &first).await.expect(200);
    start(&stand, &second).await.refused_for(ErrorCode::TransactionConflict);
    assert_eq!(start(&stand, &first).await.expect(200).body, paid.body);
    let receipt = buyer.confirms(&stand, &first, &paid);
    finish(&stand, &receipt).await.expect(200);
    buyer.purse.scrip = receipt.new_scrip().clone();
    let answer = start(&stand, &second).await;
    assert_eq!((answer.status, answer.refused().code), (409, ErrorCode::TransactionConflict));
    assert_eq!(buyer.live(&stand).await, "USD:0.9".parse().unwrap());
}

#[actix_web::test]
async fn one_scrip_spent_sixty_four_times_at_once_pays_once() {
    let stand = Stand::start().await;
    let buyer = Buyer::with(&stand, "USD:1").await;
    let payments: Vec<_> = (0..64).map(|_| buyer.starts(&stand, buyer.article(&stand, "USD:0.3"))).collect();
    let answers = join_all(payments.iter().map(|payment| start(&stand, payment))).await;
    let winners: BTreeSet<String> = answers
        .into_iter()
        .map(|answer| answer.expect(200).json::<PaymentBalance>().tran_id.unwrap().to_string())
        .collect();
    assert_eq!(winners.len(), 1, "{winners:?}");
    assert_eq!(buyer.live(&stand).await, "USD:0.7".parse().unwrap());
}

#[actix_web::test]
async fn the_same_payment_sixty_four_times_at_once_gets_one_reply() {
    let stand = Stand::start().await;
    let buyer = Buyer::with(&stand, "USD:1").await;
    let payment = buyer.starts(&stand, buyer.article(&stand, "USD:0.3"));
    let answers = join_all((0..64).map(|_| start(&stand, &payment))).await;
    let replies: BTreeSet<Vec<u8>> = answers.into_iter().map(|answer| answer.expect(200).body).collect();
    assert_eq!(replies.len(), 1);
    assert_eq!(buyer.live(&stand).await, "USD:0.7".parse().unwrap());
}

#[actix_web::test]
async fn the_same_wallet_with_another_key_and_a_challenge_used_twice_are_refused() {
    let stand = Stand::start().await;
    let (first, _) = registration(&stand).await;
    stand.post("/registration", &first.request).await.expect(200);

    let (other, _) = registration(&stand).await;
    let mut twice = first.request.clone();
    twice.key_envelope = other.request.key_envelope.clone();
    stand.post("/registration", &twice).await.refused_for(ErrorCode::Challenge);

    let mut unsolved = other.request.clone();
    unsolved.id = first.request.id;
    stand.post("/registration", &unsolved).await.refused_for(ErrorCode::Challenge);
}
