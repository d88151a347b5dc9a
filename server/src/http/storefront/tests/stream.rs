//! Sound that is sold some seconds at a time: what is paid is sent, and what is not waits for its tick.

use tokio::time::timeout;

use super::*;
use crate::storefront::tests::wav;

/// Ten seconds in five parts, and 44 bytes that are nobody's.
const WALK: &str =
    "---\ntitle: Walk\nprice: 0.05\nstream: walk.wav\nmeter: 2 seconds\nunit: 0.01\n---\nListen.\n";
const BYTES: usize = 44 + 80_000;

fn served() -> Served {
    let stand = stand(NOWHERE);
    let content = stand.root.path().join("content");
    std::fs::write(content.join("walk.md"), WALK).unwrap();
    let mut sound = wav(10, b"");
    // Each byte says where it is.
    sound[44..].iter_mut().zip(0_u32..).for_each(|(byte, place)| *byte = (place % 251) as u8);
    std::fs::write(content.join("walk.wav"), sound).unwrap();
    stand.shop.reload();
    Served::new(stand)
}

fn whole() -> Receipt {
    receipt(ReceiptKind::Payment, tran(9), "https://shop.example/articles/walk", "USD:0.05")
}

fn part(number: u8) -> Receipt {
    let url = format!("https://shop.example/articles/walk/parts/{number}");
    receipt(ReceiptKind::Payment, tran(number), &url, "USD:0.01")
}

/// The file as it is on the disk.
fn sound(served: &Served) -> Vec<u8> {
    std::fs::read(served.stand.root.path().join("content/walk.wav")).unwrap()
}

/// Shows receipts, and gives the ticket and the path that the player asks at.
async fn shown(served: &Served, ticket: Option<&str>, receipts: &[Receipt]) -> (String, String) {
    let response = served.post("/streams", &json!({"ticket": ticket, "receipts": receipts})).await;
    assert_eq!(response.status(), StatusCode::OK);
    let body: Value = response.json().await.unwrap();
    let address = body["address"].as_str().unwrap().strip_prefix("https://shop.example").unwrap();
    (body["ticket"].as_str().unwrap().to_owned(), address.to_owned())
}

/// Reads on until there are so many bytes.
async fn reads(response: &mut Response, bytes: &mut Vec<u8>, until: usize) {
    while bytes.len() < until {
        bytes.extend(response.chunk().await.unwrap().expect("it goes on"));
    }
}

#[actix_web::test]
async fn a_player_gets_what_is_paid_at_once_and_the_rest_with_its_ticks() {
    let served = served();
    let (ticket, path) = shown(&served, None, &[part(1)]).await;
    // Players take an answer that is a range for leave to ask for others.
    let mut response = served.get(&path, &[("range", "bytes=0-")]).await;
    assert_eq!(response.status(), StatusCode::PARTIAL_CONTENT);
    let headers = response.headers();
    for (name, value) in [
        ("content-length", BYTES.to_string().as_str()),
        ("content-type", "audio/wav"),
        ("accept-ranges", "bytes"),
        ("cache-control", "private, no-store"),
        ("cross-origin-resource-policy", "cross-origin"),
    ] {
        assert_eq!(headers[name].to_str().unwrap(), value, "{name}");
    }
    let mut heard = Vec::new();
    reads(&mut response, &mut heard, 44 + 16_000).await;
    assert_eq!(heard.len(), 44 + 16_000, "the opening and the first part, and no byte more");
    let more = timeout(Duration::from_millis(300), response.chunk()).await;
    assert!(more.is_err(), "a part that is not paid was sent");

    assert_eq!(shown(&served, Some(&ticket), &[part(2)]).await, (ticket.clone(), path.clone()));
    reads(&mut response, &mut heard, 44 + 32_000).await;
    // Whoever pays the whole gets all that is left.
    shown(&served, Some(&ticket), &[whole()]).await;
    reads(&mut response, &mut heard, BYTES).await;
    assert!(response.chunk().await.unwrap().is_none());
    assert_eq!(heard, sound(&served));
}

#[actix_web::test]
async fn a_player_of_one_line_comes_through_what_is_not_paid_to_what_is() {
    let served = served();
    let (ticket, path) = shown(&served, None, &[part(1)]).await;
    let mut response = served.get(&path, &[("range", "bytes=0-")]).await;
    let mut heard = Vec::new();
    reads(&mut response, &mut heard, 44 + 16_000).await;
    shown(&served, Some(&ticket), &[part(4)]).await;
    reads(&mut response, &mut heard, 44 + 64_000).await;
    assert!(heard[16_044..48_044].iter().all(|byte| *byte == 0), "bytes of parts that are not paid");
    assert_eq!(heard[48_044..], sound(&served)[48_044..64_044]);
    assert!(timeout(Duration::from_millis(300), response.chunk()).await.is_err());
}

#[actix_web::test]
async fn a_jump_hears_its_own_part_alone() {
    let served = served();
    let (_, path) = shown(&served, None, &[part(1), part(4)]).await;
    let mut response = served.get(&path, &[("range", "bytes=48044-")]).await;
    assert_eq!(response.status(), StatusCode::PARTIAL_CONTENT);
    assert_eq!(response.headers()["content-range"], format!("bytes 48044-{}/{BYTES}", BYTES - 1).as_str());
    let mut heard = Vec::new();
    reads(&mut response, &mut heard, 16_000).await;
    assert_eq!(heard, sound(&served)[48_044..64_044]);
    assert!(timeout(Duration::from_millis(300), response.chunk()).await.is_err());
    for (range, status) in
        [("bytes=0-43", 206), ("bytes=80044-", 416), ("bytes=-1", 206), ("seconds=1-2", 200)]
    {
        let response = served.get(&path, &[("range", range)]).await;
        assert_eq!(response.status().as_u16(), status, "{range}");
    }
}

#[actix_web::test]
async fn nobody_plays_without_a_receipt_of_this_very_stream() {
    let served = served();
    let refused = async |body: Value| code(served.post("/streams", &body).await).await;
    let forged = Receipt { amount: "USD:0.05".parse().unwrap(), ..part(1) };
    assert_eq!(refused(json!({"receipts": []})).await, ErrorCode::Malformed);
    assert_eq!(refused(json!({"receipts": vec![part(1); 65]})).await, ErrorCode::Malformed);
    assert_eq!(refused(json!({"receipts": [forged]})).await, ErrorCode::ReceiptInvalid);
    assert_eq!(refused(json!({"receipts": [part(6)]})).await, ErrorCode::ArticleUnknown);
    assert_eq!(refused(json!({"receipts": [bread_receipt()]})).await, ErrorCode::ArticleUnknown);
    let unknown = json!({"ticket": "AAAAAAAAAAAAAAAAAAAAAA", "receipts": [part(1)]});
    assert_eq!(refused(unknown).await, ErrorCode::NotFound);
    for ticket in ["AAAAAAAAAAAAAAAAAAAAAA", "x", "AAAA"] {
        assert_eq!(code(served.get(&format!("/stream/{ticket}"), &[]).await).await, ErrorCode::NotFound);
    }
    // Nor is the file an address of its own.
    assert_eq!(served.get("/media/articles/walk.wav", &[]).await.status(), StatusCode::NOT_FOUND);
}

#[actix_web::test]
async fn whoever_has_paid_the_whole_or_a_part_gets_its_bytes_and_others_the_offer() {
    let served = served();
    let get = async |path: &str, receipt: &Receipt| {
        let receipt = bytes::encode(&serde_json::to_vec(receipt).unwrap());
        served.get(path, &[("authorization", &format!("Tuppence {receipt}"))]).await
    };
    let unpaid = served.get("/articles/walk/stream", &[("range", "bytes=0-")]).await;
    assert_eq!(unpaid.status(), StatusCode::PAYMENT_REQUIRED);
    let all = get("/articles/walk/stream", &whole()).await.bytes().await.unwrap();
    assert_eq!(all, sound(&served));
    let mut joined = Vec::new();
    for number in 1..=5 {
        let path = format!("/articles/walk/parts/{number}/stream");
        joined.extend(get(&path, &part(number)).await.bytes().await.unwrap());
        assert_eq!(served.get(&path, &[]).await.status(), StatusCode::PAYMENT_REQUIRED);
    }
    assert_eq!(joined, all, "the parts one after the other are the whole");
    assert_eq!(code(get("/articles/walk/stream", &part(1)).await).await, ErrorCode::ReceiptInvalid);
    assert_eq!(code(get("/articles/bread/stream", &bread_receipt()).await).await, ErrorCode::NotFound);

    let cookie = served.unlock(&whole(), &[("accept", "text/html")]).await;
    let cookie = cookie.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let (_, _, page) = served.page("/articles/walk", &[("cookie", &cookie), BROWSER]).await;
    assert!(
        page.contains("<audio class=\"player\" controls preload=\"metadata\" src=\"/articles/walk/stream\">")
    );
    let played = served.get("/articles/walk/stream", &[("cookie", &cookie), ("range", "bytes=44-99")]).await;
    assert_eq!((played.status().as_u16(), played.bytes().await.unwrap().len()), (206, 56));
    let (_, headers, unpaid) = served.page("/articles/walk", &[BROWSER]).await;
    assert!(!unpaid.contains("<audio"));
    assert!(headers["content-security-policy"].to_str().unwrap().contains("media-src 'self'"));
}

#[actix_web::test]
async fn a_file_that_was_changed_is_not_sent_under_the_old_parts() {
    let served = served();
    let (_, path) = shown(&served, None, &[part(1)]).await;
    std::fs::write(served.stand.root.path().join("content/walk.wav"), wav(20, b"")).unwrap();
    assert_eq!(code(served.get(&path, &[]).await).await, ErrorCode::NotFound);
    served.stand.shop.reload();
    // Its parts are longer now, since the price is what all of them cost.
    let mut response = served.get(&path, &[("range", "bytes=44-")]).await;
    let mut heard = Vec::new();
    reads(&mut response, &mut heard, 32_000).await;
    assert_eq!(heard.len(), 32_000);
}
