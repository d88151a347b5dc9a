//! Reading by the part: one approval, and then each part is paid when the reader comes to it.

use std::path::Path;

use anyhow::Result;
use tuppence_tests::emulation::Screen;
use tuppence_tests::program::Settings;
use tuppence_tests::publisher::{Host, Publisher};
use tuppence_tests::stage::{Failure, Stage, play};
use tuppence_tests::target::{button, choice, link};

use super::Visit;

/// Words of the river's parts.
const BENDS: [&str; 5] = [
    "as a sleeper does",
    "painted a door on it",
    "better upstream",
    "a bench for one",
    "called something else",
];

impl Visit {
    /// To a page that sells an article by the part, on which each part is taller than the window.
    async fn by_the_part(stage: &Stage, slugs: &[&str]) -> Result<Self> {
        let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
        let settings = Settings::as_shipped()
            .with("--content", &fixtures.join("metered").to_string_lossy())
            .with("--campaigns", &fixtures.join("shop/campaigns").to_string_lossy());
        let program = stage.program(settings).await?;
        let browser = stage.browser(Screen::PHONE).await?;
        let visit = Visit { program, browser, site: Publisher::start(Host::Numbers)? };
        visit.wallet().home().become_a_reader().await?;
        visit.wallet().earn().pass_the_quiz().await?;
        let shop = visit.program.storefront();
        let articles = slugs
            .iter()
            .map(|slug| format!("<tuppence-article src=\"{shop}/articles/{slug}\"></tuppence-article>"));
        let body = format!(
            "<style>.tuppence-text p {{ min-height: 150vh }}</style>\
             <script type=\"module\" src=\"{shop}/embed/budget.js\"></script>\
             <script type=\"module\" src=\"{shop}/embed/meter.js\"></script>{}",
            articles.collect::<String>()
        );
        visit.open(visit.embed().page_of(&body)).await?;
        Ok(visit)
    }

    /// Begins to read, and sets all 4¢ aside for it.
    async fn begins_to_read(&self, unit: &str) -> Result<()> {
        let page = self.browser.tab().await?;
        let window = self.embed().press(&format!("Read as you go: {unit} a part")).await?;
        // The budget is chosen already: it is what the button was for.
        self.browser.says(&format!("As I read: {unit} a part, from 4¢ set aside")).await?;
        self.browser.click(&button("Set aside 4¢")).await?;
        self.browser.closes(&window, &page).await?;
        self.browser.says(&format!("{unit} so far")).await
    }

    async fn reads_to_the_end_of_what_is_there(&self) -> Result<()> {
        self.browser.script("scrollTo(0, document.documentElement.scrollHeight)", Vec::new()).await
    }

    async fn stops_reading(&self) -> Result<()> {
        let stop = button("Stop, and take the rest back");
        self.browser.click(&stop).await?;
        self.browser.gone(&stop).await
    }

    /// Shows the parts up to this one, and no other.
    async fn has_read(&self, parts: usize, sum: &str) -> Result<()> {
        self.browser.says(&format!("{sum} so far, of at most 2¢.")).await?;
        let text = self.browser.text().await;
        for (number, words) in BENDS.iter().enumerate() {
            assert_eq!(text.contains(words), number < parts, "part {}: {text}", number + 1);
        }
        Ok(())
    }
}

#[test]
fn a_text_is_paid_as_it_is_read_and_the_rest_is_taken_back() -> Result<(), Failure> {
    play(async |stage| {
        let visit = Visit::by_the_part(stage, &["river"]).await?;
        visit.begins_to_read("0.4¢").await?;
        visit.has_read(1, "0.4¢").await?;
        visit.browser.fits_its_width().await?;
        visit.browser.is_accessible().await?;
        visit.browser.screenshot("embed/reading").await?;
        visit.reads_to_the_end_of_what_is_there().await?;
        visit.has_read(2, "0.8¢").await?;

        visit.browser.click(&button("Pause")).await?;
        visit.browser.says("Nothing more is paid until you go on.").await?;
        visit.reads_to_the_end_of_what_is_there().await?;
        // What was read opens again, and nothing of it is paid again.
        visit.browser.reload().await?;
        visit.has_read(2, "0.8¢").await?;
        visit.browser.click(&button("Go on for 0.4¢ a part")).await?;
        visit.has_read(3, "1.2¢").await?;
        visit.browser.click(&button("Pause")).await?;
        visit.stops_reading().await?;
        visit.wallet().home().has("2.8¢").await?;
        visit.program.stop().await?;
        visit.program.audit()
    })
}

#[test]
fn what_was_read_by_the_part_opens_in_the_wallet_too() -> Result<(), Failure> {
    play(async |stage| {
        let visit = Visit::by_the_part(stage, &["river"]).await?;
        visit.begins_to_read("0.4¢").await?;
        visit.has_read(1, "0.4¢").await?;
        visit.reads_to_the_end_of_what_is_there().await?;
        visit.has_read(2, "0.8¢").await?;
        visit.browser.click(&button("Pause")).await?;
        visit.wallet().read().open().await?;
        visit.browser.says("Yours in part").await?;
        visit.browser.fits_its_width().await?;
        visit.browser.is_accessible().await?;
        visit.browser.screenshot("read-in-parts").await?;
        visit.wallet().read().open_mine("Part 2").await?;
        visit.browser.says(BENDS[1]).await?;
        let text = visit.browser.text().await;
        assert!(!text.contains(BENDS[0]) && !text.contains(BENDS[2]), "{text}");
        visit.browser.click(&link("The whole article")).await?;
        visit.browser.says("The rest of this article is for sale.").await
    })
}

#[test]
fn all_parts_together_cost_what_the_whole_does() -> Result<(), Failure> {
    play(async |stage| {
        let visit = Visit::by_the_part(stage, &["river"]).await?;
        visit.begins_to_read("0.4¢").await?;
        for (parts, sum) in [(1, "0.4¢"), (2, "0.8¢"), (3, "1.2¢"), (4, "1.6¢")] {
            visit.has_read(parts, sum).await?;
            visit.reads_to_the_end_of_what_is_there().await?;
        }
        visit.browser.says("All of it is yours, for 2¢.").await?;
        visit.browser.says(BENDS[4]).await?;
        visit.browser.is_accessible().await?;
        visit.wallet().home().has("$0.00").await
    })
}

#[test]
fn what_is_asked_for_twice_at_once_is_paid_once() -> Result<(), Failure> {
    play(async |stage| {
        let visit = Visit::by_the_part(stage, &["river"]).await?;
        visit.begins_to_read("0.4¢").await?;
        visit.browser.click(&button("Pause")).await?;
        let twice = "const { article } = document.querySelector('tuppence-article');\
                     const part = { ...article, src: article.src + '/parts/2', url: article.url + '/parts/2', price: article.meter.unit };\
                     Promise.all([tuppenceBudgets.pay(part), tuppenceBudgets.pay(part)])\
                     .then(() => document.querySelector('h1').append(', asked twice'))";
        visit.browser.script::<()>(twice, Vec::new()).await?;
        visit.browser.says("The Evening Post, asked twice").await?;
        visit.stops_reading().await?;
        visit.wallet().home().has("3.2¢").await
    })
}

#[test]
fn a_budget_that_is_used_up_is_said_so_and_nothing_more_is_paid() -> Result<(), Failure> {
    play(async |stage| {
        let visit = Visit::by_the_part(stage, &["mountain", "river"]).await?;
        visit.begins_to_read("0.4¢").await?;
        visit.browser.click(&button("Pause")).await?;
        // 3.6¢ are left, and one part of the other costs 2¢.
        visit.browser.click(&button("Read as you go: 2¢ a part")).await?;
        visit.browser.says("The first hut sells soup").await?;
        visit.browser.says("Your budget here is used up.").await?;
        assert!(!visit.browser.text().await.contains("The second hut"));
        visit.stops_reading().await?;
        visit.wallet().home().has("1.6¢").await
    })
}

#[test]
fn who_has_too_little_for_the_whole_reads_some_parts_of_it() -> Result<(), Failure> {
    play(async |stage| {
        let visit = Visit::by_the_part(stage, &["glacier"]).await?;
        visit.begins_to_read("1¢").await?;
        visit.browser.says("older than every map").await?;
        visit.browser.click(&button("Pause")).await?;
        visit.stops_reading().await?;
        visit.wallet().home().has("3¢").await
    })
}

#[test]
fn who_would_rather_have_the_whole_buys_it_in_the_same_window() -> Result<(), Failure> {
    play(async |stage| {
        let visit = Visit::by_the_part(stage, &["river"]).await?;
        let page = visit.browser.tab().await?;
        let window = visit.embed().press("Read as you go: 0.4¢ a part").await?;
        visit.browser.click(&choice("This article").containing()).await?;
        visit.wallet().approve().pay("2¢").await?;
        visit.browser.closes(&window, &page).await?;
        visit.embed().is("paid").await?;
        visit.browser.says(BENDS[4]).await?;
        visit.wallet().home().has("2¢").await
    })
}
