//! Too large, too slow, too many: refused early, while others are served (T22).

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use tuppence_protocol::ErrorCode;
use tuppence_server::http::site::Limits;

use crate::stand::{Options, Stand};

#[actix_web::test]
async fn an_announced_body_over_the_limit_is_refused_before_it_is_sent() {
    let stand = Stand::start().await;
    let request = "POST /api/v1/payment HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
                   Content-Length: 100000000\r\n\r\n";
    let answer = said(&stand, request.to_owned()).await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    assert!(answer.contains("body_too_large"), "{answer}");
}

#[actix_web::test]
async fn a_body_that_grows_over_the_limit_is_refused() {
    let stand = Stand::start().await;
    let chunk = format!("1000\r\n{}\r\n", "a".repeat(0x1000));
    let request = format!(
        "POST /api/v1/payment HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
         Transfer-Encoding: chunked\r\n\r\n{}",
        chunk.repeat(17)
    );
    let answer = said(&stand, request).await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
}

#[actix_web::test]
async fn nonsense_on_the_line_is_a_bad_request() {
    let stand = Stand::start().await;
    for request in
        ["HELLO\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n", "\u{0}\u{1}\r\n\r\n"]
    {
        let answer = said(&stand, request.to_owned()).await;
        assert!(answer.starts_with("HTTP/1.1 4"), "{request:?}: {answer}");
    }
    let long = format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "a".repeat(200_000));
    let answer = said(&stand, long).await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{answer}");
    stand.page("/health").await.expect(200);
}

#[actix_web::test]
async fn a_head_that_never_ends_is_cut_off_while_others_are_served() {
    let head_time_max = Duration::from_secs(1);
    let limits = Limits { head_time_max, ..Options::default().limits };
    let stand = Stand::with(Options { limits, ..Options::default() }).await;
    let slow: Vec<_> = (0..50).map(|_| opened(&stand, "GET / HTTP/1.1\r\nHost: a")).collect();
    stand.page("/health").await.expect(200);
    let answers =
        actix_web::web::block(move || slow.into_iter().map(read_to_end).collect::<Vec<_>>()).await.unwrap();
    for answer in answers {
        assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    }
}

#[actix_web::test]
async fn beyond_the_limit_of_requests_the_center_is_busy_and_says_when_to_come_back() {
    let limits = Limits { in_flight_max: 0, ..Options::default().limits };
    let stand = Stand::with(Options { limits, ..Options::default() }).await;
    let answer = stand.page("/api/v1/center").await;
    answer.refused_for(ErrorCode::Busy);
    assert_eq!(answer.header("retry-after"), "1");
}

#[actix_web::test]
async fn a_body_that_never_ends_is_cut_off_and_takes_no_room_from_others() {
    let body_time_max = Duration::from_millis(300);
    let limits = Limits { body_time_max, in_flight_max: 4, ..Options::default().limits };
    let stand = Stand::with(Options { limits, ..Options::default() }).await;
    let begun = "POST /api/v1/payment HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\
                 Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{";
    let slow: Vec<_> = (0..50).map(|_| opened(&stand, begun)).collect();
    // Far more bodies are under way than there is room for work.
    let empty = serde_json::json!({});
    stand.post("/payment", &empty).await.refused_for(ErrorCode::Malformed);
    stand.page("/api/v1/center").await.expect(200);
    let answers =
        actix_web::web::block(move || slow.into_iter().map(read_to_end).collect::<Vec<_>>()).await.unwrap();
    for answer in answers {
        assert!(answer.starts_with("HTTP/1.1 408") && answer.contains("too_slow"), "{answer}");
    }
}

#[actix_web::test]
async fn connections_that_are_opened_and_left_make_room_for_others() {
    let time = Duration::from_secs(1);
    let limits = Limits {
        head_time_max: time,
        keep_alive: time,
        connections_max: 32,
        in_flight_max: 64,
        ..Options::default().limits
    };
    let stand = Stand::with(Options { limits, ..Options::default() }).await;
    // Three times as many as there may be, and fewer than the system lets wait: some say nothing, some leave after
    // an answer.
    let request = "GET /api/v1/shops HTTP/1.1\r\nHost: a\r\n\r\n";
    let left: Vec<_> = (0..96).map(|n| opened(&stand, if n % 2 == 0 { "" } else { request })).collect();
    for _ in 0..3 {
        // Each on a connection of its own, behind those in the queue.
        let http = tuppence_server::http::client::client(Duration::from_secs(30)).unwrap();
        let answer = http.get(format!("{}/api/v1/center", stand.origin)).send().await.unwrap();
        assert_eq!(answer.status(), 200);
    }
    drop(left);
}

#[actix_web::test]
async fn what_nests_too_deep_or_is_of_another_type_is_refused_with_its_status() {
    let stand = Stand::start().await;
    let post = |head: &str, body: &str| {
        format!(
            "POST /api/v1/payment HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{head}Content-Length: {}\r\n\r\n{body}",
            body.len()
        )
    };
    let json = "Content-Type: application/json\r\n";
    for (request, status, code) in [
        (post(json, &"[".repeat(60_000)), 400, "malformed"),
        (post(json, &"{\"a\":".repeat(10_000)), 400, "malformed"),
        (post("Content-Type: text/plain\r\n", "{}"), 415, "media_type"),
        (post("", "{}"), 415, "media_type"),
        (post("Content-Type: multipart/form-data; boundary=a\r\n", "{}"), 415, "media_type"),
        (post(json, "{\"header\":"), 400, "malformed"),
    ] {
        let answer = said(&stand, request).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")) && answer.contains(code), "{answer}");
    }
}

/// What the center says to these bytes, until it closes or has answered.
async fn said(stand: &Stand, request: String) -> String {
    let mut stream = opened(stand, "");
    actix_web::web::block(move || {
        // The center may have answered and closed before everything was sent.
        let _ = stream.write_all(request.as_bytes());
        let mut answer = vec![0; 4_096];
        let length = stream.read(&mut answer).unwrap_or(0);
        String::from_utf8_lossy(&answer[..length]).into_owned()
    })
    .await
    .unwrap()
}

fn opened(stand: &Stand, begun: &str) -> TcpStream {
    let mut stream = TcpStream::connect(stand.origin.strip_prefix("http://").unwrap()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    stream.write_all(begun.as_bytes()).unwrap();
    stream
}

fn read_to_end(mut stream: TcpStream) -> String {
    let mut answer = Vec::new();
    // A reset after the answer is an end too.
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}
