//! One approval for a whole evening: ten articles and a text by the part, on a publisher's own pages, while the payment center
//! is stopped for most of it.

use std::fs;
use std::ops::Range;
use std::path::Path;

use anyhow::{Context, Result};
use tempfile::TempDir;
use tuppence_tests::program::OtherShop;
use tuppence_tests::publisher::Page;
use tuppence_tests::stage::{Failure, play};
use tuppence_tests::target::{button, control};

use super::{Purse, Visit};

/// What each of the ten costs.
const PRICE: &str = "0.2¢";

/// A shop's folder: ten short articles, and the river, by the part.
fn articles() -> Result<TempDir> {
    let folder = tempfile::tempdir().context("creating a folder for articles")?;
    for number in 0..10 {
        let text = format!(
            "---\ntitle: Letter {number}\nprice: 0.002\n---\nIt begins.\n\n<!-- more -->\n\nPAID-LETTER-{number}.\n"
        );
        fs::write(folder.path().join(format!("letter-{number}.md")), text)?;
    }
    let river = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/metered/river.md");
    fs::copy(river, folder.path().join("river.md"))?;
    Ok(folder)
}

impl Visit {
    /// A page of the publisher with these articles of a shop.
    async fn opens_a_page_with(&self, shop: &OtherShop, slugs: &[String]) -> Result<()> {
        let shop = shop.origin();
        let elements = slugs
            .iter()
            .map(|slug| format!("<tuppence-article src=\"{shop}/articles/{slug}\"></tuppence-article>"));
        let body = format!(
            "<style>.tuppence-text p {{ min-height: 120vh }}</style>\
             <script type=\"module\" src=\"{shop}/embed/budget.js\"></script>\
             <script type=\"module\" src=\"{shop}/embed/meter.js\"></script>{}",
            elements.collect::<String>()
        );
        let script = format!("<script type=\"module\" src=\"{shop}/embed.js\"></script>");
        // Nothing of it comes from the program that is stopped.
        self.open(Page::new(&script, &format!("<main><h1>The Evening Post</h1>{body}</main>"))).await?;
        for place in 0..slugs.len() {
            self.embed().nth_is(place, "ready").await?;
        }
        Ok(())
    }

    /// Reads the letters that stand at these places of the page, with one press each.
    async fn reads_letters(&self, letters: Range<usize>, first: usize) -> Result<()> {
        for (place, number) in letters.zip(first..) {
            self.browser.click(&button(format!("Read for {PRICE}"))).await?;
            self.embed().nth_is(place, "paid").await?;
            self.browser.says(&format!("PAID-LETTER-{number}.")).await?;
        }
        Ok(())
    }

    /// Reads the river, as far as so many parts.
    async fn reads_the_river(&self, parts: usize) -> Result<()> {
        self.browser.click(&button("Read as you go: 0.4¢ a part")).await?;
        for sum in ["0.4¢", "0.8¢", "1.2¢", "1.6¢"].iter().take(parts) {
            self.browser.says(&format!("{sum} so far, of at most 2¢.")).await?;
            self.browser
                .script::<()>("scrollTo(0, document.documentElement.scrollHeight)", Vec::new())
                .await?;
        }
        self.browser.click(&button("Pause")).await
    }
}

#[test]
fn who_approves_once_reads_ten_articles_and_a_text_by_the_part_though_the_center_is_stopped()
-> Result<(), Failure> {
    play(async |stage| {
        let visit = Visit::begin(stage, Purse::FourCents).await?;
        let folder = articles()?;
        let shop = OtherShop::start_with(&visit.program, "The Letters", folder.path()).await?;
        shop.takes_budgets().await?;
        let letter = |number| format!("letter-{number}");
        visit.opens_a_page_with(&shop, &(0..5).map(letter).collect::<Vec<_>>()).await?;
        let page = visit.browser.tab().await?;
        let window = visit.embed().press(&format!("Read for {PRICE}")).await?;
        visit.wallet().approve().sets_aside("4¢").await?;
        visit.browser.closes(&window, &page).await?;
        visit.embed().nth_is(0, "paid").await?;
        let windows = visit.browser.tabs().await?.len();
        visit.reads_letters(1..3, 1).await?;

        visit.program.stop().await?;
        visit.reads_letters(3..5, 3).await?;
        let mut second: Vec<_> = (5..10).map(letter).collect();
        second.push("river".to_owned());
        visit.opens_a_page_with(&shop, &second).await?;
        visit.reads_letters(0..5, 5).await?;
        visit.reads_the_river(4).await?;
        assert_eq!(visit.browser.tabs().await?.len(), windows);

        visit.program.resume().await?;
        visit.wallet().home().open().await?;
        visit.browser.click(&control("Budgets")).await?;
        visit.browser.says("0.4¢ of 4¢ left").await?;
        visit.browser.click(&button("End it and take the rest back")).await?;
        visit.browser.says("Nothing is set aside at any shop.").await?;
        visit.wallet().home().has("0.4¢").await?;
        visit.wallet().read().open().await?;
        visit.browser.click(&button("Yours")).await?;
        visit.wallet().read().search("letters", "11 articles").await?;
        visit.program.stop().await?;
        visit.program.audit()
    })
}
