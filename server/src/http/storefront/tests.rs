//! The storefront as browsers, wallets and attackers meet it: a real server on a loopback port.

use std::net::TcpListener;
use std::sync::atomic::Ordering;
use std::time::Duration;

use reqwest::header::HeaderMap;
use reqwest::{Client, Response, StatusCode, redirect};
use serde_json::{Value, json};
use tuppence_protocol::scrip::Code;
use tuppence_protocol::scrip::receipt::{Receipt, ReceiptKind};
use tuppence_protocol::scrip::relay::{Delivery, Outcome};
use tuppence_protocol::{ErrorBody, ErrorCode, bytes};

use super::*;
use crate::http::openapi::differences;
use crate::http::site::Limits;
use crate::http::stopping::Stop;
use crate::storefront::Settings;
use crate::storefront::tests::{
    Stand, bread_receipt, fake_center, init, m1, receipt, set_aside, stand, stand_with, tran,
};

mod proxy;
mod stream;

const WALLET: &str = "https://wallet.example";
const NOWHERE: &str = "http://127.0.0.1:1";
/// What browsers ask with.
const BROWSER: (&str, &str) = ("accept", "text/html,application/xhtml+xml,*/*;q=0.8");

/// A served shop, and a client that follows no redirects.
struct Served {
    stand: Stand,
    address: String,
    client: Client,
    _stop: Stop,
}

impl Served {
    fn new(stand: Stand) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let (stop, stopping) = Stopping::new();
        let site = site(StorefrontApi::new(stand.shop.clone(), stopping));
        let limits = Limits { workers: 1, shutdown_time_max: Duration::ZERO, ..Limits::default() };
        actix_web::rt::spawn(site.serve(listener, limits).unwrap());
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder()
            .redirect(redirect::Policy::none())
            .tls_certs_only(std::iter::empty())
            .timeout(Duration::from_secs(60))
            .build();
        Served { stand, address, client: client.unwrap(), _stop: stop }
    }

    async fn get(&self, path: &str, headers: &[(&str, &str)]) -> Response {
        let mut request = self.client.get(format!("{}{path}", self.address));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.send().await.unwrap()
    }

    async fn page(&self, path: &str, headers: &[(&str, &str)]) -> (StatusCode, HeaderMap, String) {
        let response = self.get(path, headers).await;
        (response.status(), response.headers().clone(), response.text().await.unwrap())
    }

    async fn post(&self, path: &str, body: &impl Serialize) -> Response {
        self.client.post(format!("{}/api/v1{path}", self.address)).json(body).send().await.unwrap()
    }

    async fn unlock(&self, receipt: &Receipt, headers: &[(&str, &str)]) -> Response {
        let receipt = bytes::encode(&serde_json::to_vec(receipt).unwrap());
        let mut request = self.client.post(format!("{}/unlock", self.address));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let form = format!("receipt={receipt}");
        request.header("content-type", "application/x-www-form-urlencoded").body(form).send().await.unwrap()
    }
}

async fn code(response: Response) -> ErrorCode {
    let status = response.status().as_u16();
    let body: ErrorBody = response.json().await.unwrap();
    assert_eq!(status, body.code.status());
    body.code
}

#[test]
fn the_description_lists_just_what_is_served() {
    let wallet = Access::origins([WALLET]);
    let served: Vec<_> = endpoints(&wallet).into_iter().chain(root(&wallet, ARTICLE)).collect();
    assert_eq!(differences(OPENAPI, &served), Vec::<String>::new());
}

#[test]
fn every_published_message_fits_its_schema() {
    let document: Value = serde_json::from_str(OPENAPI).unwrap();
    let vectors: Value =
        serde_json::from_str(include_str!("../../../../protocol/vectors/scrip.json")).unwrap();
    let mut checked = std::collections::BTreeSet::new();
    for message in vectors["messages"].as_array().unwrap() {
        let name = message["type"].as_str().unwrap();
        if document["components"]["schemas"].get(name).is_none() {
            continue;
        }
        let mut schema = json!({"$ref": format!("#/components/schemas/{name}")});
        schema["components"] = document["components"].clone();
        let schema = jsonschema::draft202012::new(&schema).unwrap();
        assert!(schema.is_valid(&message["wire"]), "{}", message["name"]);
        checked.insert(name.to_owned());
    }
    let spoken = [
        "CenterInit",
        "Delivery",
        "ErrorBody",
        "IssuePermitted",
        "IssueRequest",
        "PaymentInformation",
        "PurchaseRequest",
        "Unconfirmed",
    ];
    assert_eq!(checked.into_iter().collect::<Vec<_>>(), spoken);
}

#[actix_web::test]
async fn what_the_api_shows_fits_its_description() {
    let served = Served::new(stand(NOWHERE));
    set_aside(&served.stand.shop, "quiz", "USD:2");
    let document: Value = serde_json::from_str(OPENAPI).unwrap();
    for (path, name) in [
        ("/shop", "Shop"),
        ("/articles", "Articles"),
        ("/article/bread", "Article"),
        ("/campaigns", "Campaigns"),
        ("/campaigns/quiz", "CampaignDetail"),
        ("/campaigns/survey", "CampaignDetail"),
    ] {
        let body: Value = served.get(&format!("/api/v1{path}"), &[]).await.json().await.unwrap();
        let mut schema = json!({"$ref": format!("#/components/schemas/{name}")});
        schema["components"] = document["components"].clone();
        let schema = jsonschema::draft202012::new(&schema).unwrap();
        let errors: Vec<_> = schema.iter_errors(&body).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{path}: {errors:?}");
    }
    assert_eq!(served.get("/health", &[]).await.status(), StatusCode::OK);
}

#[actix_web::test]
async fn a_receipt_becomes_a_cookie_that_opens_its_article_alone() {
    let served = Served::new(stand(NOWHERE));
    let response =
        served.unlock(&bread_receipt(), &[("origin", WALLET), ("sec-fetch-site", "cross-site")]).await;
    assert_eq!(response.status(), StatusCode::SEE_OTHER);
    assert_eq!(response.headers()["location"], "/articles/bread");
    let cookie = response.headers()["set-cookie"].to_str().unwrap().to_owned();
    for part in ["HttpOnly", "SameSite=Lax", "Path=/articles/bread", "Secure", "Max-Age="] {
        assert!(cookie.contains(part), "{part} is missing in {cookie}");
    }
    let kept = cookie.split(';').next().unwrap();

    let (status, headers, page) = served.page("/articles/bread", &[("cookie", kept)]).await;
    assert_eq!((status, headers["cache-control"].to_str().unwrap()), (StatusCode::OK, "private, no-store"));
    assert!(page.contains("ZQX-PAID-WORDS"));

    let changed = format!("{}A", &kept[..kept.len() - 1]);
    let renamed = format!("tuppence_article={}", served.stand.shop.cookies().seal("about"));
    let elsewhere = stand(NOWHERE);
    let foreign = format!("tuppence_article={}", elsewhere.shop.cookies().seal("bread"));
    for forged in ["", "tuppence_article=", "tuppence_article=bread", &changed, &renamed, &foreign] {
        if forged == kept {
            continue;
        }
        let (_, headers, page) = served.page("/articles/bread", &[("cookie", forged)]).await;
        assert!(!page.contains("ZQX"), "{forged} opened the article");
        assert!(headers["vary"].to_str().unwrap().contains("Cookie"));
    }
}

#[actix_web::test]
async fn bad_receipts_open_nothing_and_say_so_in_the_asker_s_form() {
    let served = Served::new(stand(NOWHERE));
    let foreign = receipt(ReceiptKind::Issue, tran(1), "quiz", "USD:0.03");
    let response = served.unlock(&foreign, &[("accept", "text/html")]).await;
    assert_eq!(response.status(), StatusCode::FORBIDDEN);
    assert!(response.headers().get("set-cookie").is_none());
    assert!(response.text().await.unwrap().contains("You have not been charged"));
    assert_eq!(code(served.unlock(&foreign, &[]).await).await, ErrorCode::ReceiptInvalid);

    let evil = [("origin", "https://evil.example"), ("sec-fetch-site", "cross-site")];
    assert_eq!(code(served.unlock(&bread_receipt(), &evil).await).await, ErrorCode::Origin);
    for form in ["", "receipt=", "receipt=!!", "receipt=AAAA", "receipt=e30", "other=1", "receipt=e30&more=1"]
    {
        let request = served.client.post(format!("{}/unlock", served.address));
        let request = request.header("content-type", "application/x-www-form-urlencoded").body(form);
        let status = request.send().await.unwrap().status();
        assert!(status.is_client_error(), "{form}: {status}");
    }
}

#[actix_web::test]
async fn pages_are_kept_by_browsers_and_change_with_their_text() {
    let served = Served::new(stand(NOWHERE));
    for path in ["/", "/articles/bread", "/feed.xml", "/rss.xml"] {
        let (status, headers, page) = served.page(path, &[BROWSER]).await;
        assert_eq!(status, StatusCode::OK, "{path}");
        assert!(page.contains("The oven is warm.") && !page.contains("ZQX"), "{path}");
        let tag = headers["etag"].to_str().unwrap();
        let (status, _, _) = served.page(path, &[BROWSER, ("if-none-match", tag)]).await;
        assert_eq!(status, StatusCode::NOT_MODIFIED, "{path}");
        let (status, _, _) = served.page(path, &[BROWSER, ("if-none-match", "W/\"other\"")]).await;
        assert_eq!(status, StatusCode::OK, "{path}");
    }
    let (_, headers, page) = served.page("/articles/bread", &[BROWSER]).await;
    let policy = headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    let style = page.split("rel=\"stylesheet\" href=\"").nth(1).unwrap().split('"').next().unwrap();
    let (status, headers, _) = served.page(style, &[]).await;
    assert_eq!(
        (status, headers["content-type"].to_str().unwrap()),
        (StatusCode::OK, "text/css; charset=utf-8")
    );
    assert!(served.page("/articles/about", &[]).await.2.contains("All of it is free."));
}

#[actix_web::test]
async fn programs_get_402_with_the_offer_and_browsers_the_teaser() {
    let served = Served::new(stand(NOWHERE));
    let document: Value = serde_json::from_str(OPENAPI).unwrap();
    let schema = json!({"$ref": "#/components/schemas/Demand", "components": document["components"]});
    let schema = jsonschema::draft202012::new(&schema).unwrap();
    for accept in ["application/json", "*/*", "text/markdown", "application/json, text/html;q=0.5"] {
        let (status, headers, body) = served.page("/articles/bread", &[("accept", accept)]).await;
        assert_eq!(status, StatusCode::PAYMENT_REQUIRED, "{accept}");
        assert!(!body.contains("ZQX"), "{accept}");
        let body: Value = serde_json::from_str(&body).unwrap();
        let errors: Vec<_> = schema.iter_errors(&body).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{errors:?}");
        assert_eq!(body["code"], "payment_required");
        let offer = &body["offer"];
        assert_eq!(offer["article"]["url"], "https://shop.example/articles/bread");
        assert_eq!(offer["article"]["price"], "USD:0.03");
        assert_eq!(offer["purchase"], "https://shop.example/api/v1/purchase");
        let header = |name: &str| headers[name].to_str().unwrap();
        assert!(header("www-authenticate").starts_with("Tuppence realm=\"https://shop.example\", center="));
        assert!(header("www-authenticate").contains("price=\"USD:0.03\""));
        assert!(header("link").starts_with("<https://shop.example/api/v1/purchase>; rel=\"payment\""));
        assert_eq!(header("cache-control"), "no-store");
        assert_eq!(header("vary"), "Accept, Authorization, Cookie");

        let address = format!("{}/articles/bread", served.address);
        let head = served.client.head(address).header("accept", accept).send().await.unwrap();
        assert_eq!(
            (head.status(), &head.headers()["www-authenticate"]),
            (status, &headers["www-authenticate"])
        );
        assert!(head.bytes().await.unwrap().is_empty());
    }
    let (status, headers, page) = served.page("/articles/bread", &[BROWSER]).await;
    assert_eq!(status, StatusCode::OK);
    assert!(page.contains("The oven is warm.") && !page.contains("ZQX"));
    assert_eq!(headers["vary"], "Accept, Authorization, Cookie");
    assert!(headers.get("www-authenticate").is_none());
    assert_eq!(served.page("/articles/about", &[("accept", "*/*")]).await.0, StatusCode::OK, "it is free");
}

#[actix_web::test]
async fn a_part_of_an_article_has_an_address_of_its_own() {
    let stand = stand(NOWHERE);
    let walk = "---\ntitle: Walk\nprice: 0.02\nmeter: paragraph\nunit: 0.01\n---\nIt begins.\n\n<!-- more -->\n\nZQX-ONE.\n\nZQX-TWO.\n";
    std::fs::write(stand.root.path().join("content/walk.md"), walk).unwrap();
    stand.shop.reload();
    let served = Served::new(stand);
    let (status, headers, body) = served.page("/articles/walk/parts/2", &[]).await;
    assert_eq!(status, StatusCode::PAYMENT_REQUIRED);
    let body: Value = serde_json::from_str(&body).unwrap();
    let article = &body["offer"]["article"];
    assert_eq!((&article["title"], &article["price"]), (&json!("Walk (2/2)"), &json!("USD:0.01")));
    assert_eq!(article["url"], "https://shop.example/articles/walk/parts/2");
    // A budget pays it, where the shop takes any; the center's e-cash does not.
    assert_eq!(body["offer"]["methods"], json!([]));
    assert!(headers["www-authenticate"].to_str().unwrap().contains("methods=\"\""));
    let (status, headers, _) = served.page("/articles/walk/parts/2", &[BROWSER]).await;
    assert_eq!((status, &headers["location"]), (StatusCode::SEE_OTHER, &"/articles/walk".parse().unwrap()));

    let paid =
        receipt(ReceiptKind::Payment, tran(1), "https://shop.example/articles/walk/parts/2", "USD:0.01");
    let opened = served.unlock(&paid, &[("origin", WALLET)]).await;
    assert_eq!(opened.headers()["location"], "/articles/walk/parts/2");
    let cookie = opened.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let shown = [BROWSER, ("cookie", cookie.as_str())];
    let (_, _, page) = served.page("/articles/walk/parts/2", &shown).await;
    assert!(
        page.contains("ZQX-TWO") && page.contains("href=\"/articles/walk\"") && !page.contains("ZQX-ONE")
    );
    let authorized = format!("Tuppence {}", bytes::encode(&serde_json::to_vec(&paid).unwrap()));
    for other in ["/articles/walk", "/articles/walk/parts/1"] {
        assert!(!served.page(other, &shown).await.2.contains("ZQX"), "{other}");
        let refused = served.get(other, &[("authorization", &authorized)]).await;
        assert_eq!(code(refused).await, ErrorCode::ReceiptInvalid, "{other}");
    }
    for nothing in ["/articles/walk/parts/3", "/articles/walk/parts/02", "/articles/bread/parts/1"] {
        assert_eq!(code(served.get(nothing, &[]).await).await, ErrorCode::NotFound, "{nothing}");
    }
}

#[actix_web::test]
async fn a_receipt_in_the_header_gets_the_whole_article_in_the_asked_form() {
    let stand = stand(NOWHERE);
    let rye = "---\ntitle: Rye\nprice: 0.03\n---\nRye.\n\n<!-- more -->\n\nZQX too.\n";
    std::fs::write(stand.root.path().join("content/rye.md"), rye).unwrap();
    stand.shop.reload();
    let served = Served::new(stand);
    let header =
        |receipt: &Receipt| format!("Tuppence {}", bytes::encode(&serde_json::to_vec(receipt).unwrap()));
    let right = header(&bread_receipt());
    for accept in ["text/html", "*/*"] {
        let asked = [("accept", accept), ("authorization", right.as_str())];
        let (status, headers, page) = served.page("/articles/bread", &asked).await;
        assert_eq!(
            (status, &headers["cache-control"]),
            (StatusCode::OK, &"private, no-store".parse().unwrap())
        );
        assert!(page.starts_with("<!") && page.contains("ZQX-PAID-WORDS"), "{accept}");
        assert_eq!(headers["vary"], "Accept, Authorization, Cookie");
    }
    let asked = [("accept", "application/json"), ("authorization", right.as_str())];
    let (status, headers, body) = served.page("/articles/bread", &asked).await;
    assert_eq!((status, &headers["cache-control"]), (StatusCode::OK, &"private, no-store".parse().unwrap()));
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(body["slug"], "bread");
    assert!(body["document"].as_str().unwrap().contains("ZQX-PAID-WORDS"));

    let mut forged = bread_receipt();
    forged.amount = "USD:0.01".parse().unwrap();
    let issue = receipt(ReceiptKind::Issue, tran(1), "quiz", "USD:0.03");
    let wrong = [header(&forged), header(&issue), "Tuppence !".to_owned(), "tuppence AAAA".to_owned()];
    for wrong in &wrong {
        for accept in ["text/html", "*/*"] {
            let response =
                served.get("/articles/bread", &[("accept", accept), ("authorization", wrong)]).await;
            assert!(response.status().is_client_error(), "{wrong}");
            assert!(!response.text().await.unwrap().contains("ZQX"), "{wrong}");
        }
    }
    let elsewhere = served.get("/articles/rye", &[("authorization", &right)]).await;
    assert_eq!(code(elsewhere).await, ErrorCode::ReceiptInvalid, "a receipt is for one article");
    let nowhere = served.get("/articles/none", &[("authorization", &right)]).await;
    assert_eq!(code(nowhere).await, ErrorCode::NotFound);
    let other_scheme = served.get("/articles/bread", &[("authorization", "Basic YTpi")]).await;
    assert_eq!(other_scheme.status(), StatusCode::PAYMENT_REQUIRED);
}

#[actix_web::test]
async fn what_is_not_there_is_said_in_the_asker_s_form() {
    let served = Served::new(stand(NOWHERE));
    for path in ["/articles/none", "/none", "/articles/", "/articles/bread/more", "/articles/%2e%2e%2fbread"]
    {
        let (status, _, page) = served.page(path, &[("accept", "text/html,*/*")]).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{path}");
        assert!(page.contains("There is nothing here"), "{path}");
        assert_eq!(code(served.get(path, &[]).await).await, ErrorCode::NotFound, "{path}");
    }
    assert_eq!(code(served.get("/api/v1/none", &[("accept", "text/html")]).await).await, ErrorCode::NotFound);
    assert_eq!(code(served.get("/api/v1/campaigns/none", &[]).await).await, ErrorCode::ItemUnknown);
    assert_eq!(code(served.get("/api/v1/earn", &[]).await).await, ErrorCode::Method);
}

#[actix_web::test]
async fn pictures_come_in_a_sandbox_and_nothing_else_leaves_the_folder() {
    let stand = stand(NOWHERE);
    let content = stand.root.path().join("content");
    std::fs::write(content.join("a.svg"), "<svg xmlns=\"http://www.w3.org/2000/svg\"/>").unwrap();
    std::fs::write(content.join("pictures.md"), "---\ntitle: P\nprice: free\n---\n![a](a.svg)\n").unwrap();
    stand.shop.reload();
    let served = Served::new(stand);
    let page = served.page("/articles/pictures", &[]).await.2;
    let address =
        page.split("src=\"https://shop.example").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let (status, headers, _) = served.page(&address, &[]).await;
    assert_eq!((status, headers["content-type"].to_str().unwrap()), (StatusCode::OK, "image/svg+xml"));
    assert!(headers["content-security-policy"].to_str().unwrap().contains("sandbox"));
    assert_eq!(headers["cross-origin-resource-policy"], "cross-origin");

    let seal = address.split('/').nth(3).unwrap();
    for path in [
        "/media/articles/x/a.svg".to_owned(),
        format!("/media/campaigns/{seal}/a.svg"),
        format!("/media/articles/{seal}/bread.md"),
        format!("/media/articles/{seal}/../shop.db"),
        format!("/media/articles/{seal}/%2e%2e/shop.db"),
        format!("/media/articles/{seal}/..%2fshop.db"),
        format!("/media/articles/{seal}/%2e%2e%5cshop.db"),
        format!("/media/articles/{seal}//etc/passwd"),
        format!("/media/articles/{seal}/a.svg%00"),
        format!("/media/articles/{seal}/"),
        "/media/../shop.db".to_owned(),
        "/media/".to_owned(),
    ] {
        let (status, _, body) = served.page(&path, &[]).await;
        assert!(status.is_client_error(), "{path}: {status}");
        assert!(!body.contains("<svg") && !body.contains("SQLite"), "{path}");
    }
}

#[actix_web::test]
async fn malformed_messages_are_refused_with_the_reason() {
    let served = Served::new(stand(NOWHERE));
    let deep = "[".repeat(20_000);
    for path in
        ["/purchase", "/purchase/deliver", "/articles/open", "/claims", "/verify", "/earn", "/earn/deliver"]
    {
        for body in ["", "x", "null", "[]", "{}", "{\"header\": 1}", "{\"header\": {}}", &deep, "\"\\ud800\""]
        {
            let request = served.client.post(format!("{}/api/v1{path}", served.address));
            let request = request.header("content-type", "application/json").body(body.to_owned());
            let response = request.send().await.unwrap();
            assert_eq!(code(response).await, ErrorCode::Malformed, "{path}: {body:.20}");
        }
        let request = served.client.post(format!("{}/api/v1{path}", served.address)).body("{}");
        assert_eq!(code(request.send().await.unwrap()).await, ErrorCode::MediaType, "{path}");
        let large = served.client.post(format!("{}/api/v1{path}", served.address));
        let large = large.header("content-type", "application/json").body(" ".repeat(EARN_BYTES_MAX + 1));
        if let Ok(response) = large.send().await {
            assert_eq!(code(response).await, ErrorCode::BodyTooLarge, "{path}");
        }
    }
    let mut surplus = serde_json::to_value(init(Code::Pm3_1, tran(1))).unwrap();
    surplus["more"] = json!(1);
    assert_eq!(code(served.post("/purchase/deliver", &surplus).await).await, ErrorCode::Malformed);
}

#[actix_web::test]
async fn only_the_wallet_s_pages_may_write() {
    let served = Served::new(stand(NOWHERE));
    set_aside(&served.stand.shop, "quiz", "USD:2");
    let ask = async |origin: &str| {
        let request = served.client.post(format!("{}/api/v1/earn", served.address)).header("origin", origin);
        request.header("sec-fetch-site", "cross-site").json(&m1("quiz", &["b"], 1)).send().await.unwrap()
    };
    for foreign in
        ["https://evil.example", "https://wallet.example.evil.example", "null", "http://wallet.example"]
    {
        assert_eq!(code(ask(foreign).await).await, ErrorCode::Origin, "{foreign}");
    }
    let response = ask(WALLET).await;
    assert_eq!(response.headers()["access-control-allow-origin"], WALLET);
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(served.get("/api/v1/articles", &[]).await.headers()["access-control-allow-origin"], "*");
}

#[actix_web::test]
async fn a_receipt_that_the_wallet_left_waits_for_the_page_that_knows_the_claim_for_ten_minutes() {
    let served = Served::new(stand(NOWHERE));
    let (claim, other) = ("AAAAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAAAQ");
    let take = async |claim: &str| -> Value {
        let taken = served.post("/claims/take", &json!({"claim": claim})).await;
        assert_eq!(taken.headers()["cache-control"], "no-store");
        taken.json().await.unwrap()
    };
    assert_eq!(take(claim).await, json!({}));
    let receipt = serde_json::to_value(bread_receipt()).unwrap();
    let left = served.post("/claims", &json!({"claim": claim, "receipt": receipt})).await;
    assert_eq!(left.status(), StatusCode::OK);
    for _ in 0..2 {
        assert_eq!(take(claim).await, json!({"receipt": receipt}));
    }
    assert_eq!(take(other).await, json!({}));
    served.stand.clock.advance(tuppence_protocol::Duration::from_minutes(10));
    assert_eq!(take(claim).await, json!({}));
}

#[actix_web::test]
async fn a_publishers_server_learns_what_a_receipt_is_good_for_and_pages_learn_nothing() {
    let served = Served::new(stand(NOWHERE));
    let receipt = bread_receipt();
    let said: Value = served.post("/verify", &receipt).await.json().await.unwrap();
    let expected = json!({
        "tranId": receipt.tran_id, "article": receipt.subject, "amount": receipt.amount, "date": receipt.date
    });
    assert_eq!(said, expected);
    let mut forged = receipt.clone();
    forged.amount = "USD:0.01".parse().unwrap();
    assert_eq!(code(served.post("/verify", &forged).await).await, ErrorCode::ReceiptInvalid);
    let request = served.client.post(format!("{}/api/v1/verify", served.address)).header("origin", WALLET);
    let refused = request.header("sec-fetch-site", "cross-site").json(&receipt).send().await.unwrap();
    assert_eq!(code(refused).await, ErrorCode::Origin);
}

#[actix_web::test]
async fn only_the_wallet_leaves_receipts_and_only_good_ones() {
    let served = Served::new(stand(NOWHERE));
    let claim = "AAAAAAAAAAAAAAAAAAAAAA";
    let leave = async |origin: &str, receipt: &Receipt| {
        let request =
            served.client.post(format!("{}/api/v1/claims", served.address)).header("origin", origin);
        let request = request.header("sec-fetch-site", "cross-site");
        request.json(&json!({"claim": claim, "receipt": receipt})).send().await.unwrap()
    };
    let receipt = bread_receipt();
    assert_eq!(code(leave("https://page.example", &receipt).await).await, ErrorCode::Origin);
    let mut forged = receipt.clone();
    forged.subject = "https://shop.example/articles/about".parse().unwrap();
    assert_eq!(code(leave(WALLET, &forged).await).await, ErrorCode::ReceiptInvalid);
    assert_eq!(leave(WALLET, &receipt).await.status(), StatusCode::OK);
    for malformed in [json!({}), json!({"claim": "short"}), json!({"claim": claim, "more": 1})] {
        assert_eq!(code(served.post("/claims/take", &malformed).await).await, ErrorCode::Malformed);
    }
}

#[actix_web::test]
async fn pages_of_every_origin_may_load_the_script_and_its_words_and_open_what_they_have_receipts_for() {
    let served = Served::new(stand(NOWHERE));
    let elsewhere = [("origin", "https://page.example"), ("sec-fetch-site", "cross-site")];
    for (path, media_type) in
        [("/embed.js", "text/javascript; charset=utf-8"), ("/embed/ko.json", "application/json")]
    {
        let (status, headers, text) = served.page(path, &elsewhere).await;
        assert_eq!((status, headers["content-type"].to_str().unwrap()), (StatusCode::OK, media_type));
        assert_eq!(headers["access-control-allow-origin"], "*");
        assert_eq!(headers["cross-origin-resource-policy"], "cross-origin");
        assert!(!text.is_empty());
    }
    assert_eq!(served.get("/embed/xx.json", &[]).await.status(), StatusCode::NOT_FOUND);
    assert_eq!(served.get("/api/v1/article/gone", &[]).await.status(), StatusCode::NOT_FOUND);
    let mut request = served.client.post(format!("{}/api/v1/articles/open", served.address));
    for (name, value) in elsewhere {
        request = request.header(name, value);
    }
    let opened: Delivery = request.json(&bread_receipt()).send().await.unwrap().json().await.unwrap();
    assert!(opened.document.as_str().contains("ZQX-PAID-WORDS"));
}

#[actix_web::test]
async fn wrong_answers_carry_gm2_2_and_the_length_of_right_ones() {
    let served = Served::new(stand(NOWHERE));
    set_aside(&served.stand.shop, "quiz", "USD:2");
    let right = served.post("/earn", &m1("quiz", &["b"], 1)).await;
    assert_eq!(right.status(), StatusCode::OK);
    let right = right.bytes().await.unwrap();
    let wrong = served.post("/earn", &m1("quiz", &["a"], 2)).await;
    assert_eq!(wrong.status(), StatusCode::FORBIDDEN);
    let wrong = wrong.bytes().await.unwrap();
    assert_eq!(right.len(), wrong.len());
    let body: ErrorBody = serde_json::from_slice(&wrong).unwrap();
    assert_eq!((body.code, body.reply.unwrap().header.cmd_type), (ErrorCode::AnswerWrong, Code::Gm2_2));
    assert_eq!(served.post("/earn", &m1("quiz", &["b"], 1)).await.bytes().await.unwrap(), right);
}

#[actix_web::test]
async fn s3_is_held_over_http_and_answered_when_the_center_confirms() {
    let (center, origin) = fake_center::serve().await;
    let served = Served::new(stand(&origin));
    let confirm = async {
        while center.asked.load(Ordering::SeqCst) == 0 {
            tokio::task::yield_now().await;
        }
        let url = "https://shop.example/articles/bread";
        center.end(tran(1), Outcome::Posted(receipt(ReceiptKind::Payment, tran(1), url, "USD:0.03")));
    };
    let s3 = init(Code::Pm3_1, tran(1));
    let (response, ()) = tokio::join!(served.post("/purchase/deliver", &s3), confirm);
    assert_eq!(response.status(), StatusCode::OK);
    let delivery: Delivery = response.json().await.unwrap();
    assert!(delivery.document.as_str().contains("ZQX-PAID-WORDS"));

    let opened: Delivery = served.post("/articles/open", &delivery.receipt).await.json().await.unwrap();
    assert_eq!(opened.document.as_str(), delivery.document.as_str());
}

#[actix_web::test]
async fn after_the_time_s3_and_m3_get_202() {
    let (_center, origin) = fake_center::serve().await;
    let served =
        Served::new(stand_with(&origin, |settings| Settings { hold: Duration::from_millis(30), ..settings }));
    for (path, code, reply) in
        [("/purchase/deliver", Code::Pm3_1, "PM7_2"), ("/earn/deliver", Code::Gm3_1, "GM7_2")]
    {
        let response = served.post(path, &init(code, tran(1))).await;
        assert_eq!(response.status(), StatusCode::ACCEPTED);
        let body: Value = response.json().await.unwrap();
        assert_eq!(
            (body["header"]["cmdType"].as_str(), body["askAgain"].as_str()),
            (Some(reply), Some(&*format!("/api/v1{path}")))
        );
    }
}
