use super::*;
use crate::storefront::ports::SystemRandom;

fn earner(byte: u8) -> EarnerId {
    EarnerId::from_bytes([byte; 32])
}

fn attempt(earner_byte: u8, digest: u8, tran: Option<u8>) -> Attempt {
    Attempt {
        earner: earner(earner_byte),
        item: "quiz".parse().unwrap(),
        digest: [digest; 32],
        at: Timestamp::from_millis(5_000),
        offer: tran.map(|byte| OfferKey {
            tran_id: TranId::from_bytes([byte; 16]),
            expires: Timestamp::from_millis(9_000),
        }),
        reply: format!("{{\"reply\":{digest}}}"),
    }
}

fn open() -> (tempfile::TempDir, ShopStore) {
    let root = tempfile::tempdir().unwrap();
    let store = ShopStore::open(&root.path().join("shop.db")).unwrap();
    (root, store)
}

#[test]
fn every_commit_of_a_shop_is_synced_and_logged() {
    let (_root, store) = open();
    let setting = |name: &str| -> String {
        let sql = format!("SELECT CAST({name} AS TEXT) FROM pragma_{name}");
        store.lock().query_row(&sql, [], |row| row.get(0)).unwrap()
    };
    assert_eq!([setting("journal_mode"), setting("synchronous")], ["wal", "2"]);
}

#[test]
fn the_first_attempt_stays_whatever_comes_later() {
    let (root, store) = open();
    let first = attempt(1, 1, Some(1));
    assert_eq!(store.record(&first, &[], None).unwrap(), Recorded::New);
    assert_eq!(store.record(&attempt(1, 2, Some(2)), &[], None).unwrap(), Recorded::Known(first.clone()));
    drop(store);
    let again = ShopStore::open(&root.path().join("shop.db")).unwrap();
    assert_eq!(again.attempt(earner(1), &first.item).unwrap(), Some(first.clone()));
    assert_eq!(again.item_of(TranId::from_bytes([1; 16])).unwrap(), Some(first.item));
    assert_eq!(again.item_of(TranId::from_bytes([2; 16])).unwrap(), None);
}

#[test]
fn of_many_attempts_at_once_one_is_new() {
    let (_root, store) = open();
    let new = std::thread::scope(|scope| {
        let tries: Vec<_> = (0..16)
            .map(|digest| {
                let store = &store;
                scope.spawn(move || store.record(&attempt(1, digest, Some(digest)), &[], None).unwrap())
            })
            .collect();
        tries.into_iter().map(|handle| handle.join().unwrap()).filter(|done| *done == Recorded::New).count()
    });
    assert_eq!(new, 1);
}

#[test]
fn an_offer_is_replaced_once() {
    let (_root, store) = open();
    let first = attempt(1, 1, Some(1));
    store.record(&first, &[], None).unwrap();
    let old = first.offer.unwrap().tran_id;
    let second = attempt(1, 1, Some(2));
    assert_eq!(store.reissue(&second, old).unwrap(), second);
    assert_eq!(store.reissue(&attempt(1, 1, Some(3)), old).unwrap(), second);
}

#[test]
fn a_full_day_records_nothing_and_failures_do_not_fill_it() {
    let (_root, store) = open();
    let limit = Some(DayLimit { rewards: 1, since: Timestamp::from_millis(4_000) });
    assert_eq!(store.record(&attempt(1, 1, None), &[], limit).unwrap(), Recorded::New);
    assert_eq!(store.record(&attempt(2, 1, Some(2)), &[], limit).unwrap(), Recorded::New);
    assert_eq!(store.record(&attempt(3, 1, Some(3)), &[], limit).unwrap(), Recorded::DayFull);
    assert_eq!(store.attempt(earner(3), &"quiz".parse().unwrap()).unwrap(), None);
    let tomorrow = Some(DayLimit { rewards: 1, since: Timestamp::from_millis(6_000) });
    assert_eq!(store.record(&attempt(3, 1, Some(3)), &[], tomorrow).unwrap(), Recorded::New);
}

#[test]
fn survey_answers_are_kept_with_their_attempt() {
    let (_root, store) = open();
    store.record(&attempt(1, 1, Some(1)), &["b".to_owned(), "because".to_owned()], None).unwrap();
    store.record(&attempt(1, 2, Some(2)), &["a".to_owned(), "other".to_owned()], None).unwrap();
    let answers = store.answers(&"quiz".parse().unwrap()).unwrap();
    let texts: Vec<_> = answers.iter().map(|answer| (answer.question, answer.answer.as_str())).collect();
    assert_eq!(texts, [(0, "b"), (1, "because")]);
}

#[test]
fn the_shop_s_secret_stays_the_same() {
    let (root, store) = open();
    let secret = store.secret(&SystemRandom).unwrap();
    assert_eq!(store.secret(&SystemRandom).unwrap().expose(), secret.expose());
    let other = ShopStore::open(&root.path().join("shop.db")).unwrap();
    assert_eq!(other.secret(&SystemRandom).unwrap().expose(), secret.expose());
    let (_other_root, elsewhere) = open();
    assert_ne!(elsewhere.secret(&SystemRandom).unwrap().expose(), secret.expose());
}

#[test]
fn budgets_and_settings_are_kept() {
    let (_root, store) = open();
    let state = |remaining: &str| CampaignState {
        item: "quiz".parse().unwrap(),
        budget: "USD:5".parse().unwrap(),
        remaining: remaining.parse().unwrap(),
    };
    store.keep_budget(&state("USD:5")).unwrap();
    store.keep_budget(&state("USD:4.98")).unwrap();
    assert_eq!(store.budgets().unwrap(), [state("USD:4.98")]);
    store.keep_setting("center", "a").unwrap();
    store.keep_setting("center", "b").unwrap();
    assert_eq!(store.setting("center").unwrap().as_deref(), Some("b"));
    assert_eq!(store.setting("other").unwrap(), None);
}

#[test]
fn the_last_offer_of_an_item_is_known() {
    let (_root, store) = open();
    let item = "quiz".parse().unwrap();
    assert_eq!(store.last_expiry(&item).unwrap(), None);
    store.record(&attempt(1, 1, None), &[], None).unwrap();
    assert_eq!(store.last_expiry(&item).unwrap(), None);
    store.record(&attempt(2, 1, Some(2)), &[], None).unwrap();
    assert_eq!(store.last_expiry(&item).unwrap(), Some(Timestamp::from_millis(9_000)));
}

#[test]
fn a_newer_file_is_refused() {
    let (root, store) = open();
    store.lock().pragma_update(None, "user_version", 99).unwrap();
    drop(store);
    let error = ShopStore::open(&root.path().join("shop.db")).unwrap_err();
    assert!(matches!(error, ShopStoreError::Newer { found: 99, .. }), "{error}");
}

#[test]
fn what_an_older_program_has_sold_for_scrip_stays_with_its_purchase() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("shop.db");
    let older = Connection::open(&path).unwrap();
    for step in &MIGRATIONS[..2] {
        older.execute_batch(step).unwrap();
    }
    older.pragma_update(None, "user_version", 2).unwrap();
    older
        .execute_batch(
            "INSERT INTO goods VALUES (zeroblob(32), '<p>Bread.</p>');
             INSERT INTO accounts VALUES
                 (7, 1, 9000, 1, '{}', '{\"spent\":1}', 5000, 'Bread', 'no receipt', zeroblob(32)),
                 (7, 2, 9000, 0, '{}', NULL, NULL, NULL, NULL, NULL);",
        )
        .unwrap();
    drop(older);
    let store = ShopStore::open(&path).unwrap();
    let lock = store.lock();
    let all = |sql: &str| -> Vec<String> {
        let mut query = lock.prepare(sql).unwrap();
        let rows = query.query_map([], |row| row.get(0)).unwrap();
        rows.collect::<rusqlite::Result<_>>().unwrap()
    };
    assert_eq!(
        all(
            "SELECT secret_id || ':' || serial || ':' || expires || ':' || owed || ':' || coalesce(spent, '') FROM accounts ORDER BY serial"
        ),
        ["7:1:9000:1:{\"spent\":1}", "7:2:9000:0:"]
    );
    let bought = "SELECT serial || ':' || date || ':' || title || ':' || receipt || ':' || document
                  FROM bought JOIN goods USING (digest)";
    assert_eq!(all(bought), ["1:5000:Bread:no receipt:<p>Bread.</p>"]);
    assert_eq!(all("SELECT \"table\" FROM pragma_foreign_key_list('bought')"), ["accounts"; 2]);
    assert!(all("PRAGMA foreign_key_check").is_empty());
}

#[cfg(unix)]
#[test]
fn the_file_is_its_owner_s_alone() {
    use std::os::unix::fs::PermissionsExt;
    let (root, store) = open();
    store.secret(&SystemRandom).unwrap();
    for entry in std::fs::read_dir(root.path()).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{:?}", entry.path());
    }
}
