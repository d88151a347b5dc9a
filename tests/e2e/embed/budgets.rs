//! Budgets: one approval, and then the page pays by itself, with scrip of the shop that it keeps.

use anyhow::Result;
use tuppence_tests::browser::Tab;
use tuppence_tests::emulation::Screen;
use tuppence_tests::pages::Wallet;
use tuppence_tests::pages::shop::{Article, BREAD, NIGHT_TRAINS};
use tuppence_tests::program::OtherShop;
use tuppence_tests::publisher::Page;
use tuppence_tests::stage::{Failure, play};
use tuppence_tests::target::{button, choice, control};

use super::{Purse, Visit};

impl Visit {
    /// A page with both articles of the program's shop, which can keep a budget.
    fn page_with_budgets(&self) -> Page {
        self.page_with_budgets_of(&self.program.storefront())
    }

    fn page_with_budgets_of(&self, shop: &str) -> Page {
        self.embed().page_of(&self.elements_with_budgets(shop))
    }

    fn elements_with_budgets(&self, shop: &str) -> String {
        let element = |article: Article| {
            format!("<tuppence-article src=\"{shop}/articles/{}\"></tuppence-article>", article.slug)
        };
        let script = format!("<script type=\"module\" src=\"{shop}/embed/budget.js\"></script>");
        format!("{script}{}{}", element(NIGHT_TRAINS), element(BREAD))
    }

    /// Sets all 4¢ aside for the shop, at the first article, which costs 0.4¢.
    async fn approves_a_budget(&self) -> Result<()> {
        let page = self.browser.tab().await?;
        let window = self.embed().ask_for(NIGHT_TRAINS).await?;
        self.wallet().approve().sets_aside("4¢").await?;
        self.browser.closes(&window, &page).await?;
        self.embed().nth_is(0, "paid").await?;
        self.embed().shows_all_of(NIGHT_TRAINS).await
    }

    /// Opens the page, and approves the budget there.
    async fn begins_with_a_budget(&self) -> Result<Tab> {
        let page = self.open(self.page_with_budgets()).await?;
        self.approves_a_budget().await?;
        Ok(page)
    }

    /// Looks at what was approved, in the wallet.
    async fn sees_its_budgets(&self) -> Result<()> {
        self.wallet().home().open().await?;
        self.browser.click(&control("Budgets")).await
    }

    /// Ends the budget there, and has so much then.
    async fn takes_back_to(&self, balance: &str) -> Result<()> {
        self.browser.click(&button("End it and take the rest back")).await?;
        self.browser.says("Nothing is set aside at any shop.").await?;
        self.wallet().home().has(balance).await
    }

    /// Reads the second one, for 3¢, in the page alone.
    async fn reads_on(&self) -> Result<()> {
        let windows = self.browser.tabs().await?.len();
        self.browser.click(&button("Read for 3¢")).await?;
        self.embed().nth_is(1, "paid").await?;
        self.embed().shows_all_of(BREAD).await?;
        assert_eq!(self.browser.tabs().await?.len(), windows);
        Ok(())
    }
}

#[test]
fn who_approves_a_budget_reads_on_without_a_window_and_takes_the_rest_back() -> Result<(), Failure> {
    play(async |stage| {
        let visit = Visit::begin(stage, Purse::FourCents).await?;
        visit.begins_with_a_budget().await?;
        visit.browser.says("3.6¢ left of your budget here.").await?;
        visit.browser.is_accessible().await?;
        visit.reads_on().await?;
        // What was paid from a budget opens again without one.
        visit.browser.reload().await?;
        visit.embed().nth_is(1, "paid").await?;
        visit.embed().shows_all_of(BREAD).await?;
        visit.wallet().home().has("$0.00").await?;
        visit.browser.click(&control("Budgets")).await?;
        visit.browser.says("0.6¢ of 4¢ left").await?;
        visit.browser.says("3.4¢ spent").await?;
        visit.browser.is_accessible().await?;
        visit.takes_back_to("0.6¢").await?;
        visit.program.stop().await?;
        visit.program.audit()
    })
}

#[test]
fn what_a_page_has_paid_from_a_budget_is_the_reader_s_in_the_wallet_too() -> Result<(), Failure> {
    play(async |stage| {
        let visit = Visit::begin(stage, Purse::FourCents).await?;
        visit.begins_with_a_budget().await?;
        visit.reads_on().await?;
        visit.wallet().read().open().await?;
        visit.wallet().read().open_mine(BREAD.title).await?;
        visit.wallet().shop().shows_all_of(BREAD).await?;
        // It stays when the budget has ended.
        visit.sees_its_budgets().await?;
        visit.takes_back_to("0.6¢").await?;
        for article in [BREAD, NIGHT_TRAINS] {
            visit.wallet().read().open().await?;
            visit.wallet().read().open_mine(article.title).await?;
            visit.wallet().shop().shows_all_of(article).await?;
        }
        visit.wallet().home().has("0.6¢").await
    })
}

#[test]
fn another_device_has_what_a_page_has_paid_and_can_end_the_budget() -> Result<(), Failure> {
    play(async |stage| {
        let visit = Visit::begin(stage, Purse::FourCents).await?;
        let words = visit.wallet().recovery().save_the_words().await?;
        visit.begins_with_a_budget().await?;
        visit.reads_on().await?;
        // The wallet is looked at, and keeps its notes.
        visit.wallet().home().has("$0.00").await?;

        let other = stage.browser(Screen::PHONE).await?;
        let restored = Wallet::of(&other, &visit.program);
        restored.recovery().has_words().await?;
        restored.recovery().restore(&words).await?;
        restored.read().open().await?;
        restored.read().open_mine(BREAD.title).await?;
        restored.shop().shows_all_of(BREAD).await?;
        restored.home().open().await?;
        other.click(&control("Budgets")).await?;
        other.says("0.6¢ of 4¢ left").await?;
        other.click(&button("End it and take the rest back")).await?;
        other.says("Nothing is set aside at any shop.").await?;
        restored.home().has("0.6¢").await?;
        visit.wallet().home().has("0.6¢").await?;
        visit.sees_its_budgets().await?;
        visit.browser.says("Nothing is set aside at any shop.").await?;

        // Long after its shop has forgotten the budget, there are the notes.
        let third = stage.browser(Screen::PHONE).await?;
        let restored = Wallet::of(&third, &visit.program);
        restored.recovery().has_words().await?;
        restored.recovery().restore(&words).await?;
        restored.read().open().await?;
        restored.read().open_mine(BREAD.title).await?;
        restored.shop().shows_all_of(BREAD).await?;
        visit.program.stop().await?;
        visit.program.audit()
    })
}

#[test]
fn the_page_gives_the_rest_back_with_one_press() -> Result<(), Failure> {
    play(async |stage| {
        let visit = Visit::begin(stage, Purse::FourCents).await?;
        visit.begins_with_a_budget().await?;
        visit.browser.click(&button("Take the rest back")).await?;
        visit.browser.says("Paid with small change from your wallet.").await?;
        visit.sees_its_budgets().await?;
        visit.browser.says("Nothing is set aside at any shop.").await?;
        visit.wallet().home().has("3.6¢").await
    })
}

#[test]
fn while_the_center_is_stopped_a_budget_goes_on_and_the_books_agree_afterwards() -> Result<(), Failure> {
    play(async |stage| {
        let visit = Visit::begin(stage, Purse::FourCents).await?;
        let shop = OtherShop::start(&visit.program, "Stop Press").await?;
        shop.takes_budgets().await?;
        visit.open(visit.page_with_budgets_of(&shop.origin())).await?;
        visit.approves_a_budget().await?;
        visit.program.stop().await?;
        visit.reads_on().await?;
        shop.stop().await?;
        shop.resume().await?;
        visit.program.resume().await?;
        visit.sees_its_budgets().await?;
        visit.browser.says("0.6¢ of 4¢ left").await?;
        visit.takes_back_to("0.6¢").await?;
        visit.program.stop().await?;
        visit.program.audit()
    })
}

#[test]
fn a_page_that_cannot_hear_the_wallet_gets_its_budget_by_way_of_the_shop() -> Result<(), Failure> {
    play(async |stage| {
        let visit = Visit::begin(stage, Purse::FourCents).await?;
        visit.open(visit.page_with_budgets().with("cross-origin-opener-policy", "same-origin")).await?;
        visit.approves_a_budget().await?;
        visit.reads_on().await
    })
}

#[test]
fn a_budget_waits_for_a_shop_that_does_not_answer_and_pays_once() -> Result<(), Failure> {
    play(async |stage| {
        let visit = Visit::begin(stage, Purse::FourCents).await?;
        visit.begins_with_a_budget().await?;
        visit.browser.block(&["*/vendor-scrip/buy"]).await?;
        visit.browser.click(&button("Read for 3¢")).await?;
        visit.embed().nth_is(1, "unreachable").await?;
        visit.browser.block(&[]).await?;
        visit.browser.click(&button("Try again")).await?;
        visit.reads_on().await?;
        visit.sees_its_budgets().await?;
        visit.browser.says("0.6¢ of 4¢ left").await
    })
}

/// A shop whose first answer to a payment is lost behind a server that is busy, after the shop has sold.
const BUSY: &str =
    "<script>const real = fetch; let busy = true; globalThis.fetch = async (address, ...more) => {
    const answer = await real(address, ...more);
    if (!busy || !String(address).endsWith('/vendor-scrip/buy')) return answer;
    busy = false;
    return new Response(JSON.stringify({ code: 'busy', message: 'later', retry: 'later' }), { status: 503 });
};</script>";

#[test]
fn an_answer_that_is_no_clear_no_loses_neither_the_article_nor_the_budget() -> Result<(), Failure> {
    play(async |stage| {
        let visit = Visit::begin(stage, Purse::FourCents).await?;
        visit.begins_with_a_budget().await?;
        let there = visit
            .embed()
            .page_of(&format!("{BUSY}{}", visit.elements_with_budgets(&visit.program.storefront())));
        visit.open(there).await?;
        visit.embed().nth_is(1, "ready").await?;
        visit.browser.click(&button("Read for 3¢")).await?;
        visit.embed().nth_is(1, "unreachable").await?;
        visit.browser.click(&button("Try again")).await?;
        visit.embed().nth_is(1, "ready").await?;
        // What the page knows of the budget is from before; the sale that it finds is the one that was made.
        visit.reads_on().await?;
        visit.sees_its_budgets().await?;
        visit.browser.says("0.6¢ of 4¢ left").await
    })
}

#[test]
fn two_tabs_of_a_page_pay_one_after_the_other_from_the_same_budget() -> Result<(), Failure> {
    play(async |stage| {
        let visit = Visit::begin(stage, Purse::FourCents).await?;
        let first = visit.begins_with_a_budget().await?;
        let second = visit.browser.new_tab().await?;
        visit.open(visit.page_with_budgets()).await?;
        visit.embed().nth_is(1, "ready").await?;
        // Both press at the same time, as far as a person can: each has the article, and it was paid at most twice.
        let press = "const [, bread] = document.querySelectorAll('tuppence-article');\
                     setTimeout(() => bread.shadowRoot.querySelector('button')?.click(), arguments[0] - Date.now())";
        let at = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?.as_millis() + 1_500;
        for tab in [&first, &second] {
            visit.browser.look_at(tab).await?;
            let _: serde_json::Value =
                visit.browser.script(press, vec![serde_json::json!(at as u64)]).await?;
        }
        for tab in [&first, &second] {
            visit.browser.look_at(tab).await?;
            visit.embed().nth_is(1, "paid").await?;
        }
        visit.sees_its_budgets().await?;
        visit.browser.says("0.6¢ of 4¢ left").await
    })
}

#[test]
fn when_the_site_data_is_cleared_the_rest_comes_back_by_the_wallet() -> Result<(), Failure> {
    play(async |stage| {
        let visit = Visit::begin(stage, Purse::FourCents).await?;
        visit.begins_with_a_budget().await?;
        let _: serde_json::Value = visit.browser.script("localStorage.clear()", Vec::new()).await?;
        visit.browser.reload().await?;
        visit.embed().nth_is(0, "ready").await?;
        visit.sees_its_budgets().await?;
        visit.browser.says("3.6¢ of 4¢ left").await?;
        visit.takes_back_to("3.6¢").await
    })
}

#[test]
fn a_budget_whose_payment_was_cut_off_is_finished_by_the_wallet_and_its_rest_comes_back()
-> Result<(), Failure> {
    play(async |stage| {
        let visit = Visit::begin(stage, Purse::FourCents).await?;
        let page = visit.open(visit.page_with_budgets()).await?;
        visit.embed().ask_for(NIGHT_TRAINS).await?;
        visit.wallet().approve().asks_for(NIGHT_TRAINS.price).await?;
        visit.browser.block(&["*/api/v1/payment/finish"]).await?;
        visit.wallet().approve().sets_aside("4¢").await?;
        visit.browser.asks(&["/api/v1/vendor-scrip/buy", "/api/v1/payment/finish"]).await?;
        visit.browser.close_tab(&page).await?;
        visit.browser.block(&[]).await?;
        visit.sees_its_budgets().await?;
        visit.browser.says("4¢ of 4¢ left").await?;
        visit.takes_back_to("4¢").await
    })
}

#[test]
fn a_page_without_the_script_for_budgets_is_offered_none() -> Result<(), Failure> {
    play(async |stage| {
        let visit = Visit::begin(stage, Purse::FourCents).await?;
        visit.open(visit.embed().page(NIGHT_TRAINS)).await?;
        visit.embed().ask_for(NIGHT_TRAINS).await?;
        visit.wallet().approve().asks_for(NIGHT_TRAINS.price).await?;
        assert_eq!(visit.browser.count(&choice("A budget for").containing()).await?, 0);
        Ok(())
    })
}
