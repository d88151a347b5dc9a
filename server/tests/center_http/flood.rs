//! A flood of registrations costs their senders work and the center nearly nothing (T12, T14, T15): RSA is counted.

use std::net::Ipv4Addr;

use futures_util::future::join_all;
use reqwest::Method;
use tuppence_protocol::bytes::Bytes;
use tuppence_protocol::challenge::{Solution, solve};
use tuppence_protocol::scrip::registration::RegistrationRequest;
use tuppence_protocol::{ErrorCode, Timestamp, WalletId};
use tuppence_server::http::peer::TrustedProxies;

use crate::buyer::{Buyer, challenge, registration, registration_by};
use crate::stand::{Options, Stand, random, send};

/// How many envelopes the center has begun to decrypt since it started.
async fn decryptions(stand: &Stand) -> u64 {
    let metrics = stand.page("/metrics").await.expect(200).text();
    let line = metrics.lines().find_map(|line| line.strip_prefix("tuppence_key_decryptions_total "));
    line.unwrap().parse().unwrap()
}

#[actix_web::test]
async fn registrations_of_one_network_are_limited_before_anything_is_decrypted_and_payments_go_on() {
    let stand = Stand::with(Options { registrations_per_minute: 2, ..Options::default() }).await;
    let mut buyer = Buyer::with(&stand, "USD:1").await;
    let mut flood = Vec::new();
    for _ in 0..20 {
        flood.push(registration(&stand).await.0.request);
    }
    let answers = join_all(flood.iter().map(|request| stand.post("/registration", request)));
    let pays = async {
        let offer = buyer.article(&stand, "USD:0.3");
        buyer.take(&stand, offer).await;
    };
    let (answers, ()) = futures_util::future::join(answers, pays).await;
    // One of the two a minute was the buyer's, and one is the flood's.
    let (served, limited): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 200);
    assert_eq!((served.len(), limited.len()), (1, 19));
    for answer in limited {
        answer.refused_for(ErrorCode::RateLimited);
        let seconds: u64 = answer.header("retry-after").parse().unwrap();
        assert!((1..=61).contains(&seconds), "{seconds}");
    }
    assert_eq!(decryptions(&stand).await, 2);
    assert_eq!(buyer.live(&stand).await, "USD:0.7".parse().unwrap());
}

/// The statuses of registrations that come from the center's neighbour, which says that they are from these addresses.
async fn forwarded(stand: &Stand, addresses: &[&str]) -> Vec<u16> {
    let mut statuses = Vec::new();
    for address in addresses {
        let (awaiting, _) = registration(stand).await;
        let request = stand.request(Method::POST, "/registration").header("x-forwarded-for", *address);
        statuses.push(send(request.json(&awaiting.request)).await.status);
    }
    statuses
}

#[actix_web::test]
async fn behind_a_trusted_proxy_each_network_has_a_limit_of_its_own() {
    let trusted_proxies = TrustedProxies(vec![Ipv4Addr::LOCALHOST.into()]);
    let stand =
        Stand::with(Options { registrations_per_minute: 1, trusted_proxies, ..Options::default() }).await;
    let households = ["203.0.113.9", "198.51.100.9", "2001:db8:1:2200::1", "2001:db8:1:2300::1"];
    assert_eq!(forwarded(&stand, &households).await, [200; 4]);
    // A household has a /56 of IPv6, and takes any address of it; what it says of others counts for nothing.
    let again = ["203.0.113.77", "2001:db8:1:22ff:ffff::1", "192.0.2.1, 2001:db8:1:2200::2"];
    assert_eq!(forwarded(&stand, &again).await, [429; 3]);
}

#[actix_web::test]
async fn what_a_proxy_says_that_nobody_trusts_counts_for_nothing() {
    let stand = Stand::with(Options { registrations_per_minute: 1, ..Options::default() }).await;
    let addresses = ["203.0.113.9", "198.51.100.9", "2001:db8::1"];
    assert_eq!(forwarded(&stand, &addresses).await, [200, 429, 429]);
}

#[actix_web::test]
async fn what_is_not_solved_for_just_this_registration_costs_no_decryption() {
    let stand = Stand::start().await;
    let (awaiting, _) = registration(&stand).await;
    let (other, _) = registration(&stand).await;
    let changed: [fn(&mut RegistrationRequest, &RegistrationRequest); 7] = [
        |request, _| request.id = WalletId::from_bytes(random()),
        |request, _| request.name = Some("Zoe".parse().unwrap()),
        |request, _| request.etc.wallet_key = random(),
        |request, other| request.key_envelope = other.key_envelope.clone(),
        |request, other| request.etc.solution = other.etc.solution.clone(),
        |request, _| request.etc.solution.challenge.bits = 0,
        |request, _| request.etc.solution.challenge.salt = random(),
    ];
    for (which, change) in changed.iter().enumerate() {
        let mut request = awaiting.request.clone();
        change(&mut request, &other.request);
        let challenge = &request.etc.solution.challenge;
        // One nonce in 256 solves something else by chance; an altered challenge is refused all the same.
        let other_work = request.content() != awaiting.request.content() || which == 4;
        let nonce = request.etc.solution.nonce.get();
        if other_work && which < 5 && solve(challenge, request.content(), nonce, 1).is_some() {
            continue;
        }
        stand.post("/registration", &request).await.refused_for(ErrorCode::Challenge);
    }
    assert_eq!(decryptions(&stand).await, 0);
}

#[actix_web::test]
async fn a_challenge_is_solved_once_and_this_is_remembered_over_a_restart() {
    let mut stand = Stand::start().await;
    let challenge = challenge(&stand).await;
    let (first, _) = registration_by(&stand, challenge.clone()).await;
    let (second, _) = registration_by(&stand, challenge).await;
    stand.post("/registration", &first.request).await.expect(200);
    stand.post("/registration", &second.request).await.refused_for(ErrorCode::Challenge);
    assert_eq!(decryptions(&stand).await, 1);
    stand.stop().await;
    stand.resume();
    stand.post("/registration", &second.request).await.refused_for(ErrorCode::Challenge);
    assert_eq!(decryptions(&stand).await, 0);
}

#[actix_web::test]
async fn an_envelope_that_cannot_be_opened_uses_its_challenge_up_with_one_error_of_one_size() {
    let mut stand = Stand::start().await;
    let (good, _) = registration(&stand).await;
    let envelopes: [Vec<u8>; 4] = [vec![0; 384], vec![0xFF; 384], vec![7; 10], {
        // A byte of a real one changed: its padding is wrong, not its length.
        let mut bytes = good.request.key_envelope.as_slice().to_vec();
        bytes[100] ^= 1;
        bytes
    }];
    let mut answers = Vec::new();
    let mut sent = Vec::new();
    for envelope in envelopes {
        let mut request = registration(&stand).await.0.request;
        request.key_envelope = Bytes::try_from(envelope).unwrap();
        let challenge = request.etc.solution.challenge.clone();
        let nonce = solve(&challenge, request.content(), 0, 1 << 20).unwrap();
        request.etc.solution = Solution { challenge, nonce };
        let answer = stand.post("/registration", &request).await;
        answer.refused_for(ErrorCode::Envelope);
        answers.push(answer.body);
        sent.push(request);
    }
    assert!(answers.windows(2).all(|pair| pair[0] == pair[1]), "the errors differ");
    assert_eq!(decryptions(&stand).await, 4);
    for request in &sent {
        stand.post("/registration", request).await.refused_for(ErrorCode::Challenge);
    }
    assert_eq!(decryptions(&stand).await, 4);
    stand.stop().await;
    stand.resume();
    for request in &sent {
        stand.post("/registration", request).await.refused_for(ErrorCode::Challenge);
    }
    assert_eq!(decryptions(&stand).await, 0);
}

#[actix_web::test]
async fn the_same_registration_sixty_four_times_at_once_is_decrypted_once() {
    let stand = Stand::start().await;
    let (awaiting, session_key) = registration(&stand).await;
    let answers = join_all((0..64).map(|_| stand.post("/registration", &awaiting.request))).await;
    let first = answers[0].clone().expect(200);
    assert!(awaiting.receive(&first.json(), &session_key).is_ok());
    assert!(answers.into_iter().all(|answer| answer.expect(200).body == first.body));
    assert_eq!(decryptions(&stand).await, 1);
    // Nor does it cost anything later, with another header.
    let mut again = awaiting.request.clone();
    again.header.server_date = Timestamp::from_millis(1);
    assert_eq!(stand.post("/registration", &again).await.expect(200).body, first.body);
    assert_eq!(decryptions(&stand).await, 1);
}
