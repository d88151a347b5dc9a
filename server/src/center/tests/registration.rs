//! R1 and R2 over the records: once, again, and by others.

use super::*;

#[test]
fn the_same_r1_gets_the_same_bytes_for_ever() {
    over_each_store(|bench| {
        let awaiting = bench.registration(1);
        let first = bench.send(register_command(&awaiting, 1)).unwrap();
        let Reply::Registered(first) = first else { panic!("not registered: {first:?}") };
        let mut wallet = Wallet { purse: awaiting.receive(&first, &SESSION_KEY).unwrap() };
        let offer = bench.reward(&wallet, "0.04");
        wallet.complete(bench, offer).unwrap();

        // Another nonce, another day, other secrets and another policy.
        bench.reopen();
        bench.pass_minutes(60 * 24);
        bench.center.keys.scrip_secrets.add(2, Secret::from_bytes([31; 32])).unwrap();
        bench.center.keys.customer_secrets.add(2, Secret::from_bytes([32; 32])).unwrap();
        bench.center.keys.algorithm = HashAlgorithm::Sha256;
        bench.center.policy.scrip_lifetime = Duration::from_days(1);
        let again = bench.send(register_command(&awaiting, 9)).unwrap();
        let Reply::Registered(again) = again else { panic!("not registered: {again:?}") };
        assert_eq!(json(&again), json(&first));

        // Whoever registered again from the same R1 finds its money.
        let mut restored = Wallet { purse: awaiting.receive(&again, &SESSION_KEY).unwrap() };
        restored.resynchronise(bench);
        assert_eq!(restored.purse.value(), usd("0.04"));
    });
}

#[test]
fn a_wallet_identifier_belongs_to_whoever_came_first() {
    over_each_store(|bench| {
        bench.register(1);
        let mut awaiting = bench.registration(1);
        awaiting.request.key_envelope = Bytes::try_from(vec![7; 384]).unwrap();
        assert_eq!(code(bench.send(register_command(&awaiting, 1))), ErrorCode::Challenge);
        let challenge = bench.center.challenge([77; 16], bench.now);
        let nonce = solve(&challenge, awaiting.request.content(), 0, 100_000).unwrap();
        awaiting.request.etc.solution = Solution { challenge, nonce };
        assert_eq!(code(bench.send(register_command(&awaiting, 1))), ErrorCode::WalletTaken);
    });
}

#[test]
fn a_challenge_registers_one_wallet() {
    over_each_store(|bench| {
        let challenge = bench.center.challenge([50; 16], bench.now);
        let requests: Vec<_> = (1..=3)
            .map(|number| {
                let mut awaiting = bench.registration(number);
                let nonce = solve(&challenge, awaiting.request.content(), 0, 100_000).unwrap();
                awaiting.request.etc.solution = Solution { challenge: challenge.clone(), nonce };
                register_command(&awaiting, number)
            })
            .collect();
        let mut replies = bench.batch(requests[..2].to_vec()).into_iter();
        replies.next().unwrap().unwrap();
        assert_eq!(code(replies.next().unwrap()), ErrorCode::Challenge);
        bench.reopen();
        // Sweeping forgets only what has long expired.
        bench.sweep();
        assert_eq!(code(bench.send(requests[2].clone())), ErrorCode::Challenge);
        bench.pass_minutes(60 * 96);
        bench.sweep();
        assert_eq!(code(bench.send(requests[2].clone())), ErrorCode::Challenge);
    });
}

#[test]
fn each_buyer_gets_a_number_and_a_secret_of_its_own() {
    over_each_store(|bench| {
        let (a, b) = (bench.register(1), bench.register(2));
        assert_ne!(a.customer(), b.customer());
        assert_ne!(a.purse.custom_secret.expose(), b.purse.custom_secret.expose());
        let offer = bench.reward(&a, "0.04");
        let mut thief = b;
        assert_eq!(code(thief.begin(bench, offer)), ErrorCode::EarnerMismatch);
    });
}
