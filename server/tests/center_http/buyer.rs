//! A buyer, as a wallet is one: every message over HTTP.

use getrandom::SysRng;
use getrandom::rand_core::UnwrapErr;
use serde_json::{Value, json};
use tuppence_protocol::challenge::{Challenge, Solution, solve};
use tuppence_protocol::scrip::buyer::{
    AwaitingEcash, AwaitingReceipt, AwaitingRegistration, Ecash, NewWallet, Offer, Purse, Start, Started,
};
use tuppence_protocol::scrip::earner::AttestationReply;
use tuppence_protocol::scrip::finish::FinishReply;
use tuppence_protocol::scrip::info::CenterInfo;
use tuppence_protocol::scrip::issue::IssueRequest;
use tuppence_protocol::scrip::payment::{PaymentInformation, PaymentMethod, PurchaseRequest};
use tuppence_protocol::scrip::receipt::Receipt;
use tuppence_protocol::scrip::registration::RegistrationRequest;
use tuppence_protocol::scrip::seller::Fresh;
use tuppence_protocol::scrip::{Code, Header};
use tuppence_protocol::{Amount, Secret, WalletId};

use crate::stand::{Answer, Stand, random};

/// A registered buyer.
pub struct Buyer {
    pub purse: Purse,
}

/// A challenge of the center.
pub async fn challenge(stand: &Stand) -> Challenge {
    let path = "/registration/challenge";
    stand.get(path, path).await.expect(200).json()
}

/// An R1 for a new wallet, and its session key.
pub async fn registration(stand: &Stand) -> (AwaitingRegistration, Secret) {
    let challenge = challenge(stand).await;
    registration_by(stand, challenge).await
}

/// The same, by this challenge.
pub async fn registration_by(stand: &Stand, challenge: Challenge) -> (AwaitingRegistration, Secret) {
    let info: CenterInfo = stand.get("/center", "/center").await.expect(200).json();
    let id = WalletId::from_bytes(random());
    let session_key = Secret::from_bytes(random());
    let key_envelope = info.public_key.encrypt(&session_key, &mut UnwrapErr(SysRng)).unwrap();
    let wallet = NewWallet { id, wallet_key: random(), key_envelope };
    let nonce = solve(&challenge, wallet.content(), 0, 1 << 20).unwrap();
    let awaiting =
        AwaitingRegistration::new(info.center_id, wallet, Solution { challenge, nonce }, stand.now());
    (awaiting, session_key)
}

impl Buyer {
    /// Registers.
    pub async fn register(stand: &Stand) -> Self {
        let (awaiting, session_key) = registration(stand).await;
        let reply =
            stand.post::<RegistrationRequest>("/registration", &awaiting.request).await.expect(200).json();
        Buyer { purse: awaiting.receive(&reply, &session_key).unwrap() }
    }

    /// A buyer who has earned `amount`.
    pub async fn with(stand: &Stand, amount: &str) -> Self {
        let mut buyer = Self::register(stand).await;
        let budget =
            stand.seller.fund("quiz".parse().unwrap(), "USD:50".parse().unwrap(), stand.now()).unwrap();
        stand.post("/campaigns", &budget).await.expect(200);
        let offer = buyer.reward(stand, amount).await;
        buyer.take(stand, offer).await;
        buyer
    }

    /// What the shop permits for an answer.
    pub async fn reward(&self, stand: &Stand, amount: &str) -> Offer {
        let awaiting = self.purse.attestation(stand.seller.vendor_id().clone(), stand.now());
        let reply: AttestationReply = stand.post("/earner", &awaiting.request).await.expect(200).json();
        let attestation = awaiting.receive(&reply, &self.purse.custom_secret).unwrap();
        let header = Header::new(Code::Gm1_1, stand.now());
        let item = "quiz".parse().unwrap();
        let request = IssueRequest { header, item, value: vec!["a".parse().unwrap()], earner: attestation };
        assert!(stand.seller.attested(&request).is_ok());
        Offer::Issue(stand.seller.permit(&request, amount.parse().unwrap(), stand.fresh()).unwrap().offer)
    }

    /// What the shop wants for an article.
    pub fn article(&self, stand: &Stand, price: &str) -> Offer {
        self.article_of(stand, price, stand.fresh())
    }

    /// The same, under the number that comes of `fresh`.
    pub fn article_of(&self, stand: &Stand, price: &str, fresh: Fresh) -> Offer {
        let header = Header::new(Code::Pm1_1, stand.now());
        let request_url = "https://shop.example/articles/bread".parse().unwrap();
        let request = PurchaseRequest { header, request_url, p_method: PaymentMethod::View };
        Offer::Payment(stand.seller.quote(&request, price.parse().unwrap(), fresh).unwrap().offer)
    }

    /// M4 or S4, not sent yet.
    pub fn starts(&self, stand: &Stand, offer: Offer) -> AwaitingEcash {
        self.purse.start(offer, stand.now()).unwrap()
    }

    /// M4 to M6, or S4 to S6.
    pub async fn take(&mut self, stand: &Stand, offer: Offer) -> Receipt {
        let awaiting = self.starts(stand, offer);
        let answer = start(stand, &awaiting).await.expect(200);
        let receipt = self.confirms(stand, &awaiting, &answer);
        let reply: FinishReply = finish(stand, &receipt).await.expect(200).json();
        self.purse.scrip = receipt.new_scrip().clone();
        receipt.receive(&reply).unwrap()
    }

    /// S4 to S6 of a payment to the center itself, whose S4 goes to `path` with `what` beside it.
    pub async fn pays_with(
        &mut self,
        stand: &Stand,
        information: PaymentInformation,
        path: &str,
        what: &str,
        value: Value,
    ) -> Receipt {
        let awaiting = self.starts(stand, Offer::Payment(information.offer));
        let Start::Payment(payment) = &awaiting.start else { panic!("no S4") };
        let mut message = json!({"payment": payment});
        message[what] = value;
        let answer = stand.post(path, &message).await.expect(200);
        let receipt = self.confirms(stand, &awaiting, &answer);
        let reply: FinishReply = finish(stand, &receipt).await.expect(200).json();
        self.purse.scrip = receipt.new_scrip().clone();
        receipt.receive(&reply).unwrap()
    }

    /// M6 or S6, not sent yet.
    pub fn confirms(&self, stand: &Stand, awaiting: &AwaitingEcash, answer: &Answer) -> Box<AwaitingReceipt> {
        let ecash = match awaiting.start {
            Start::Issue(_) => Ecash::Issue(answer.json()),
            Start::Payment(_) => Ecash::Payment(answer.json()),
        };
        match awaiting.receive(&ecash, &self.purse.custom_secret, stand.now()).unwrap() {
            Started::Ours(receipt) => receipt,
            Started::Other(tran_id, _) => panic!("the purse is in the middle of {tran_id}"),
        }
    }

    /// The value of the live scrip, as the center knows it.
    pub async fn live(&self, stand: &Stand) -> Amount {
        let awaiting = self.purse.resynchronise(stand.now());
        let reply: FinishReply = stand.post("/payment/finish", &awaiting.request).await.expect(200).json();
        awaiting.receive(&reply, &self.purse.custom_secret).unwrap().scrip.scrip.value
    }
}

/// Sends an M4 or S4.
pub async fn start(stand: &Stand, awaiting: &AwaitingEcash) -> Answer {
    match &awaiting.start {
        Start::Issue(message) => stand.post("/issue", message).await,
        Start::Payment(message) => stand.post("/payment", message).await,
    }
}

/// Sends an M6 or S6.
pub async fn finish(stand: &Stand, receipt: &AwaitingReceipt) -> Answer {
    let path = if matches!(receipt.start, Start::Issue(_)) { "/issue/finish" } else { "/payment/finish" };
    stand.post(path, &receipt.finish).await
}
