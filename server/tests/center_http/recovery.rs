//! Recovery over HTTP: claims, statements, notes and the mark (docs/decisions/0007; T5, T6, T12, T14).

use getrandom::SysRng;
use getrandom::rand_core::UnwrapErr;
use serde_json::json;
use tuppence_protocol::challenge::{Challenge, Content, Solution, solve};
use tuppence_protocol::ids::Serial;
use tuppence_protocol::recovery::claim::{ClaimReply, ClaimRequest};
use tuppence_protocol::recovery::keys::RecoveryKeys;
use tuppence_protocol::recovery::notes::{Notes, NotesReply};
use tuppence_protocol::recovery::statement::{StatementReply, StatementState};
use tuppence_protocol::recovery::words::Mnemonic;
use tuppence_protocol::scrip::buyer::{AwaitingRegistration, NewWallet, Purse};
use tuppence_protocol::scrip::info::CenterInfo;
use tuppence_protocol::{ErrorCode, Secret};

use crate::buyer::{Buyer, finish, start};
use crate::stand::{Options, Stand, random};

/// What a wallet with words registers and claims with.
struct Words {
    info: CenterInfo,
    keys: RecoveryKeys,
}

impl Words {
    async fn new(stand: &Stand) -> Self {
        let info: CenterInfo = stand.get("/center", "/center").await.expect(200).json();
        let keys = RecoveryKeys::new(&Mnemonic::from_entropy(random()), &info.center_id);
        Words { info, keys }
    }

    async fn solution(&self, stand: &Stand, content: Content) -> Solution {
        let path = "/registration/challenge";
        let challenge: Challenge = stand.get(path, path).await.expect(200).json();
        let nonce = solve(&challenge, content, 0, 1 << 20).unwrap();
        Solution { challenge, nonce }
    }

    async fn register(&self, stand: &Stand) -> Buyer {
        let session_key = Secret::from_bytes(random());
        let envelope = self.info.public_key.encrypt(&session_key, &mut UnwrapErr(SysRng)).unwrap();
        let (id, wallet_key) = (self.keys.wallet_id, self.keys.public_key());
        let wallet = NewWallet { id, wallet_key, key_envelope: envelope };
        let solution = self.solution(stand, wallet.content()).await;
        let center = self.info.center_id.clone();
        let awaiting = AwaitingRegistration::new(center, wallet, solution, stand.now());
        let reply = stand.post("/registration", &awaiting.request).await.expect(200).json();
        Buyer { purse: awaiting.receive(&reply, &session_key).unwrap() }
    }

    async fn claim(&self, stand: &Stand) -> (ClaimRequest, Secret) {
        let session_key = Secret::from_bytes(random());
        let envelope = self.info.public_key.encrypt(&session_key, &mut UnwrapErr(SysRng)).unwrap();
        let content = ClaimRequest::content_of(&self.info.center_id, self.keys.wallet_id, &envelope);
        let solution = self.solution(stand, content).await;
        let claim = ClaimRequest::new(&self.info.center_id, &self.keys, solution, envelope, stand.now());
        (claim, session_key)
    }

    async fn restored(&self, stand: &Stand) -> Purse {
        let (claim, session_key) = self.claim(stand).await;
        let reply: ClaimReply = stand.post("/recovery/claim", &claim).await.expect(200).json();
        reply.receive(&self.info.center_id, &session_key).unwrap()
    }
}

async fn statement(stand: &Stand, purse: &Purse, from: u64) -> StatementReply {
    let awaiting = purse.statement(Serial::try_from(from).unwrap(), random(), stand.now());
    let reply = stand.post("/statement", &awaiting.request).await.expect(200).json();
    awaiting.receive(reply, &purse.custom_secret).unwrap()
}

/// A buyer with words, who has 1 dollar.
async fn buyer_with_words(stand: &Stand) -> (Words, Buyer) {
    let words = Words::new(stand).await;
    let mut buyer = words.register(stand).await;
    let budget = stand.seller.fund("quiz".parse().unwrap(), "USD:50".parse().unwrap(), stand.now()).unwrap();
    stand.post("/campaigns", &budget).await.expect(200);
    let offer = buyer.reward(stand, "USD:1").await;
    buyer.take(stand, offer).await;
    (words, buyer)
}

#[actix_web::test]
async fn a_claim_gives_back_the_purse_and_its_statement_everything_else() {
    let mut stand = Stand::start().await;
    let (words, mut buyer) = buyer_with_words(&stand).await;
    let price = buyer.article(&stand, "USD:0.3");
    let receipt = buyer.take(&stand, price).await;
    let open = buyer.starts(&stand, buyer.article(&stand, "USD:0.2"));
    start(&stand, &open).await.expect(200);

    stand.stop().await;
    stand.resume();
    let purse = words.restored(&stand).await;
    assert_eq!(purse.custom_secret.expose(), buyer.purse.custom_secret.expose());
    assert!(purse.value().is_zero());
    let told = statement(&stand, &purse, 1).await;
    let steps: Vec<_> = told.steps.iter().map(|step| (step.amount, step.before, step.after)).collect();
    let usd = |text: &str| format!("USD:{text}").parse().unwrap();
    assert_eq!(
        steps,
        [
            (usd("1"), usd("0"), usd("1")),
            (usd("0.3"), usd("1"), usd("0.7")),
            (usd("0.2"), usd("0.7"), usd("0.5"))
        ]
    );
    let StatementState::Posted(told_receipt) = &told.steps[1].state else { panic!("it was completed") };
    assert_eq!(serde_json::to_value(told_receipt).unwrap(), serde_json::to_value(receipt).unwrap());
    assert!(matches!(told.steps[2].state, StatementState::Pending) && !told.more);
    // The pending payment is completed with what the statement brought.
    let complete = told.complete(&purse.custom_secret, stand.now()).unwrap();
    stand.post("/payment/finish", &complete).await.expect(200);
    let told = statement(&stand, &purse, 3).await;
    assert!(matches!(told.steps[..], [ref step] if matches!(step.state, StatementState::Posted(_))));
    assert_eq!(told.scrip.scrip.value, usd("0.5"));
}

#[actix_web::test]
async fn a_claim_is_taken_once_and_from_nobody_else() {
    let stand = Stand::start().await;
    let (words, _) = buyer_with_words(&stand).await;
    let (claim, _) = words.claim(&stand).await;

    let mut forged = claim.clone();
    forged.signature[3] ^= 1;
    stand.post("/recovery/claim", &forged).await.refused_for(ErrorCode::ClaimRefused);
    let mut redirected = claim.clone();
    redirected.key_envelope = words.claim(&stand).await.0.key_envelope;
    stand.post("/recovery/claim", &redirected).await.refused_for(ErrorCode::Challenge);
    let stranger = Words::new(&stand).await;
    let (unknown, _) = stranger.claim(&stand).await;
    let refused = stand.post("/recovery/claim", &unknown).await;
    refused.clone().refused_for(ErrorCode::ClaimRefused);
    let forged = stand.post("/recovery/claim", &forged).await;
    assert_eq!(forged.body, refused.body, "nobody finds out which wallets there are");

    stand.post("/recovery/claim", &claim).await.expect(200);
    stand.post("/recovery/claim", &claim).await.refused_for(ErrorCode::Challenge);
    let mut unsolved = claim.clone();
    unsolved.solution.challenge.bits = 0;
    stand.post("/recovery/claim", &unsolved).await.refused_for(ErrorCode::Challenge);
}

#[actix_web::test]
async fn claims_are_limited_before_their_envelope_is_opened() {
    let options = Options { registrations_per_minute: 3, ..Options::default() };
    let stand = Stand::with(options).await;
    let words = Words::new(&stand).await;
    let (claim, _) = words.claim(&stand).await;
    for _ in 0..3 {
        stand.post("/recovery/claim", &claim).await.refused_for(ErrorCode::ClaimRefused);
    }
    stand.post("/recovery/claim", &claim).await.refused_for(ErrorCode::RateLimited);
}

#[actix_web::test]
async fn a_statement_is_for_its_own_buyer_page_by_page() {
    let stand = Stand::start().await;
    let mut buyer = Buyer::with(&stand, "USD:1").await;
    for _ in 0..34 {
        let price = buyer.article(&stand, "USD:0.01");
        buyer.take(&stand, price).await;
    }
    let first = statement(&stand, &buyer.purse, 1).await;
    assert!(first.more && first.steps.len() == 32);
    let next = first.steps.last().unwrap().next.get();
    let rest = statement(&stand, &buyer.purse, next).await;
    assert!(!rest.more && rest.steps.len() == 3);
    assert!(first.steps.iter().chain(&rest.steps).zip(1..).all(|(step, serial)| step.serial.get() == serial));

    let other = Buyer::register(&stand).await;
    let foreign =
        Purse { scrip: buyer.purse.scrip.clone(), custom_secret: other.purse.custom_secret.clone() };
    let asked = foreign.statement(Serial::FIRST, random(), stand.now());
    stand.post("/statement", &asked.request).await.refused_for(ErrorCode::SealInvalid);
}

#[actix_web::test]
async fn a_step_that_was_taken_back_says_so() {
    let stand = Stand::start().await;
    let mut buyer = Buyer::with(&stand, "USD:1").await;
    let payment = buyer.starts(&stand, buyer.article(&stand, "USD:0.3"));
    let answer = start(&stand, &payment).await.expect(200);
    let receipt = buyer.confirms(&stand, &payment, &answer);
    let back = receipt.cancel(&buyer.purse.custom_secret, stand.now());
    let tuppence_protocol::scrip::buyer::AwaitingReturn::Finish(back) = &back else { panic!("PM6_3") };
    stand.post("/payment/finish", back).await.expect(200);
    finish(&stand, &receipt).await.refused_for(ErrorCode::TransactionVoided);
    let told = statement(&stand, &buyer.purse, 2).await;
    let step = &told.steps[0];
    assert!(matches!(step.state, StatementState::Voided(_)));
    assert_eq!((step.before, step.after), (step.after, told.scrip.scrip.value));
    buyer.purse.scrip = told.scrip;
    let price = buyer.article(&stand, "USD:0.3");
    buyer.take(&stand, price).await;
}

#[actix_web::test]
async fn notes_follow_one_another_and_outlive_a_restart() {
    let mut stand = Stand::start().await;
    let (words, buyer) = buyer_with_words(&stand).await;
    let center = words.info.center_id.clone();
    let notes = |version: u64, plain: &[u8]| {
        let version = Serial::try_from(version).unwrap();
        Notes::seal(&words.keys, &center, version, random(), plain).unwrap()
    };
    let ask = async |stand: &Stand, notes: Option<Notes>| {
        let awaiting = buyer.purse.notes(notes, random(), stand.now());
        let reply: NotesReply = stand.post("/recovery/notes", &awaiting.request).await.expect(200).json();
        awaiting.receive(reply, &buyer.purse.custom_secret).unwrap()
    };
    assert_eq!(ask(&stand, None).await, None);
    let first = notes(1, b"{}");
    ask(&stand, Some(first.clone())).await;
    ask(&stand, Some(first.clone())).await;
    assert_eq!(ask(&stand, None).await, Some(first));

    // Two devices have read version 1, and each keeps a second one: one of them is told.
    let (mine, theirs) = (notes(2, b"{\"a\":1}"), notes(2, b"{\"b\":1}"));
    ask(&stand, Some(mine.clone())).await;
    for stale in [theirs, notes(1, b"{}"), notes(9, b"{}")] {
        let late = buyer.purse.notes(Some(stale), random(), stand.now());
        stand.post("/recovery/notes", &late.request).await.refused_for(ErrorCode::NotesStale);
    }
    stand.stop().await;
    stand.resume();
    assert_eq!(ask(&stand, None).await, Some(mine));

    let other = Buyer::register(&stand).await;
    let foreign =
        Purse { scrip: buyer.purse.scrip.clone(), custom_secret: other.purse.custom_secret.clone() };
    let asked = foreign.notes(None, random(), stand.now());
    stand.post("/recovery/notes", &asked.request).await.refused_for(ErrorCode::SealInvalid);
}

#[actix_web::test]
async fn notes_are_limited_for_each_purse() {
    let stand = Stand::start().await;
    let (one, other) = (Buyer::register(&stand).await, Buyer::register(&stand).await);
    let ask = async |buyer: &Buyer| {
        let awaiting = buyer.purse.notes(None, random(), stand.now());
        stand.post("/recovery/notes", &awaiting.request).await
    };
    for _ in 0..30 {
        ask(&one).await.expect(200);
    }
    ask(&one).await.refused_for(ErrorCode::RateLimited);
    ask(&other).await.expect(200);
}

#[actix_web::test]
async fn the_mark_is_a_cookie_that_says_nothing_of_its_owner() {
    let stand = Stand::start().await;
    let set = stand.post("/recovery/mark", &json!({"present": true})).await.expect(200);
    assert_eq!(set.header("set-cookie"), "tuppence-wallet=1; SameSite=Strict; Path=/; Max-Age=34560000");
    let gone = stand.post("/recovery/mark", &json!({"present": false})).await.expect(200);
    assert!(gone.header("set-cookie").contains("Max-Age=0"));
}
