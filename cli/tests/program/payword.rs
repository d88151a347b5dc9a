//! `tuppence wallet pay --budget --with payword`: a chain of paywords at a shop, spent without a page and without the
//! center.

use std::cell::Cell;
use std::pin::Pin;
use std::rc::Rc;

use serde_json::Value;
use tuppence_protocol::{Duration, Timestamp};
use tuppence_wallet::ports::memory::MemoryStorage;
use tuppence_wallet::ports::{Clock, Ports, native};
use tuppence_wallet::view::{BudgetMethod, Question};
use tuppence_wallet::{Config, Wallet};

use crate::budget::through;
use crate::cheap_shop::{Shop, audited};
use crate::proxy::{At, Proxy};
use crate::reader::{block_on, fixtures, reqwest_client};
use crate::serving::{Serving, err, get, out, wait_for};
use crate::wallet::Person;

/// What it takes to buy a budget, of the center.
const BUYING: [&str; 5] = [
    "/api/v1/payword/certificate",
    "/api/v1/payword/authority",
    "/api/v1/payword/reserve",
    "/api/v1/payment/finish",
    "/api/v1/payword/countersigned",
];

fn at(serving: &Serving, center: &str) -> Person {
    let mut person = Person::new(serving);
    center.clone_into(&mut person.center);
    person.with_four_cents()
}

/// A wallet in memory that has answered the quiz.
async fn with_four_cents(ports: Ports, serving: &Serving, center: &str) -> Wallet {
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
    wallet
}

/// Pays number `number` from a budget in paywords.
fn pay(person: &Person, shop: &Shop, number: u32, left: &str) {
    let paid = person.tried(&["pay", &shop.article(number), "--budget", "0.03", "--with", "payword"]);
    assert_eq!(paid.status.code(), Some(0), "{number}: {}", err(&paid));
    assert!(out(&paid).contains(&format!("SECRET-{number}.")), "{number}: {}", err(&paid));
    assert!(err(&paid).contains(&format!("{left} is left")), "{number}: {}", err(&paid));
}

#[test]
fn a_hundred_articles_are_read_from_one_chain_while_the_center_is_away_and_the_rest_comes_back_to_the_unit() {
    let proxy = Proxy::start();
    let serving = through(&proxy);
    let center = format!("http://localhost:{}", proxy.port);
    let shop = Shop::at(&serving, &center);
    block_on(async {
        let ports = native::in_memory(MemoryStorage::default(), reqwest_client());
        let wallet = with_four_cents(ports, &serving, &center).await;
        let amount = |text: &str| text.parse().unwrap();
        let before = proxy.heard().len();
        for number in 0..100 {
            let (url, price, budget) = (shop.article(number), amount("USD:0.0003"), amount("USD:0.035"));
            let method = Some(BudgetMethod::Payword);
            let bought = wallet.pay_url_from_budget(&url, price, budget, method, |_| ()).await.unwrap();
            assert!(bought.charged && bought.text.html.contains(&format!("SECRET-{number}.")));
            if number == 0 {
                let asked = proxy.heard().split_off(before);
                let asked: Vec<_> = asked.into_iter().filter(|path| !path.ends_with("/licence")).collect();
                assert_eq!(asked, BUYING);
                proxy.to(0);
            }
        }
        let heard = shop.proxy.heard();
        let count = |path: &str| heard.iter().filter(|heard| heard.ends_with(path)).count();
        assert_eq!([count("/payword/open"), count("/payword/buy")], [1, 100]);
        proxy.to(serving.ports[0]);
        let budget = wallet.budgets().await.unwrap().remove(0);
        assert_eq!((budget.left, budget.method), (amount("USD:0.005"), BudgetMethod::Payword));
        wallet.end_budget(&shop.origin(), None).await.unwrap();
        assert_eq!(wallet.budgets().await.unwrap(), []);
        assert_eq!(wallet.balance().await.unwrap().amount, amount("USD:0.01"));
        assert_eq!(wallet.library().await.unwrap().len(), 100);
    });
    let vendors = serving.json(&["vendors", "list"]);
    assert!(vendors.to_string().contains("USD:0.03\""), "{vendors}");
    audited(serving, shop);
}

#[test]
fn what_was_cut_off_anywhere_is_finished_by_the_next_command_and_charged_once() {
    let proxy = Proxy::start();
    let serving = through(&proxy);
    let center = format!("http://localhost:{}", proxy.port);
    let shop = Shop::at(&serving, &center);
    let [certificate, _, reserve, finish, countersigned] = BUYING;
    for (stopped, path, at_step) in [
        (&proxy, certificate, At::Answer),
        (&proxy, reserve, At::Request),
        (&proxy, reserve, At::Answer),
        (&proxy, finish, At::Answer),
        (&proxy, countersigned, At::Answer),
        (&shop.proxy, "/api/v1/payword/open", At::Answer),
        (&shop.proxy, "/api/v1/payword/buy", At::Request),
        (&shop.proxy, "/api/v1/payword/buy", At::Answer),
        (&shop.proxy, "/api/v1/payword/end", At::Request),
        (&shop.proxy, "/api/v1/payword/end", At::Answer),
        (&proxy, "/api/v1/payword/deposit", At::Answer),
    ] {
        let person = at(&serving, &center);
        let (origin, url) = (shop.origin(), shop.article(0));
        let pays = ["pay", &url, "--budget", "0.03", "--with", "payword"];
        let ends = path.ends_with("deposit") || path.ends_with("end");
        if ends {
            person.ask(&pays);
        }
        stopped.stop(path, at_step);
        let arguments: &[&str] = if ends { &["end-budget", &origin] } else { &pays };
        let mut child = person.command(arguments).spawn().unwrap();
        stopped.wait();
        child.kill().unwrap();
        child.wait().unwrap();
        let output = person.tried(&pays);
        assert_eq!(output.status.code(), Some(0), "{path} {at_step:?}: {}", err(&output));
        assert!(out(&output).contains("SECRET-0."), "{path} {at_step:?}");
        // What was about to end is not spent again: the next article is paid from another budget.
        pay(&person, &shop, 1, if ends { "USD:0.0297" } else { "USD:0.0294" });
        person.ask(&["end-budget", &origin]);
        assert_eq!(person.json(&["budgets"]), Value::Array(Vec::new()), "{path} {at_step:?}");
        assert_eq!(person.balance(), "USD:0.0394", "{path} {at_step:?}");
    }
    audited(serving, shop);
}

#[test]
fn a_reply_that_was_lost_is_asked_for_again_and_a_shop_that_was_killed_goes_on() {
    let proxy = Proxy::start();
    let serving = through(&proxy);
    let center = format!("http://localhost:{}", proxy.port);
    let mut shop = Shop::at(&serving, &center);
    let person = at(&serving, &center);
    pay(&person, &shop, 0, "USD:0.0297");
    shop.proxy.stop("/api/v1/payword/buy", At::Break);
    let url = shop.article(1);
    let pays = ["pay", &url, "--budget", "0.03", "--with", "payword"];
    person.refused(&pays, 5, "never charged twice");
    shop.kill();
    shop.start();
    shop.proxy.to(shop.port);
    let before = proxy.heard().len();
    // The first command finishes what was open; what was paid costs nothing.
    assert!(person.ask(&["library"]).contains(&url));
    let again = person.tried(&pays);
    assert!(out(&again).contains("SECRET-1.") && err(&again).contains("nothing was charged"));
    pay(&person, &shop, 2, "USD:0.0291");
    assert_eq!(proxy.heard().split_off(before).iter().filter(|path| BUYING.contains(&&***path)).count(), 0);
    let ended = person.ask(&["end-budget", &shop.origin()]);
    assert_eq!(ended.trim(), "USD:0.0291 came back from The Cheap Shop. The balance is USD:0.0391.");
    let history = person.json(&["history"]);
    let kinds: Vec<_> = history.as_array().unwrap().iter().map(|entry| entry["kind"].clone()).collect();
    assert_eq!(kinds, ["adjusted", "paid", "earned", "registered"]);
    let receipt = person.ask(&["receipt", &url]);
    let header = format!("Tuppence {}", receipt.trim());
    let page = crate::serving::get_with(shop.port, "/articles/n1", &[("Authorization", &header)]);
    assert!(page.contains("SECRET-1."), "{page}");
    audited(serving, shop);
}

#[test]
fn a_charge_that_the_shop_refuses_is_not_counted() {
    let serving = Serving::with_settings(&fixtures());
    let center = format!("http://localhost:{}", serving.ports[0]);
    let mut shop = Shop::at(&serving, &center);
    let person = at(&serving, &center);
    pay(&person, &shop, 0, "USD:0.0297");
    // The charge is stored, and the shop hears it when the article costs more.
    let url = shop.article(1);
    shop.proxy.stop("/api/v1/payword/buy", At::Request);
    let mut child = person.command(&["pay", &url, "--budget", "0.03", "--with", "payword"]).spawn().unwrap();
    shop.proxy.wait();
    child.kill().unwrap();
    child.wait().unwrap();
    shop.kill();
    let article = shop.folder.path().join("content/n1.md");
    let text = std::fs::read_to_string(&article).unwrap();
    std::fs::write(article, text.replace("0.0003", "0.0005")).unwrap();
    shop.start();
    assert!(!person.ask(&["library"]).contains(&url));
    assert_eq!(person.json(&["budgets"])[0]["left"], "USD:0.0297");
    pay(&person, &shop, 2, "USD:0.0294");
    pay(&person, &shop, 1, "USD:0.0289");
    person.ask(&["end-budget", &shop.origin()]);
    assert_eq!(person.balance(), "USD:0.0389");
    audited(serving, shop);
}

#[test]
fn at_a_shop_that_takes_paywords_alone_a_budget_is_in_paywords() {
    let proxy = Proxy::start();
    proxy.close("/api/v1/vendor-scrip/licence");
    let serving = through(&proxy);
    let center = format!("http://localhost:{}", proxy.port);
    let shop = Shop::begun(&serving, &center);
    wait_for("the shop to take budgets", || get(shop.port, "/api/v1/shop").contains("\"payword\""));
    assert!(!get(shop.port, "/api/v1/shop").contains("vendor-scrip"));
    let person = at(&serving, &center);
    let url = shop.article(0);
    let in_scrip = ["pay", &url, "--budget", "0.01", "--with", "vendor-scrip"];
    person.refused(&in_scrip, 1, "It takes no such budgets");
    person.refused(&["pay", &url, "--with", "payword"], 2, "--budget");
    // The unit is a tenth of a cent's tenth: of what is approved, whole ones are bought.
    let paid = person.tried(&["pay", &url, "--budget", "0.01005"]);
    assert!(out(&paid).contains("SECRET-0.") && err(&paid).contains("USD:0.0097 is left"), "{}", err(&paid));
    let part =
        person.tried(&["pay", &format!("{}/articles/walk/parts/2", shop.origin()), "--budget", "0.01"]);
    assert!(out(&part).contains("PART-2.") && err(&part).contains("USD:0.0093 is left"), "{}", err(&part));
    let budgets = person.json(&["budgets"]);
    let [approved, left, method] = ["approved", "left", "method"].map(|name| budgets[0][name].clone());
    assert_eq!([approved, left, method], ["USD:0.01", "USD:0.0093", "payword"]);
    assert!(person.ask(&["budgets"]).contains("paywords"));
    person.ask(&["end-budget", &shop.origin()]);
    assert_eq!(person.balance(), "USD:0.0393");
    audited(serving, shop);
}

#[test]
fn too_little_brings_the_rest_back_and_another_method_too_and_nothing_is_bought_that_does_not_pay() {
    let serving = Serving::with_settings(&fixtures());
    let center = format!("http://localhost:{}", serving.ports[0]);
    let shop = Shop::at(&serving, &center);
    let person = at(&serving, &center);
    let with = |number: u32, budget: &str, method: &[&str]| {
        let url = shop.article(number);
        let paid = person.tried(&[&["pay", &url, "--budget", budget], method].concat());
        assert!(out(&paid).contains(&format!("SECRET-{number}.")), "{}", err(&paid));
        (person.balance(), person.json(&["budgets"])[0]["method"].clone())
    };
    let url = shop.article(0);
    person.refused(&["pay", &url, "--budget", "0.0002", "--with", "payword"], 3, "the whole budget");
    person.refused(&["pay", &url, "--budget", "1", "--with", "payword"], 4, "Nothing was charged.");
    assert_eq!(person.json(&["budgets"]), Value::Array(Vec::new()));
    assert_eq!(with(0, "0.0004", &["--with", "payword"]), ("USD:0.0396".into(), "payword".into()));
    // What is there pays, whatever the shop names first; the next one is what the shop names first.
    assert_eq!(with(1, "0.0007", &["--with", "payword"]), ("USD:0.039".into(), "payword".into()));
    assert_eq!(with(2, "0.0009", &[]), ("USD:0.039".into(), "payword".into()));
    assert_eq!(with(3, "0.0009", &[]), ("USD:0.0382".into(), "vendor-scrip".into()));
    assert_eq!(with(4, "0.001", &["--with", "payword"]), ("USD:0.0378".into(), "payword".into()));
    assert_eq!(with(5, "0.001", &["--with", "vendor-scrip"]), ("USD:0.0375".into(), "vendor-scrip".into()));
    person.ask(&["end-budget", &shop.origin()]);
    assert_eq!(person.balance(), "USD:0.0382");
    audited(serving, shop);
}

#[test]
fn of_two_copies_the_slower_one_sends_no_payword_for_the_shops_word_and_buys_a_chain_of_its_own() {
    let serving = Serving::with_settings(&fixtures());
    let center = format!("http://localhost:{}", serving.ports[0]);
    let shop = Shop::at(&serving, &center);
    let person = at(&serving, &center);
    pay(&person, &shop, 0, "USD:0.0297");
    // A copy of the folder has the key to what pays, an export has not.
    let [spends, ends] = [(); 2].map(|()| {
        let copy = Person::new(&serving);
        std::fs::create_dir(copy.wallet()).unwrap();
        for file in std::fs::read_dir(person.wallet()).unwrap() {
            let file = file.unwrap();
            std::fs::copy(file.path(), copy.wallet().join(file.file_name())).unwrap();
        }
        copy
    });
    let exported = person.folder.path().join("copy.json");
    person.ask(&["export", exported.to_str().unwrap()]);
    let imported = Person::new(&serving);
    imported.ask(&["import", exported.to_str().unwrap()]);
    assert_eq!(imported.json(&["budgets"])[0]["method"], "payword");

    pay(&person, &shop, 1, "USD:0.0294");
    for (slower, ends_it) in [(&spends, false), (&ends, true), (&imported, true)] {
        if ends_it {
            slower.refused(&["end-budget", &shop.origin()], 1, "goes on with this budget");
        }
        let paid = slower.tried(&["pay", &shop.article(2), "--budget", "0.001", "--with", "payword"]);
        assert!(
            out(&paid).contains("SECRET-2.") && err(&paid).contains("USD:0.0007 is left"),
            "{}",
            err(&paid)
        );
        let ended = slower.ask(&["end-budget", &shop.origin()]);
        assert!(ended.starts_with("USD:0.0007 came back"), "{ended}");
    }
    pay(&person, &shop, 3, "USD:0.0291");
    person.ask(&["end-budget", &shop.origin()]);
    let words = person.folder.path().join("words.txt");
    std::fs::write(&words, person.ask(&["words"])).unwrap();
    person.ask(&["sync"]);
    let restored = Person::new(&serving);
    restored.ask(&["restore", "--center", &center, "--words-file", words.to_str().unwrap()]);
    assert_eq!(restored.json(&["budgets"]), Value::Array(Vec::new()));
    assert!(restored.ask(&["library"]).contains(&shop.article(3)));
    for device in [&person, &spends, &ends, &imported, &restored] {
        device.ask(&["sync"]);
        assert_eq!(device.balance(), "USD:0.0382");
    }
    audited(serving, shop);
}

/// Waits as the wallet does: it polls what it waits for.
fn wait_for_clock<'a, 'b>(clock: &'a dyn Clock, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + 'b>>
where
    'a: 'b,
{
    clock.sleep(duration)
}

/// Clocks that are ahead by so much.
struct Ahead(Rc<dyn Clock>, Rc<Cell<Duration>>);

impl Clock for Ahead {
    fn now(&self) -> Timestamp {
        self.0.now().plus(self.1.get())
    }

    fn sleep<'a, 'b>(&'a self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + 'b>>
    where
        'a: 'b,
        Self: 'b,
    {
        wait_for_clock(&*self.0, duration)
    }
}

#[test]
fn when_its_time_is_up_a_budget_pays_no_more_and_after_the_grace_it_ends_without_the_shop() {
    let serving = Serving::with_settings(&fixtures());
    let center = format!("http://localhost:{}", serving.ports[0]);
    let mut shop = Shop::at(&serving, &center);
    let ahead = Rc::new(Cell::new(Duration::from_days(0)));
    block_on(async {
        let mut ports = native::in_memory(MemoryStorage::default(), reqwest_client());
        ports.clock = Rc::new(Ahead(ports.clock.clone(), ahead.clone()));
        let wallet = with_four_cents(ports, &serving, &center).await;
        let amount = |text: &str| text.parse().unwrap();
        let pay = async |number: u32| {
            let (url, price, budget) = (shop.article(number), amount("USD:0.0003"), amount("USD:0.01"));
            wallet.pay_url_from_budget(&url, price, budget, Some(BudgetMethod::Payword), |_| ()).await
        };
        pay(0).await.unwrap();
        let first = wallet.budgets().await.unwrap().remove(0);
        // The shop's own clock is behind: it would take more of the first one.
        ahead.set(Duration::from_days(31));
        pay(1).await.unwrap();
        let second = wallet.budgets().await.unwrap().remove(0);
        assert!(first.expires.unwrap().plus(Duration::from_days(30)) < second.expires.unwrap());
        assert_eq!(
            (second.left, wallet.balance().await.unwrap().amount),
            (amount("USD:0.0097"), amount("USD:0.0297"))
        );

        shop.kill();
        ahead.set(Duration::from_days(31 + 36));
        wallet.end_budget(&shop.origin(), None).await.unwrap_err();
        assert_eq!(wallet.budgets().await.unwrap().len(), 1);
        ahead.set(Duration::from_days(31 + 38));
        wallet.end_budget(&shop.origin(), None).await.unwrap();
        assert_eq!(wallet.budgets().await.unwrap(), []);
        // The center's clock is behind too: the rest is with it still.
        assert_eq!(wallet.balance().await.unwrap().amount, amount("USD:0.0297"));
    });
    audited(serving, shop);
}
