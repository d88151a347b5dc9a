//! Too large, too slow, too many: refused early, while others are served (T14, T22).

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use tuppence_protocol::ErrorCode;
use tuppence_server::http::site::Limits;

use crate::buyer::{Buyer, registration};
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
    let head_time_max = Duration::from_millis(200);
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
async fn registrations_of_one_network_are_limited_before_anything_is_decrypted() {
    let stand = Stand::with(Options { registrations_per_minute: 1, ..Options::default() }).await;
    Buyer::register(&stand).await;
    let (second, _) = registration(&stand).await;
    let answer = stand.post("/registration", &second.request).await;
    answer.refused_for(ErrorCode::RateLimited);
    let seconds: u64 = answer.header("retry-after").parse().unwrap();
    assert!((1..=61).contains(&seconds), "{seconds}");
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
