//! `tuppence wallet pay --budget` against programs that run: a center and a shop of their own, and a reader who reads a
//! hundred articles with one approval.

use nix::sys::signal::Signal;
use serde_json::Value;
use tuppence_wallet::ports::memory::MemoryStorage;
use tuppence_wallet::ports::native;
use tuppence_wallet::view::Question;
use tuppence_wallet::{Config, Wallet};

use crate::cheap_shop::{Shop, audited};
use crate::proxy::{At, Proxy};
use crate::reader::{block_on, fixtures, reqwest_client};
use crate::serving::{Serving, err, get, out, wait_for};
use crate::wallet::Person;

pub fn through(proxy: &Proxy) -> Serving {
    let settings = format!("center-origin = \"http://localhost:{}\"\n{}", proxy.port, fixtures());
    let serving = Serving::with_settings(&settings);
    proxy.to(serving.ports[0]);
    serving
}

#[test]
fn one_approval_pays_many_articles_while_the_center_is_away_and_the_shop_is_killed_and_the_rest_comes_back() {
    let proxy = Proxy::start();
    let serving = through(&proxy);
    let center = format!("http://localhost:{}", proxy.port);
    let mut shop = Shop::at(&serving, &center);
    let mut person = Person::new(&serving);
    person.center = center;
    let person = person.with_four_cents();
    let pay = |number: u32| person.tried(&["pay", &shop.article(number), "--budget", "0.03"]);

    let before = proxy.heard();
    let first = pay(0);
    assert_eq!(first.status.code(), Some(0), "{}", err(&first));
    assert!(out(&first).contains("SECRET-0.") && err(&first).contains("of which USD:0.0297 is left"));
    // S1 and S4 of the purchase, S6, and what was bought.
    let asked: Vec<_> =
        proxy.heard()[before.len()..].iter().filter(|path| !path.contains("licence")).cloned().collect();
    assert_eq!(
        asked,
        ["/vendor-scrip/order", "/vendor-scrip/buy", "/payment/finish", "/vendor-scrip/purchased"]
            .map(|path| format!("/api/v1{path}"))
    );

    proxy.to(0);
    for number in 1..8 {
        let paid = pay(number);
        assert!(out(&paid).contains(&format!("SECRET-{number}.")), "{}", err(&paid));
    }
    let again = pay(1);
    assert!(err(&again).contains("nothing was charged") && out(&again).contains("SECRET-1."));
    shop.kill();
    shop.start();
    assert!(out(&person.tried(&["pay", &shop.article(8), "--budget", "0.03"])).contains("SECRET-8."));
    let receipt = person.ask(&["receipt", &shop.article(3)]);
    let header = format!("Tuppence {}", receipt.trim());
    let page = crate::serving::get_with(shop.port, "/articles/n3", &[("Authorization", &header)]);
    assert!(page.contains("SECRET-3."), "{page}");

    let budgets = person.json(&["budgets"]);
    assert_eq!((&budgets[0]["approved"], &budgets[0]["left"]), (&"USD:0.03".into(), &"USD:0.0273".into()));
    proxy.to(serving.ports[0]);
    let ended = person.ask(&["end-budget", &shop.origin()]);
    assert_eq!(ended.trim(), "USD:0.0273 came back from The Cheap Shop. The balance is USD:0.0373.");
    assert_eq!(person.json(&["budgets"]), Value::Array(Vec::new()));
    let history = person.json(&["history"]);
    let kinds: Vec<_> = history.as_array().unwrap().iter().map(|entry| entry["kind"].clone()).collect();
    assert_eq!(kinds, ["adjusted", "paid", "earned", "registered"]);
    assert!(history[0]["title"].as_str().unwrap().contains("The rest of the budget"));
    let vendors = serving.json(&["vendors", "list"]);
    assert!(vendors.to_string().contains("USD:0.0027"), "{vendors}");
    audited(serving, shop);
}

#[test]
fn a_hundred_articles_cost_the_center_four_messages() {
    let proxy = Proxy::start();
    let serving = through(&proxy);
    let center = format!("http://localhost:{}", proxy.port);
    let shop = Shop::at(&serving, &center);
    block_on(async {
        let ports = native::in_memory(MemoryStorage::default(), reqwest_client());
        let config = Config { center_origin: center.parse().unwrap(), fingerprint: None };
        let wallet = Wallet::open(ports, config).await.unwrap();
        wallet.register(|_| ()).await.unwrap();
        let quiz = format!("http://localhost:{}", serving.ports[1]);
        let questions = wallet.campaign(&quiz, "quiz").await.unwrap().questions;
        let right = |question: &Question| {
            let mut choices = question.choices.iter();
            choices.find(|choice| ["Two", "Copper"].contains(&choice.text.as_str())).unwrap().id.clone()
        };
        let answers: Vec<_> = questions.iter().map(right).collect();
        wallet.earn(&quiz, "quiz", &answers).await.unwrap();
        let amount = |text: &str| text.parse().unwrap();
        let asked = || proxy.heard().iter().filter(|path| !path.ends_with("/licence")).count();
        let before = asked();
        for number in 0..100 {
            let (url, price, budget) = (shop.article(number), amount("USD:0.0003"), amount("USD:0.035"));
            let bought = wallet.pay_url_from_budget(&url, price, budget, None, |_| ()).await.unwrap();
            assert!(bought.charged && bought.text.html.contains(&format!("SECRET-{number}.")));
        }
        assert_eq!(asked() - before, 4);
        assert_eq!(wallet.budgets().await.unwrap()[0].left, amount("USD:0.005"));
        wallet.end_budget(&shop.origin(), None).await.unwrap();
        assert_eq!(wallet.balance().await.unwrap().amount, amount("USD:0.01"));
        assert_eq!(wallet.library().await.unwrap().len(), 100);
    });
}

#[test]
fn a_purchase_or_a_sale_that_was_cut_off_anywhere_is_finished_by_the_next_command_and_charged_once() {
    let proxy = Proxy::start();
    let serving = through(&proxy);
    let center = format!("http://localhost:{}", proxy.port);
    let shop = Shop::at(&serving, &center);
    for (stopped, path, at) in [
        (&proxy, "/api/v1/vendor-scrip/buy", At::Request),
        (&proxy, "/api/v1/vendor-scrip/buy", At::Answer),
        (&proxy, "/api/v1/payment/finish", At::Answer),
        (&proxy, "/api/v1/vendor-scrip/purchased", At::Answer),
        (&shop.proxy, "/api/v1/vendor-scrip/buy", At::Request),
        (&shop.proxy, "/api/v1/vendor-scrip/buy", At::Answer),
        (&shop.proxy, "/api/v1/vendor-scrip/end", At::Answer),
        (&proxy, "/api/v1/vendor-scrip/settlement", At::Answer),
    ] {
        let mut person = Person::new(&serving);
        person.center.clone_from(&center);
        let person = person.with_four_cents();
        let url = shop.article(0);
        let ends = path.ends_with("settlement") || path.ends_with("end");
        if ends {
            person.ask(&["pay", &url, "--budget", "0.03"]);
        }
        let origin = shop.origin();
        let arguments: &[&str] =
            if ends { &["end-budget", &origin] } else { &["pay", &url, "--budget", "0.03"] };
        stopped.stop(path, at);
        let mut child = person.command(arguments).spawn().unwrap();
        stopped.wait();
        child.kill().unwrap();
        child.wait().unwrap();
        let output = person.tried(&["pay", &url, "--budget", "0.03"]);
        assert_eq!(output.status.code(), Some(0), "{path} {at:?}: {}", err(&output));
        assert!(out(&output).contains("SECRET-0."), "{path} {at:?}");
        person.ask(&["end-budget", &shop.origin()]);
        assert_eq!(person.balance(), "USD:0.0397", "{path} {at:?}");
    }
    let mut serving = serving;
    serving.signal(Signal::SIGTERM);
    serving.ask(&["audit"]);
}

#[test]
fn a_budget_that_is_too_small_ends_and_the_next_one_is_bought_and_what_is_beyond_it_is_refused() {
    let serving = Serving::with_settings(&fixtures());
    let person = Person::new(&serving).with_four_cents();
    let bread = person.article("bread");
    wait_for("the shop to take budgets", || get(serving.ports[1], "/api/v1/shop").contains("vendor-scrip"));
    person.refused(&["pay", &bread, "--budget", "0.02"], 3, "more than the whole budget");
    person.refused(&["pay", &bread, "--max", "0.02", "--budget", "0.03"], 3, "It is USD:0.03 now.");
    person.refused(&["pay", &bread, "--budget", "1"], 4, "Nothing was charged.");
    person.refused(&["end-budget", &person.shop], 1, "There is no budget at");
    assert_eq!(person.balance(), "USD:0.04");
    let shop = Shop::at(&serving, &person.center);
    person.ask(&["pay", &shop.article(0), "--budget", "0.0004"]);
    let next = person.tried(&["pay", &shop.article(1), "--budget", "0.001"]);
    assert!(out(&next).contains("SECRET-1.") && err(&next).contains("USD:0.0007 is left"), "{}", err(&next));
    assert_eq!(person.balance(), "USD:0.0387");
    let budgets: Value = person.json(&["budgets"]);
    assert_eq!(budgets.as_array().unwrap().len(), 1);
}

#[test]
fn a_restored_wallet_has_what_a_budget_has_paid_and_both_go_on() {
    let serving = Serving::with_settings(&fixtures());
    let shop = Shop::at(&serving, &format!("http://localhost:{}", serving.ports[0]));
    let person = Person::new(&serving).with_four_cents();
    let words = person.ask(&["words"]);
    let pay = |person: &Person, number: u32, left: &str| {
        let paid = person.tried(&["pay", &shop.article(number), "--budget", "0.01"]);
        assert!(out(&paid).contains(&format!("SECRET-{number}.")), "{}", err(&paid));
        assert!(err(&paid).contains(left), "{}", err(&paid));
    };
    pay(&person, 0, "USD:0.0097 is left");
    pay(&person, 1, "USD:0.0094 is left");
    person.ask(&["sync"]);

    let restored = Person::new(&serving);
    let file = restored.folder.path().join("words.txt");
    std::fs::write(&file, words).unwrap();
    restored.ask(&["restore", "--center", &restored.center, "--words-file", file.to_str().unwrap()]);
    let library = restored.json(&["library"]);
    let titles: Vec<_> = library.as_array().unwrap().iter().map(|article| article["title"].clone()).collect();
    assert_eq!(titles, ["Number 1", "Number 0"], "and no article that is called as the budget is");
    pay(&restored, 1, "nothing was charged");
    // Of the first budget the other one has the change: what is left comes back, and there is another.
    pay(&restored, 2, "USD:0.0097 is left");
    assert_eq!(restored.balance(), "USD:0.0294");
    pay(&person, 3, "USD:0.0097 is left");
    for person in [&person, &restored] {
        person.ask(&["sync"]);
        person.ask(&["end-budget", &shop.origin()]);
    }
    for person in [&person, &restored] {
        person.ask(&["sync"]);
        assert_eq!(person.balance(), "USD:0.0388");
        assert_eq!(person.json(&["library"]).as_array().unwrap().len(), 4);
    }
}

#[test]
fn a_text_is_read_by_the_part_without_a_page_too() {
    let serving = Serving::with_settings(&fixtures());
    let shop = Shop::at(&serving, &format!("http://localhost:{}", serving.ports[0]));
    let person = Person::new(&serving).with_four_cents();
    let part = |number: u32| format!("{}/articles/walk/parts/{number}", shop.origin());
    person.refused(&["pay", &part(1)], 1, "pay it from a budget");
    for (number, left) in [(1, "USD:0.0096 is left"), (2, "USD:0.0092 is left")] {
        let paid = person.tried(&["pay", &part(number), "--budget", "0.01"]);
        assert!(err(&paid).contains(left), "{}", err(&paid));
        let text = out(&paid);
        assert!(
            text.contains(&format!("PART-{number}.")) && !text.contains(&format!("PART-{}.", 3 - number))
        );
    }
    let again = person.tried(&["pay", &part(1), "--budget", "0.01"]);
    assert!(err(&again).contains("nothing was charged") && out(&again).contains("PART-1."));
    let receipt = person.ask(&["receipt", &part(2)]);
    let header = format!("Tuppence {}", receipt.trim());
    let page = crate::serving::get_with(shop.port, "/articles/walk/parts/2", &[("Authorization", &header)]);
    assert!(page.contains("PART-2.") && !page.contains("PART-1."), "{page}");
    let library = person.json(&["library"]);
    assert_eq!(library[0]["title"], "Walk (2/2)");
    // The whole is another article, with another price.
    let whole = person.tried(&["pay", &format!("{}/articles/walk", shop.origin()), "--budget", "0.01"]);
    assert!(err(&whole).contains("USD:0.0082 is left"), "{}", err(&whole));
}
