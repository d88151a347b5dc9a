//! A shop in memory: the rules of `protocol::scrip::seller`, three articles and three campaigns.

use std::collections::BTreeMap;

use serde_json::json;
use tuppence_protocol::ids::EarnerId;
use tuppence_protocol::scrip::Code;
use tuppence_protocol::scrip::issue::{IssuePermitted, IssueRequest};
use tuppence_protocol::scrip::payment::PurchaseRequest;
use tuppence_protocol::scrip::receipt::{Receipt, ReceiptKind};
use tuppence_protocol::scrip::relay::CenterInit;
use tuppence_protocol::scrip::seller::{Fresh, Seller, refuse_issue};
use tuppence_protocol::{Amount, ErrorBody, ErrorCode, Refusal, Timestamp};

use super::center::{Answer, CenterSim, decode, ok, reply};

#[derive(Clone)]
pub struct ShopSim {
    pub seller: Seller,
    /// Prices by slug.
    pub prices: BTreeMap<String, Amount>,
    /// Whether it hands nothing out, though it sells.
    pub hands_out_nothing: bool,
    /// Changes what a 402 says.
    pub demand_changed: Option<fn(&mut serde_json::Value)>,
    answers: BTreeMap<(EarnerId, String), (Vec<String>, Option<IssuePermitted>)>,
    offers: u8,
}

const CAMPAIGNS: [(&str, &str, &str); 3] =
    [("quiz", "quiz", "USD:0.04"), ("survey", "survey", "USD:6"), ("spot", "advertisement", "USD:0.02")];

impl ShopSim {
    pub fn new(center: &CenterSim) -> Self {
        let center_id = center.center.keys.center_id.clone();
        let seller = Seller::new(center.shop_id.clone(), center_id, center.shop_secrets.clone()).unwrap();
        let prices = [("coins", "USD:0.03"), ("bread", "USD:0.01"), ("trains", "USD:0.12")];
        ShopSim {
            seller,
            prices: prices.map(|(slug, price)| (slug.to_owned(), price.parse().unwrap())).into(),
            hands_out_nothing: false,
            demand_changed: None,
            answers: BTreeMap::new(),
            offers: 0,
        }
    }

    pub fn handle(&mut self, path: &str, body: Option<&[u8]>, center: &CenterSim, now: Timestamp) -> Answer {
        match path {
            "/purchase/deliver" | "/articles/open" if self.hands_out_nothing => (503, Vec::new()),
            "/shop" => ok(&self.shop()),
            "/articles" => ok(&json!({"articles": self.articles()})),
            "/campaigns" => {
                let cards = CAMPAIGNS.map(|campaign| card(campaign, json!(1)));
                ok(&json!({"campaigns": cards}))
            }
            "/purchase" => reply(decode(body).and_then(|message| self.quote(&message, now))),
            "/earn" => match decode(body).and_then(|message| self.grade(&message, center, now)) {
                Ok(permitted) => ok(&permitted),
                Err(refusal) => {
                    let document = "<p>Not this time.</p>".parse().unwrap();
                    let refused = Box::new(refuse_issue(&refusal, document, now));
                    let body = ErrorBody { reply: Some(refused), ..ErrorBody::from(&refusal) };
                    (refusal.code.status(), serde_json::to_vec(&body).unwrap())
                }
            },
            "/purchase/deliver" | "/earn/deliver" => self.held(body, center, now),
            "/articles/open" => reply(decode(body).and_then(|receipt: Receipt| {
                self.seller.admit(&receipt, ReceiptKind::Payment)?;
                Ok(self.deliver(receipt, now))
            })),
            _ if path.starts_with("/article/") => {
                let slug = &path["/article/".len()..];
                match self.articles().into_iter().find(|article| article["slug"] == slug) {
                    Some(article) => ok(&article),
                    None => reply::<()>(Err(Refusal::new(ErrorCode::ArticleUnknown, "No such article."))),
                }
            }
            _ => match path.strip_prefix("/campaigns/") {
                Some(item) => match CAMPAIGNS.iter().find(|campaign| campaign.0 == item) {
                    Some(campaign) => ok(&card(*campaign, json!([question()]))),
                    None => reply::<()>(Err(Refusal::new(ErrorCode::ItemUnknown, "No such item."))),
                },
                None => (404, Vec::new()),
            },
        }
    }

    fn shop(&self) -> serde_json::Value {
        json!({
            "vendorId": self.seller.vendor_id(), "origin": super::SHOP, "centerOrigin": super::CENTER,
            "walletOrigin": super::CENTER, "title": "The Shop", "description": "Sells articles.",
        })
    }

    /// What is at an address for people: an article asks a program for its price.
    pub fn page(&self, path: &str) -> Answer {
        let path = path.split('?').next().unwrap_or_default();
        if path == "/free" {
            return (200, b"<p>Free.</p>".to_vec());
        }
        let asked = format!("{}{path}", super::SHOP);
        let Some(article) = self.articles().into_iter().find(|article| article["url"] == asked) else {
            return (404, Vec::new());
        };
        let mut body = json!({
            "code": "payment_required", "message": "It costs money.", "hint": "Pay.", "retry": "with-new-offer",
            "offer": {"shop": self.shop(), "article": article, "methods": ["scrip"]},
        });
        if let Some(change) = self.demand_changed {
            change(&mut body);
        }
        (402, serde_json::to_vec(&body).unwrap())
    }

    fn articles(&self) -> Vec<serde_json::Value> {
        let article = |(slug, price): (&String, &Amount)| {
            json!({
                "slug": slug, "url": url(slug), "title": format!("On {slug}"), "teaser": "It begins",
                "price": price, "authors": ["A. Author"], "tags": [],
            })
        };
        self.prices.iter().map(article).collect()
    }

    fn fresh(&mut self, now: Timestamp) -> Fresh {
        self.offers += 1;
        Fresh { now, random: [self.offers; 10] }
    }

    fn quote(
        &mut self,
        message: &PurchaseRequest,
        now: Timestamp,
    ) -> Result<tuppence_protocol::scrip::payment::PaymentInformation, Refusal> {
        let found = self.prices.iter().find(|(slug, _)| url(slug) == message.request_url.as_str());
        let unknown = || Refusal::new(ErrorCode::ArticleUnknown, "No such article.");
        let price = *found.ok_or_else(unknown)?.1;
        let fresh = self.fresh(now);
        self.seller.quote(message, price, fresh)
    }

    /// One attempt for each earner and item; the same M1 gets the same M2, and a fresh one when that has expired unused.
    fn grade(
        &mut self,
        message: &IssueRequest,
        center: &CenterSim,
        now: Timestamp,
    ) -> Result<IssuePermitted, Refusal> {
        let earner = self.seller.attested(message)?;
        let answers: Vec<String> = message.value.iter().map(ToString::to_string).collect();
        let key = (earner, message.item.to_string());
        let mut renew = false;
        if let Some((first, permitted)) = self.answers.get(&key) {
            if *first != answers {
                return Err(Refusal::new(ErrorCode::AlreadyAnswered, "Each item has one try."));
            }
            match permitted {
                Some(permitted) => {
                    let used = center.outcome(permitted.offer.tran_id).is_some();
                    if used || permitted.offer.expires >= now {
                        return Ok(permitted.clone());
                    }
                    renew = true;
                }
                None => return Err(Refusal::new(ErrorCode::AnswerWrong, "That was not right.")),
            }
        }
        let reward = CAMPAIGNS.iter().find(|campaign| campaign.0 == message.item.as_str());
        let reward = reward.ok_or_else(|| Refusal::new(ErrorCode::ItemUnknown, "No such item."))?.2;
        if !renew && message.item.as_str() == "quiz" && answers != ["b"] {
            self.answers.insert(key, (answers, None));
            return Err(Refusal::new(ErrorCode::AnswerWrong, "That was not right."));
        }
        let fresh = self.fresh(now);
        let permitted = self.seller.permit(message, reward.parse().unwrap(), fresh)?;
        self.answers.insert(key, (answers, Some(permitted.clone())));
        Ok(permitted)
    }

    /// M3 and S3; 202 while the center has not confirmed.
    fn held(&self, body: Option<&[u8]>, center: &CenterSim, now: Timestamp) -> Answer {
        let message: CenterInit = match decode(body) {
            Ok(message) => message,
            Err(refusal) => return reply::<()>(Err(refusal)),
        };
        match center.outcome(message.tran_id) {
            Some(receipt) => ok(&self.deliver(receipt, now)),
            None => (202, Vec::new()),
        }
    }

    fn deliver(&self, receipt: Receipt, now: Timestamp) -> tuppence_protocol::scrip::relay::Delivery {
        let document = format!("<p>The whole of {}.</p>", receipt.subject);
        let delivery =
            self.seller.deliver(receipt, "The title".parse().unwrap(), document.parse().unwrap(), now);
        assert!(matches!(delivery.header.cmd_type, Code::Pm7_1 | Code::Gm7_1));
        delivery
    }
}

fn url(slug: &str) -> String {
    format!("{}/articles/{slug}", super::SHOP)
}

fn card((item, kind, reward): (&str, &str, &str), questions: serde_json::Value) -> serde_json::Value {
    json!({
        "item": item, "kind": kind, "title": format!("The {item}"), "sponsor": "A sponsor",
        "reward": reward, "minutes": 1, "questions": questions, "remaining": 10,
        "intro": "Read this.", "audience": "Only the shop.",
    })
}

fn question() -> serde_json::Value {
    json!({"text": "Which?", "kind": "choice", "choices": [{"id": "a", "text": "A"}, {"id": "b", "text": "B"}]})
}
