//! The storefront in front of a real site: what passes through, what is cut, and what no request gets out of it.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::{Arc, Mutex};

use actix_web::{App, HttpServer, rt};
use futures_util::{StreamExt, stream};
use tokio::sync::Notify;
use tuppence_protocol::scrip::Header;
use tuppence_protocol::scrip::payment::{PaymentMethod, PurchaseRequest};

use super::*;
use crate::http::client::passing_through;
use crate::storefront::upstream;

const RULES: &str = r#"
[[rule]]
path = "/stories/feed"
closed = true

[[rule]]
path = "/stories/*"
price = 0.03
article = ".text"
teaser = 40

[[rule]]
path = "/letters/*"
price = 0.05
teaser = ".lead"
"#;

const PAID: &str = "ZQX-PAID what nobody tells you is that the flour is older than the bakery itself.";

fn story(text: &str) -> String {
    format!(
        "<!doctype html><html lang=ko><head><title>Bread</title><script>var all = \"{text}\"</script></head>\
        <body><nav>The site's own menu</nav><h1>Bread</h1><div class=text>\
        <p>The oven is warm before the street is awake, and nobody sleeps.</p><p>Something in between, of which there is enough.</p>\
        <p>{text} <a href=next>Next</a> <img src=/a.png><img src=https://elsewhere.example/b.png></p></div><footer>End</footer></body></html>"
    )
}

/// A site on a loopback port, and what it was asked.
struct Site {
    address: String,
    asked: Arc<Mutex<Vec<String>>>,
    text: Arc<Mutex<String>>,
    go_on: Arc<Notify>,
    server: actix_web::dev::ServerHandle,
}

impl Site {
    fn serve() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let (asked, text) = (Arc::<Mutex<Vec<String>>>::default(), Arc::new(Mutex::new(PAID.to_owned())));
        let go_on = Arc::new(Notify::new());
        let (seen, said, until, own) = (asked.clone(), text.clone(), go_on.clone(), address.clone());
        let server = HttpServer::new(move || {
            let (seen, said, until, own) = (seen.clone(), said.clone(), until.clone(), own.clone());
            App::new().default_service(web::to(move |request: actix_web::HttpRequest, body: web::Bytes| {
                let (said, until, own) = (said.clone(), until.clone(), own.clone());
                seen.lock().unwrap().push(told(&request, &body));
                async move { answer(&request, &said, until, &own) }
            }))
        });
        let server = server.workers(1).disable_signals().shutdown_timeout(0).listen(listener).unwrap().run();
        let handle = server.handle();
        rt::spawn(server);
        Site { address, asked, text, go_on, server: handle }
    }

    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }
}

/// A request as the site has seen it, a line for each part.
fn told(request: &actix_web::HttpRequest, body: &[u8]) -> String {
    let mut lines = vec![format!("{} {}", request.method(), request.uri())];
    lines
        .extend(request.headers().iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())));
    lines.push(format!("body: {}", String::from_utf8_lossy(body)));
    lines.join("\n")
}

fn answer(
    request: &actix_web::HttpRequest,
    text: &Mutex<String>,
    go_on: Arc<Notify>,
    own: &str,
) -> HttpResponse {
    let mut page = HttpResponse::Ok();
    page.content_type("text/html")
        .insert_header(("etag", "\"1\""))
        .insert_header(("cache-control", "public, max-age=60"));
    page.insert_header(("content-security-policy", "default-src 'self'"))
        .insert_header(("set-cookie", "site=1; Path=/"));
    match request.uri().path() {
        "/" => HttpResponse::Ok().content_type("text/html").body("<h1>The site's front page</h1>"),
        "/echo" => HttpResponse::Accepted()
            .insert_header(("x-site", "yes"))
            .insert_header(("keep-alive", "timeout=9"))
            .body("heard"),
        "/stories/bread" | "/stories/bread/" | "/stories/rye" | "/STORIES/bread" => {
            page.body(story(&text.lock().unwrap()))
        }
        "/letters/one" => page.body(format!("<article><p class=lead>Dear all,</p><p>{PAID}</p></article>")),
        "/letters/two" => page.body(format!("<article><p>{PAID}</p></article>")),
        "/stories/feed" | "/plain" => HttpResponse::Ok().content_type("text/plain").body(PAID),
        "/stories/photo.jpg" => HttpResponse::Ok().content_type("image/jpeg").body(PAID),
        "/stories/zipped" => page.insert_header(("content-encoding", "gzip")).body(PAID),
        "/stories/part" => HttpResponse::PartialContent().content_type("text/html").body(story(PAID)),
        "/stories/moved" => HttpResponse::MovedPermanently()
            .insert_header(("location", format!("{own}/stories/bread")))
            .finish(),
        "/stories/long" => page.body(format!("<div class=text>{}</div>", "<p>x</p>".repeat(400_000))),
        "/known" => HttpResponse::NotModified().insert_header(("etag", "\"1\"")).finish(),
        "/slowly" => {
            let rest = stream::once(async move {
                go_on.notified().await;
                web::Bytes::from_static(b"second")
            });
            let first = stream::once(async { web::Bytes::from_static(b"first ") });
            HttpResponse::Ok().streaming(first.chain(rest).map(Ok::<_, std::io::Error>))
        }
        _ => HttpResponse::NotFound().content_type("text/html").body("<h1>The site has no such page</h1>"),
    }
}

fn in_front_of(site: &Site) -> Served {
    in_front_of_address(&site.address)
}

fn in_front_of_address(address: &str) -> Served {
    let address = address.to_owned();
    Served::new(stand_with(NOWHERE, |settings| {
        let rules = settings.database.with_file_name("rules.toml");
        std::fs::write(&rules, RULES).unwrap();
        let http = passing_through().unwrap();
        Settings { upstream: Some(upstream::Settings { address, rules, http }), ..settings }
    }))
}

fn paid(slug: &str) -> Receipt {
    receipt(ReceiptKind::Payment, tran(7), &format!("https://shop.example/articles/{slug}"), "USD:0.03")
}

async fn cookie_for(served: &Served, slug: &str) -> String {
    let response = served.unlock(&paid(slug), &[("origin", WALLET)]).await;
    assert_eq!(response.status(), StatusCode::SEE_OTHER);
    let cookie = response.headers()["set-cookie"].to_str().unwrap();
    cookie.split(';').next().unwrap().to_owned()
}

#[actix_web::test]
async fn what_is_free_passes_through_as_it_is_both_ways() {
    let site = Site::serve();
    let served = in_front_of(&site);
    let (status, headers, page) = served.page("/", &[BROWSER]).await;
    assert_eq!((status, page.as_str()), (StatusCode::OK, "<h1>The site's front page</h1>"));
    assert!(headers.get("content-security-policy").is_none(), "the shop's policy is for the shop's pages");
    site.asked();

    let request = served.client.post(format!("{}/echo?a=1&b=%2F", served.address)).body("a body");
    let request = request
        .header("cookie", "a=1; tuppence_article=secret; b=2")
        .header("authorization", "Basic YTpi")
        .header("x-forwarded-for", "203.0.113.9")
        .header("forwarded", "for=203.0.113.7")
        .header("x-real-ip", "203.0.113.7")
        .header("te", "trailers")
        .header("connection", "x-hop")
        .header("x-hop", "1")
        .header("accept-encoding", "br")
        .header("if-none-match", "\"1\"");
    let response = request.send().await.unwrap();
    assert_eq!(
        (response.status(), &response.headers()["x-site"]),
        (StatusCode::ACCEPTED, &"yes".parse().unwrap())
    );
    assert!(response.headers().get("keep-alive").is_none(), "it belongs to the site's connection");
    assert_eq!(response.text().await.unwrap(), "heard");
    let asked = site.asked().remove(0);
    for line in [
        "POST /echo?a=1&b=%2F",
        "body: a body",
        "content-length: 6",
        "cookie: a=1; b=2",
        "authorization: Basic YTpi",
        "x-forwarded-for: 203.0.113.9, 127.0.0.1",
        "x-forwarded-proto: https",
        "x-forwarded-host: shop.example",
        "host: shop.example",
        "accept-encoding: br",
        "if-none-match: \"1\"",
    ] {
        assert!(asked.lines().any(|asked| asked == line), "{line} is missing in\n{asked}");
    }
    assert!(
        asked.contains("x-request-id: ")
            && !asked.contains("te: trailers")
            && !asked.contains("x-hop")
            && !asked.contains("203.0.113.7"),
        "{asked}"
    );

    let mut connection = TcpStream::connect(served.address.strip_prefix("http://").unwrap()).unwrap();
    connection.write_all(b"OPTIONS * HTTP/1.1\r\nhost: shop.example\r\nconnection: close\r\n\r\n").unwrap();
    let answer = rt::task::spawn_blocking(move || {
        let mut answer = String::new();
        connection.read_to_string(&mut answer).map(|_| answer)
    });
    assert!(answer.await.unwrap().unwrap().starts_with("HTTP/1.1 200 OK"));
    assert!(site.asked().remove(0).starts_with("OPTIONS /\n"));

    let (status, headers, _) = served.page("/known", &[]).await;
    assert_eq!((status, &headers["etag"]), (StatusCode::NOT_MODIFIED, &"\"1\"".parse().unwrap()));
    let (status, _, page) = served.page("/none", &[BROWSER]).await;
    assert_eq!((status, page.as_str()), (StatusCode::NOT_FOUND, "<h1>The site has no such page</h1>"));
    let head = served.client.head(format!("{}/plain", served.address)).send().await.unwrap();
    assert_eq!(head.headers()["content-length"].to_str().unwrap(), PAID.len().to_string());
}

#[actix_web::test]
async fn an_answer_arrives_as_the_site_gives_it_part_by_part() {
    let site = Site::serve();
    let served = in_front_of(&site);
    let mut response = served.get("/slowly", &[]).await;
    assert_eq!(response.chunk().await.unwrap().unwrap(), "first ");
    site.go_on.notify_one();
    assert_eq!(response.chunk().await.unwrap().unwrap(), "second");
    assert!(response.chunk().await.unwrap().is_none());
}

#[actix_web::test]
async fn an_unpaid_page_ends_with_its_teaser_and_the_offer() {
    let site = Site::serve();
    let served = in_front_of(&site);
    let copies = [
        BROWSER,
        ("if-none-match", "\"1\""),
        ("range", "bytes=200-"),
        ("accept-encoding", "gzip"),
        ("cookie", "site=1"),
    ];
    let (status, headers, page) = served.page("/stories/bread?utm_source=x", &copies).await;
    assert_eq!(status, StatusCode::OK);
    assert!(page.contains("The oven is warm before the street") && !page.contains("ZQX"), "{page}");
    assert!(page.contains("The site's own menu") && page.contains("<footer>End</footer>"));
    assert!(page.contains("3¢에 읽기"), "the offer speaks the page's language: {page}");
    let approve =
        "https://wallet.example/approve?shop=https%3A%2F%2Fshop%2Eexample&amp;article=%7Estories%7Ebread";
    assert!(page.contains(approve), "{page}");
    for (name, value) in [
        ("cache-control", "private, no-cache"),
        ("content-type", "text/html; charset=utf-8"),
        ("content-security-policy", "default-src 'self'"),
        ("set-cookie", "site=1; Path=/"),
        ("vary", "Accept, Authorization, Cookie"),
    ] {
        assert_eq!(headers[name], value, "{name}");
    }
    assert!(headers.get("etag").is_none(), "it is the whole page's");
    let asked = site.asked().remove(0);
    assert!(asked.starts_with("GET /stories/bread\n") && asked.contains("cookie: site=1"), "{asked}");
    for left_out in ["utm_source", "if-none-match", "range", "accept-encoding"] {
        assert!(!asked.contains(left_out), "{asked}");
    }
    let style = page.split("<link href=\"").nth(1).unwrap().split('"').next().unwrap();
    assert!(served.page(style, &[]).await.2.contains(".tuppence-offer"));

    let (_, _, letter) = served.page("/letters/one", &[BROWSER]).await;
    assert!(
        letter.contains("Dear all,") && letter.contains("Read for 5¢") && !letter.contains("ZQX"),
        "{letter}"
    );
}

#[actix_web::test]
async fn nothing_that_is_sold_leaves_unpaid_whatever_is_asked() {
    let site = Site::serve();
    let served = in_front_of(&site);
    let forged = format!("tuppence_article={}", served.stand.shop.cookies().seal("~stories~rye"));
    for path in [
        "/stories/bread",
        "/stories/bread/",
        "//stories/bread",
        "/stories//bread",
        "/STORIES/bread",
        "/%73tories/bread",
        "/stories%2Fbread",
        "/stories%252Fbread",
        "/x/%2e%2e/stories/bread",
        "/stories/bread;a=b",
        "/stories/bread%00",
        "/stories/bread?tuppence=1",
        "/stories/feed",
        "/stories/feed/",
        "/stories/photo.jpg",
        "/stories/zipped",
        "/stories/part",
        "/stories/long",
        "/stories/none",
        "/stories/moved",
        "/letters/one",
        "/letters/two",
        "/articles/~stories~bread",
        "/articles/~stories~feed",
        "/articles/~plain",
        "/articles/~=73tories~bread",
        "/articles/~stories~~bread",
        "/articles/~..~stories~bread",
        "/api/v1/article/~stories~bread",
        "/api/v1/article/~plain",
        "/api/v1/articles",
    ] {
        for accept in ["text/html", "application/json", "*/*", "image/*"] {
            for method in ["GET", "HEAD", "POST", "PUT", "OPTIONS", "PROPFIND"] {
                let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
                let request = served.client.request(method.clone(), format!("{}{path}", served.address));
                let request = request.header("accept", accept).header("cookie", &forged);
                let response = request.send().await.unwrap();
                let (status, headers) = (response.status(), format!("{:?}", response.headers()));
                let body = response.text().await.unwrap();
                assert!(
                    !body.contains("ZQX-PAID") && !headers.contains("ZQX-PAID"),
                    "{method} {path} as {accept}: {status}\n{body}"
                );
            }
        }
    }
    for (path, status) in [
        ("/stories/photo.jpg", 404),
        ("/stories/zipped", 404),
        ("/stories/part", 404),
        ("/letters/two", 404),
        ("/stories/feed", 404),
        ("/stories//bread", 404),
        ("/stories/long", 404),
    ] {
        let (given, headers, page) = served.page(path, &[BROWSER]).await;
        assert_eq!(given.as_u16(), status, "{path}");
        assert!(
            page.contains("<html lang=\"en\">")
                && headers["content-security-policy"].to_str().unwrap().contains("'none'"),
            "{page}"
        );
    }
    let (status, headers, _) = served.page("/stories/moved", &[BROWSER]).await;
    assert_eq!(
        (status, &headers["location"]),
        (StatusCode::MOVED_PERMANENTLY, &"/stories/bread".parse().unwrap())
    );
    assert_eq!(code(served.get("/articles/~stories~moved", &[]).await).await, ErrorCode::NotFound);
}

#[actix_web::test]
async fn who_has_paid_gets_the_site_s_own_page_and_no_other() {
    let site = Site::serve();
    let served = in_front_of(&site);
    let response = served.unlock(&paid("~stories~bread"), &[("origin", WALLET)]).await;
    assert_eq!(response.headers()["location"], "/stories/bread");
    assert!(response.headers()["set-cookie"].to_str().unwrap().contains("Path=/stories/bread;"));
    let cookie = cookie_for(&served, "~stories~bread").await;
    site.asked();

    let both = format!("{cookie}; site=1");
    let (status, headers, page) =
        served.page("/stories/bread", &[BROWSER, ("cookie", &both), ("if-none-match", "\"1\"")]).await;
    assert_eq!((status, page), (StatusCode::OK, story(PAID)));
    assert_eq!(headers["cache-control"], "private, no-store");
    assert!(headers.get("etag").is_none() && headers["vary"].to_str().unwrap().contains("Cookie"));
    let asked = site.asked().remove(0);
    assert!(
        asked.contains("cookie: site=1") && !asked.contains("tuppence") && !asked.contains("if-none-match"),
        "{asked}"
    );

    // A page below another one: browsers send the cookies of both.
    let rye = format!("tuppence_article={}; {cookie}", served.stand.shop.cookies().seal("~stories"));
    assert_eq!(served.page("/stories/bread", &[BROWSER, ("cookie", &rye)]).await.2, story(PAID));
    site.asked();

    for other in ["/stories/rye", "/stories/bread/", "/letters/one"] {
        let (_, _, page) = served.page(other, &[BROWSER, ("cookie", &cookie)]).await;
        assert!(!page.contains("ZQX"), "{other}");
    }
    let authorization =
        format!("Tuppence {}", bytes::encode(&serde_json::to_vec(&paid("~stories~bread")).unwrap()));
    let (_, _, page) = served.page("/stories/bread", &[("authorization", &authorization)]).await;
    assert_eq!(page, story(PAID));
    assert!(!site.asked().join("\n").contains("Tuppence"), "the receipt is the shop's");
    let elsewhere = served.get("/stories/rye", &[("authorization", &authorization)]).await;
    assert_eq!(code(elsewhere).await, ErrorCode::ReceiptInvalid);
}

#[actix_web::test]
async fn a_page_is_an_article_like_any_other_to_programs_wallets_and_scripts() {
    let site = Site::serve();
    let served = in_front_of(&site);
    for path in ["/stories/bread", "/articles/~stories~bread"] {
        let (status, headers, body) = served.page(path, &[("accept", "application/json")]).await;
        assert_eq!(status, StatusCode::PAYMENT_REQUIRED, "{path}");
        assert!(headers["www-authenticate"].to_str().unwrap().contains("price=\"USD:0.03\""));
        let body: Value = serde_json::from_str(&body).unwrap();
        let article = &body["offer"]["article"];
        assert_eq!(article["url"], "https://shop.example/articles/~stories~bread");
        assert_eq!((&article["title"], &article["slug"]), (&json!("Bread"), &json!("~stories~bread")));
        assert!(article["teaser"].as_str().unwrap().starts_with("The oven is warm"));
    }
    let (status, headers, _) = served.page("/articles/~stories~bread", &[BROWSER]).await;
    assert_eq!((status, &headers["location"]), (StatusCode::SEE_OTHER, &"/stories/bread".parse().unwrap()));
    let view: Value = served.get("/api/v1/article/~stories~bread", &[]).await.json().await.unwrap();
    assert_eq!(view["price"], "USD:0.03");

    let s1 = PurchaseRequest {
        header: Header::new(Code::Pm1_1, crate::storefront::tests::NOW),
        request_url: "https://shop.example/articles/~stories~bread".parse().unwrap(),
        p_method: PaymentMethod::View,
    };
    let s2: Value = served.post("/purchase", &s1).await.json().await.unwrap();
    assert_eq!(s2["offer"]["price"], "USD:0.03");
    let delivery: Delivery =
        served.post("/articles/open", &paid("~stories~bread")).await.json().await.unwrap();
    let text = delivery.document.as_str();
    assert!(text.contains("ZQX-PAID") && !text.contains("menu"), "{text}");
    assert!(text.contains("href=\"https://shop.example/stories/next\""), "links lead where they led: {text}");
    assert!(
        text.contains("src=\"https://shop.example/a.png\"") && !text.contains("elsewhere.example"),
        "{text}"
    );

    for (slug, expected) in [
        ("~stories~none", ErrorCode::ArticleUnknown),
        ("~plain", ErrorCode::ArticleUnknown),
        ("~letters~two", ErrorCode::ArticleUnknown),
        ("bread", ErrorCode::ArticleUnknown),
    ] {
        let s1 = PurchaseRequest {
            request_url: format!("https://shop.example/articles/{slug}").parse().unwrap(),
            ..s1.clone()
        };
        assert_eq!(code(served.post("/purchase", &s1).await).await, expected, "{slug}");
    }
}

#[actix_web::test]
async fn the_text_is_fetched_once_a_minute() {
    let site = Site::serve();
    let served = in_front_of(&site);
    let open = async || -> Delivery {
        served.post("/articles/open", &paid("~stories~bread")).await.json().await.unwrap()
    };
    for _ in 0..3 {
        assert!(open().await.document.as_str().contains("ZQX-PAID"));
    }
    assert_eq!(site.asked().len(), 1);
    *site.text.lock().unwrap() = "ZQX-NEW what was written since, and nobody has seen before.".to_owned();
    served.stand.clock.advance(tuppence_protocol::Duration::from_minutes(1));
    assert!(open().await.document.as_str().contains("ZQX-NEW"));
    assert_eq!(site.asked().len(), 1);
}

#[actix_web::test]
async fn a_site_that_does_not_answer_is_said_so_and_costs_nobody_a_receipt() {
    let site = Site::serve();
    let served = in_front_of(&site);
    site.server.stop(false).await;
    for path in ["/", "/stories/bread", "/articles/~stories~bread"] {
        let (status, _, page) = served.page(path, &[BROWSER]).await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{path}");
        assert!(page.contains("does not answer just now"), "{page}");
    }
    let refused = code(served.post("/articles/open", &paid("~stories~bread")).await).await;
    assert_eq!(refused, ErrorCode::Busy, "the wallet keeps its receipt, and asks again");
    assert_eq!(code(served.get("/stories/bread", &[]).await).await, ErrorCode::Busy);
}

#[actix_web::test]
async fn changed_rules_hold_at_once_and_a_slip_in_them_frees_nothing() {
    let site = Site::serve();
    let served = in_front_of(&site);
    let rules = served.stand.root.path().join("rules.toml");
    let price = async || {
        let demand: Value = served.get("/stories/bread", &[]).await.json().await.unwrap();
        demand["offer"]["article"]["price"].clone()
    };
    assert_eq!(price().await, "USD:0.03");
    std::fs::write(&rules, RULES.replace("0.03", "0.04")).unwrap();
    served.stand.shop.reload();
    assert_eq!(price().await, "USD:0.04");
    std::fs::write(&rules, "[[rule]]\npath = \"/stories/*\"\nprice = \"fre\"\n").unwrap();
    served.stand.shop.reload();
    assert_eq!(price().await, "USD:0.04");
    std::fs::remove_file(&rules).unwrap();
    served.stand.shop.reload();
    assert_eq!(price().await, "USD:0.04");
    std::fs::write(&rules, "").unwrap();
    served.stand.shop.reload();
    assert_eq!(served.page("/stories/bread", &[BROWSER]).await.2, story(PAID));
}
