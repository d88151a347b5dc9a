//! Frauds and slips as somebody with the file would commit them, each in several tables that fit together (T25).
//!
//! Purse 1 of [`super::fixture::live_a_life`] earned 500 (step 1/1), paid 50 (1/2), took a payment back (1/3), cancelled one
//! that never came (1/4), has one of 20 pending (1/5), and cashed out three times (steps 0/1 to 0/3, orders 1 to 3: confirmed,
//! returned, open).

use super::tamper::Books;

/// What was done, by which statements, and the row that the audit must name.
type Story = (&'static str, &'static str, &'static str);

/// Where `{n}` stands in a place, the id of a step of which all bytes are `n`.
fn place(pattern: &str) -> String {
    (1..=9).fold(pattern.to_owned(), |place, number: u8| {
        let id = tuppence_protocol::TranId::from_bytes([number; 16]);
        place.replace(&format!("{{{number}}}"), &id.to_string())
    })
}

#[rustfmt::skip]
const MONEY: &[Story] = &[
    ("a purse and its reward are raised", "UPDATE purses SET live_value = live_value + 9; UPDATE transfers SET amount = amount + 9 WHERE posting = 'issue'", "transfers 3"),
    ("a purse, its reward's step and transfer are raised", "UPDATE purses SET live_value = live_value + 9; UPDATE transfers SET amount = amount + 9 WHERE posting = 'issue'; UPDATE steps SET amount = amount + 9, new_value = new_value + 9 WHERE kind = 'issue'", "steps 1/{1}"),
    ("a purse is raised at the campaign's cost", "UPDATE purses SET live_value = live_value + 9; UPDATE accounts SET balance = balance - 9 WHERE kind = 'campaign'", "purses 1"),
    ("a purse is raised at the reserve's cost", "UPDATE purses SET live_value = live_value + 9; UPDATE accounts SET balance = balance - 9 WHERE kind = 'reserve'", "accounts reserve"),
    ("a purse is raised by its fees", "UPDATE purses SET live_value = live_value + 1; UPDATE accounts SET balance = balance - 1 WHERE kind = 'fees'", "accounts fees"),
    ("a seller is raised at the reserve's cost", "UPDATE accounts SET balance = balance + 9 WHERE kind = 'vendor'; UPDATE accounts SET balance = balance - 9 WHERE kind = 'reserve'", "accounts vendor:1"),
    ("a seller's deposit is raised everywhere", "UPDATE movements SET amount = amount + 9 WHERE direction = 'deposit'; UPDATE transfers SET amount = amount + 9 WHERE posting = 'deposit'; UPDATE accounts SET balance = balance + 9 WHERE kind = 'vendor'; UPDATE accounts SET balance = balance - 9 WHERE kind = 'reserve'", "movements opening 1"),
    ("a seller's withdrawal is lowered everywhere", "UPDATE movements SET amount = 5 WHERE direction = 'withdrawal'; UPDATE transfers SET amount = 5 WHERE posting = 'withdrawal'; UPDATE accounts SET balance = balance + 40 WHERE kind = 'vendor'; UPDATE accounts SET balance = balance - 40 WHERE kind = 'reserve'", "movements invoice 9"),
    ("a withdrawal is deleted with its transfer", "DELETE FROM transfers WHERE posting = 'withdrawal'; DELETE FROM movements WHERE direction = 'withdrawal'; UPDATE accounts SET balance = balance + 45 WHERE kind = 'vendor'; UPDATE accounts SET balance = balance - 45 WHERE kind = 'reserve'", "movements invoice 9"),
    ("a deposit is deleted with its transfer", "DELETE FROM transfers WHERE posting = 'deposit'; DELETE FROM movements WHERE direction = 'deposit'", "movements opening 1"),
    ("a deposit is invented with its transfer", "INSERT INTO movements VALUES ('invoice 10', 1, 'deposit', 5, 1); INSERT INTO transfers VALUES (99, 'reserve', 0, 'vendor', 1, 5, 'deposit', NULL, NULL, NULL, 'invoice 10', 1); UPDATE accounts SET balance = balance + 5 WHERE kind = 'vendor'; UPDATE accounts SET balance = balance - 5 WHERE kind = 'reserve'", "movements invoice 10"),
    ("a deposit is booked under another reference", "UPDATE movements SET reference = 'invoice 1' WHERE direction = 'deposit'; UPDATE transfers SET movement = 'invoice 1' WHERE posting = 'deposit'", "movements invoice 1"),
    ("a movement's reference is taken by another's", "DROP INDEX transfers_of_movements; UPDATE transfers SET movement = 'opening 1' WHERE posting = 'withdrawal'", "movements opening 1"),
    ("a deposit becomes a withdrawal of the same transfer", "UPDATE movements SET direction = 'withdrawal' WHERE direction = 'deposit'", "movements opening 1"),
    ("a movement is backdated with its transfer", "UPDATE movements SET at = at - 1; UPDATE transfers SET at = at - 1 WHERE movement IS NOT NULL", "movements invoice 9"),
    ("a campaign's budget is raised", "UPDATE campaigns SET budget = budget + 9", "campaigns 1"),
    ("a campaign is funded anew without a transfer", "UPDATE campaigns SET funded = funded + 9, budget = budget + 9; UPDATE accounts SET balance = balance + 9 WHERE kind = 'campaign'", "accounts campaign:1"),
    ("a campaign's funding is raised everywhere", "UPDATE campaigns SET funded = funded + 9; UPDATE transfers SET amount = amount + 9 WHERE posting = 'funding'; UPDATE accounts SET balance = balance + 9 WHERE kind = 'campaign'; UPDATE accounts SET balance = balance - 9 WHERE kind = 'vendor'", "campaigns 1"),
    ("a campaign is moved to another seller", "UPDATE campaigns SET vendor = 2", "campaigns 1"),
    ("a campaign is deleted with its account", "DELETE FROM campaigns; DELETE FROM accounts WHERE kind = 'campaign'", "campaigns 1"),
    ("what is in transit is given to the seller", "UPDATE accounts SET balance = balance - 20 WHERE kind = 'transit'; UPDATE accounts SET balance = balance + 20 WHERE kind = 'vendor'", "accounts transit"),
    ("fees are given to the seller", "UPDATE accounts SET balance = balance - 5 WHERE kind = 'fees'; UPDATE accounts SET balance = balance + 5 WHERE kind = 'vendor'", "accounts vendor:1"),
    ("an account is split in two", "UPDATE accounts SET balance = balance - 9 WHERE kind = 'vendor'; INSERT INTO accounts VALUES ('vendor', 2, 9)", "accounts vendor:2"),
    ("all accounts are emptied", "UPDATE accounts SET balance = 0", "accounts reserve"),
    ("all accounts are deleted", "DELETE FROM accounts", "accounts reserve"),
];

#[rustfmt::skip]
const STEPS: &[Story] = &[
    ("a payment is deleted with its transfers", "DELETE FROM transfers WHERE step_vendor = 1 AND step_tran = x'02020202020202020202020202020202'; DELETE FROM steps WHERE tran_id = x'02020202020202020202020202020202' AND vendor = 1", "steps 1/{2}"),
    ("a reward is deleted with its transfer", "DELETE FROM transfers WHERE posting = 'issue'; DELETE FROM steps WHERE kind = 'issue'", "steps 1/{1}"),
    ("a payment costs less, with its transfers", "UPDATE steps SET amount = amount - 1, new_value = new_value + 1 WHERE vendor = 1 AND tran_id = x'02020202020202020202020202020202'; UPDATE transfers SET amount = amount - 1 WHERE posting = 'payment' AND step_tran = x'02020202020202020202020202020202'; UPDATE purses SET live_value = live_value + 1", "steps 1/{2}"),
    ("a payment's fee goes to the seller", "UPDATE steps SET fee = 0 WHERE vendor = 1 AND tran_id = x'02020202020202020202020202020202'", "steps 1/{2}"),
    ("a payment is paid to another seller", "UPDATE steps SET vendor = 2 WHERE vendor = 1 AND tran_id = x'02020202020202020202020202020202'; UPDATE transfers SET step_vendor = 2 WHERE step_tran = x'02020202020202020202020202020202' AND step_vendor = 1", "steps 2/{2}"),
    ("a payment is another buyer's", "UPDATE steps SET customer = 2 WHERE vendor = 1 AND tran_id = x'02020202020202020202020202020202'; UPDATE transfers SET debit_number = 2 WHERE posting = 'payment' AND step_tran = x'02020202020202020202020202020202'", "steps 1/{2}"),
    ("a payment is for another article", "UPDATE steps SET subject = 'https://shop.example/b' WHERE vendor = 1 AND tran_id = x'02020202020202020202020202020202'", "steps 1/{2}"),
    ("a pending payment is posted without its transfers", "UPDATE steps SET state = 'posted', ended = 1000000 WHERE state = 'pending'; UPDATE purses SET pending_vendor = NULL, pending_tran = NULL", "steps 1/{5}"),
    ("a pending payment is forgotten whole", "UPDATE purses SET pending_vendor = NULL, pending_tran = NULL; DELETE FROM transfers WHERE step_tran = x'05050505050505050505050505050505'; DELETE FROM steps WHERE state = 'pending'", "steps 1/{5}"),
    ("a pending payment looks younger", "UPDATE steps SET started = started + 1000 WHERE state = 'pending'", "steps 1/{5}"),
    ("a pending payment looks older", "UPDATE steps SET started = started - 1000 WHERE state = 'pending'", "steps 1/{5}"),
    ("a posted payment is pending again", "UPDATE steps SET state = 'pending', ended = NULL WHERE vendor = 1 AND tran_id = x'02020202020202020202020202020202'", "steps 1/{2}"),
    ("a cancelled payment is posted", "UPDATE steps SET state = 'posted', void_algorithm = NULL, void_secret_id = NULL, void_serial = NULL, void_value = NULL, void_ad = NULL, void_expires = NULL WHERE tran_id = x'03030303030303030303030303030303' AND vendor = 1", "steps 1/{3}"),
    ("a cancelled payment gave more back", "UPDATE steps SET void_value = void_value + 9 WHERE tran_id = x'03030303030303030303030303030303' AND vendor = 1; UPDATE purses SET live_value = live_value + 9", "steps 1/{3}"),
    ("a cancellation is forgotten early", "DELETE FROM steps WHERE tran_id = x'04040404040404040404040404040404' AND vendor = 1", "steps 1/{4}"),
    ("a cancellation becomes another payment's", "UPDATE steps SET tran_id = x'06060606060606060606060606060606' WHERE tran_id = x'04040404040404040404040404040404' AND vendor = 1", "steps 1/{6}"),
    ("two payments change their ids", "UPDATE steps SET tran_id = x'09090909090909090909090909090909' WHERE vendor = 1 AND tran_id = x'02020202020202020202020202020202'; UPDATE steps SET tran_id = x'02020202020202020202020202020202' WHERE vendor = 1 AND tran_id = x'03030303030303030303030303030303'; UPDATE steps SET tran_id = x'03030303030303030303030303030303' WHERE vendor = 1 AND tran_id = x'09090909090909090909090909090909'", "steps 1/{2}"),
    ("a payment's request is another one", "UPDATE steps SET request_hash = zeroblob(32) WHERE vendor = 1 AND tran_id = x'02020202020202020202020202020202'", "steps 1/{2}"),
    ("a step was sealed by another secret", "UPDATE steps SET secret_id = 2 WHERE kind = 'issue'", "steps 1/{1}"),
    ("a scrip is of another epoch", "UPDATE steps SET old_serial = old_serial + 4294967296, new_serial = new_serial + 4294967296 WHERE kind = 'issue'", "steps 1/{1}"),
    ("a scrip that was spent is spendable again", "UPDATE steps SET old_serial = 100, new_serial = 101 WHERE vendor = 1 AND tran_id = x'02020202020202020202020202020202'", "steps 1/{2}"),
    ("a spent scrip is live", "UPDATE purses SET live_serial = 1, live_value = 500", "purses 1"),
    ("a scrip's end is put off in step and purse", "UPDATE purses SET live_expires = live_expires + 9; UPDATE steps SET new_expires = new_expires + 9 WHERE state = 'pending'", "steps 1/{5}"),
    ("a scrip's key is changed in step and purse", "UPDATE purses SET live_secret_id = 2; UPDATE steps SET new_secret_id = 2 WHERE state = 'pending'", "purses 1"),
    ("all steps end a day earlier", "UPDATE steps SET ended = ended - 1 WHERE ended IS NOT NULL", "steps 1/{1}"),
];

#[rustfmt::skip]
const PAYOUTS_AND_REST: &[Story] = &[
    ("a payout is confirmed that was not paid", "UPDATE payouts SET state = 'confirmed', ended = 1000000, note = 'x' WHERE number = 3", "payouts 3"),
    ("a payout is paid twice", "INSERT INTO transfers SELECT 99, debit_kind, debit_number, credit_kind, credit_number, amount, posting, step_vendor, step_tran, 3, movement, at FROM transfers WHERE payout = 1", "payouts 3"),
    ("a returned payout is confirmed", "UPDATE payouts SET state = 'confirmed' WHERE number = 2; DELETE FROM transfers WHERE payout = 2", "payouts 2"),
    ("a confirmed payout is open again, with its transfer undone", "UPDATE payouts SET state = 'ordered', ended = NULL, note = NULL WHERE number = 1; DELETE FROM transfers WHERE payout = 1; UPDATE accounts SET balance = balance + 45 WHERE kind = 'payouts'; UPDATE accounts SET balance = balance - 45 WHERE kind = 'reserve'", "payouts 1"),
    ("a payout goes to another destination", "UPDATE payouts SET destination = 'DE99' WHERE number = 3", "payouts 3"),
    ("a payout is another buyer's", "UPDATE payouts SET customer = 2 WHERE number = 3", "payouts 3"),
    ("a payout takes no fee", "UPDATE payouts SET amount = amount + fee, fee = 0 WHERE number = 3", "payouts 3"),
    ("two payouts change their steps", "UPDATE payouts SET step_tran = x'09090909090909090909090909090909' WHERE number = 1; UPDATE payouts SET step_tran = x'01010101010101010101010101010101' WHERE number = 3; UPDATE payouts SET step_tran = x'03030303030303030303030303030303' WHERE number = 1", "payouts 3"),
    ("a payout is deleted with its step and transfers", "DELETE FROM payouts WHERE number = 3; DELETE FROM transfers WHERE step_vendor = 0 AND step_tran = x'03030303030303030303030303030303'; DELETE FROM steps WHERE vendor = 0 AND tran_id = x'03030303030303030303030303030303'", "payouts 3"),
    ("a payout is renumbered", "UPDATE payouts SET number = 7 WHERE number = 3", "payouts 7"),
    ("a payout's note is rewritten", "UPDATE payouts SET note = 'paid in cash' WHERE number = 1", "payouts 1"),
    ("a registration is another wallet's", "UPDATE registrations SET wallet = zeroblob(16)", "registrations 1"),
    ("a wallet's key is exchanged", "UPDATE registrations SET wallet_key = zeroblob(32)", "registrations 1"),
    ("a buyer's name is changed", "UPDATE registrations SET name = 'Eve'", "registrations 1"),
    ("a buyer is renumbered everywhere but in transfers", "UPDATE purses SET customer = 2; UPDATE registrations SET customer = 2; UPDATE steps SET customer = 2; UPDATE payouts SET customer = 2", "purses 2"),
    ("a purse is invented with its registration", "INSERT INTO purses SELECT 2, customer_secret_id, live_algorithm, live_secret_id, 1, 0, NULL, live_expires, NULL, NULL FROM purses; INSERT INTO registrations SELECT 2, zeroblob(16), digest, nonce, first_algorithm, first_secret_id, first_serial, first_value, first_ad, first_expires, wallet_key, name, address, e_mail, at FROM registrations", "purses 2"),
    ("a purse's secret is another one", "UPDATE purses SET customer_secret_id = 2", "purses 1"),
    ("a seller's name is changed", "UPDATE vendors SET origin = 'https://evil.example'", "vendors 1"),
    ("a seller is deleted", "DELETE FROM vendors", "vendors 1"),
    ("the currency is another one", "UPDATE center SET currency = 'EUR'", "center 1"),
    ("a solved challenge is forgotten", "DELETE FROM salts", "salts AwMDAwMDAwMDAwMDAwMDAw"),
    ("a solved challenge ends earlier", "UPDATE salts SET ends = ends - 1", "salts AwMDAwMDAwMDAwMDAwMDAw"),
    ("an epoch began at another time", "UPDATE epochs SET began = began + 1", "epochs 0"),
    ("an epoch is invented", "INSERT INTO epochs VALUES (7, 5, 'restored', NULL)", "epochs 7"),
    ("the first epoch is renumbered", "UPDATE epochs SET number = 9 WHERE number = 0", "epochs 9"),
    ("a claim is lowered", "UPDATE claims SET shown_value = shown_value - 1", "claims 1"),
    ("a claim is deleted", "DELETE FROM claims", "claims 1"),
    ("a wallet's notes are exchanged", "UPDATE notes SET sealed = x'00'", "notes 1"),
    ("a wallet's notes are set back", "UPDATE notes SET version = version + 1", "notes 1"),
    ("the journal's last link is re-linked", "UPDATE journal SET chain = zeroblob(32) WHERE number = (SELECT max(number) FROM journal)", "journal {last}"),
    ("the journal's tail is cut", "DELETE FROM journal WHERE number = (SELECT max(number) FROM journal)", "movements invoice 9"),
    ("the journal is emptied", "DELETE FROM journal", "purses 1"),
    ("a link's entries are exchanged for another's", "UPDATE journal SET entries = (SELECT entries FROM journal WHERE number = 2) WHERE number = 3", "journal 3"),
    ("a link is repeated at the end", "INSERT INTO journal SELECT max(number) + 1, entries, chain FROM journal", "journal {next}"),
    ("a link is taken out and the rest moves up", "DELETE FROM journal WHERE number = 2; UPDATE journal SET number = number - 1 WHERE number > 2", "journal 2"),
    ("a transfer is deleted with its link", "DELETE FROM transfers WHERE posting = 'withdrawal'; DELETE FROM journal WHERE number = (SELECT max(number) FROM journal)", "movements invoice 9"),
];

/// Every story is told in a copy of its own, and the row that it names must be among the findings.
fn all_are_found(stories: &[Story]) {
    let books = Books::unguarded();
    let last = books.last_link();
    let untouched = books.audit_after(|_| {});
    assert!(untouched.findings.iter().all(|finding| finding.place.starts_with("trigger ")), "{untouched}");
    let mut missed = Vec::new();
    for (name, sql, row) in stories {
        let row = place(row).replace("{last}", &last.to_string()).replace("{next}", &(last + 1).to_string());
        let mut failed = None;
        let report = books.audit_after(|database| {
            // Each statement must find its rows: a story that is half told proves nothing.
            failed = sql.split("; ").find_map(|statement| match database.execute(statement, []) {
                Ok(0) if !statement.starts_with("DROP") => Some(format!("{statement}: nothing was changed")),
                Ok(_) => None,
                Err(error) => Some(format!("{statement}: {error}")),
            });
        });
        match failed {
            Some(error) => missed.push(format!("{name}: {error}")),
            None if report.findings.iter().any(|finding| finding.place == row) => {}
            None => missed.push(format!("{name}: {row} is not named:\n{report}")),
        }
    }
    assert!(missed.is_empty(), "{} of {}:\n{}", missed.len(), stories.len(), missed.join("\n"));
}

#[test]
fn t25_money_that_was_moved_by_hand_is_named() {
    all_are_found(MONEY);
}

#[test]
fn t25_payments_that_were_rewritten_are_named() {
    all_are_found(STEPS);
}

#[test]
fn t25_payouts_people_and_the_journal_rewritten_are_named() {
    all_are_found(PAYOUTS_AND_REST);
}
