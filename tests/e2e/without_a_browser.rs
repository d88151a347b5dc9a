//! The wallet's core against the real program over HTTP: what takes many wallets, or words that no page says.

use anyhow::{Context, Result};
use tuppence_protocol::Amount;
use tuppence_tests::native::Reader;
use tuppence_tests::pages::earn::QUIZ;
use tuppence_tests::pages::shop::BREAD;
use tuppence_tests::program::{Program, Settings};
use tuppence_tests::stage::{Failure, play};
use tuppence_wallet::Wallet;
use tuppence_wallet::view::{CampaignKind, Question};

#[test]
fn a_native_wallet_registers_earns_pays_and_opens_what_it_paid() -> Result<(), Failure> {
    play(async |stage| {
        let program = stage.program(Settings::fixtures()).await?;
        let wallet = Reader::new(&program).wallet().await?;
        wallet.register(|_| {}).await?;
        pass_the_quiz(&wallet, &program).await?;
        let paid = wallet.pay(&program.storefront(), BREAD.slug, "USD:0.03".parse()?).await?;
        assert!(paid.charged);
        let text = wallet.open_article(&program.storefront(), BREAD.slug).await?;
        assert!(text.html.contains(BREAD.paid), "{}", text.html);
        assert_eq!(balance(&wallet).await?, "USD:0.01".parse()?);
        Ok(())
    })
}

#[test]
fn a_wallet_that_is_opened_again_after_the_server_was_restarted_has_everything() -> Result<(), Failure> {
    play(async |stage| {
        let program = stage.program(Settings::fixtures()).await?;
        let reader = Reader::new(&program);
        let wallet = reader.wallet().await?;
        wallet.register(|_| {}).await?;
        pass_the_quiz(&wallet, &program).await?;
        program.restart().await?;

        let wallet = reader.wallet().await?;
        let paid = wallet.pay(&program.storefront(), BREAD.slug, "USD:0.03".parse()?).await?;
        assert!(paid.charged);
        let again = wallet.pay(&program.storefront(), BREAD.slug, "USD:0.03".parse()?).await?;
        assert!(!again.charged);
        assert_eq!(wallet.history(None, 10).await?.len(), 3);
        assert_eq!(balance(&wallet).await?, "USD:0.01".parse()?);
        Ok(())
    })
}

#[test]
fn with_the_shipped_shop_a_newcomer_can_earn_and_buy() -> Result<(), Failure> {
    play(async |stage| {
        let program = stage.program(Settings::as_shipped()).await?;
        let shop = program.storefront();
        let wallet = Reader::new(&program).wallet().await?;
        wallet.register(|_| {}).await?;
        let asked = wallet.campaigns(&shop).await?;
        for card in asked.iter().filter(|card| card.kind == CampaignKind::Survey) {
            let questions = wallet.campaign(&shop, &card.item).await?.questions;
            let first = |question: &Question| match question.choices.first() {
                Some(choice) => choice.id.clone(),
                None => "Something short".to_owned(),
            };
            let answers: Vec<String> = questions.iter().map(first).collect();
            wallet.earn(&shop, &card.item, &answers).await.with_context(|| card.title.clone())?;
        }
        let mut bought = 0;
        for article in wallet.articles(&shop).await? {
            if !article.price.is_zero() && balance(&wallet).await?.covers(article.price) {
                wallet
                    .pay(&shop, &article.slug, article.price)
                    .await
                    .with_context(|| article.title.clone())?;
                let text = wallet.open_article(&shop, &article.slug).await?;
                assert!(text.html.len() > article.teaser.len(), "{}", article.title);
                bought += 1;
            }
        }
        assert!(bought > 0, "the surveys do not pay for one article");
        Ok(())
    })
}

/// Answers the quiz rightly.
pub(crate) async fn pass_the_quiz(wallet: &Wallet, program: &Program) -> Result<()> {
    let shop = program.storefront();
    let cards = wallet.campaigns(&shop).await?;
    let quiz = cards.iter().find(|card| card.title == QUIZ).context("the quiz")?;
    let questions = wallet.campaign(&shop, &quiz.item).await?.questions;
    let right = ["Two", "Copper"];
    let answers = questions.iter().map(|question| {
        let choice = question.choices.iter().find(|choice| right.contains(&choice.text.as_str()));
        choice.map(|choice| choice.id.clone()).context("the right choice")
    });
    let answers: Vec<String> = answers.collect::<Result<_>>()?;
    wallet.earn(&shop, &quiz.item, &answers).await?;
    Ok(())
}

async fn balance(wallet: &Wallet) -> Result<Amount> {
    Ok(wallet.balance().await?.amount)
}
