//! Paying by address, and the receipts of what was paid.

use std::io::{self, Write};

use serde::Serialize;
use tuppence_protocol::{Amount, bytes};
use tuppence_wallet::view::{ArticleCard, Bought, BudgetMethod};
use tuppence_wallet::{Money, Problem, Wallet, WalletError};

use super::progress;
use super::show::currency;
use super::words::{failure, money_failure};
use crate::failure::Failure;
use crate::output;
use crate::settings::Sum;

/// What `--json` prints.
#[derive(Serialize)]
struct Printed<'a> {
    #[serde(flatten)]
    bought: &'a Bought,
    balance: Amount,
}

/// Gets what is at `url` for at most `max`, from a budget at the shop where one is named, and writes it to standard
/// output.
pub async fn pay(
    wallet: &Wallet,
    url: &str,
    max: &Sum,
    budget: Option<(&Sum, Option<BudgetMethod>)>,
    as_json: bool,
) -> Result<(), Failure> {
    let currency = currency(wallet).await?;
    let max = max.amount("--max", currency)?;
    let budget = match budget {
        Some((budget, method)) => Some((budget.amount("--budget", currency)?, method)),
        None => None,
    };
    let told = |card: &ArticleCard| {
        progress(&format!("Paying {} to {} for {:?} ...", card.price, card.shop.name, card.title));
    };
    let bought = match budget {
        Some((budget, method)) => wallet.pay_url_from_budget(url, max, budget, method, told).await,
        None => wallet.pay_url(url, max, told).await,
    };
    let bought = bought.map_err(money_failure)?;
    let balance = wallet.balance().await.map_err(failure)?.amount;
    progress(&match (&bought.article, bought.charged) {
        (Some(article), true) if budget.is_some() => {
            let left = left_at(wallet, &article.shop.origin).await?;
            format!("Paid from the budget, of which {left} is left. The balance is {balance}.")
        }
        (Some(_), true) => format!("Paid. The balance is {balance}."),
        (Some(_), false) => "It was paid before: nothing was charged.".to_owned(),
        (None, _) => "It asks for no money: nothing was charged.".to_owned(),
    });
    let text = if as_json {
        serde_json::to_string_pretty(&Printed { bought: &bought, balance }).map_err(Failure::new)? + "\n"
    } else if bought.article.is_some() {
        document(&bought.text.title, &bought.text.html)
    } else {
        bought.text.html.clone()
    };
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(|error| {
        let money = if bought.charged { Money::Moved } else { Money::Untouched };
        let unwritten = WalletError::from(Problem::StorageFull).with_money(money);
        money_failure(unwritten).because(format!("The article could not be written: {error}."))
    })
}

/// What is left of the budget at a shop.
async fn left_at(wallet: &Wallet, shop: &str) -> Result<Amount, Failure> {
    let budgets = wallet.budgets().await.map_err(failure)?;
    let here = budgets.into_iter().find(|budget| budget.shop.origin == shop && budget.page.is_none());
    Ok(here.map_or(Amount::zero(currency(wallet).await?), |budget| budget.left))
}

/// Ends the budget at a shop.
pub async fn end_budget(wallet: &Wallet, shop: &str, as_json: bool) -> Result<(), Failure> {
    // This program's own; in a copy of a browser's wallet, that of a page there.
    let budgets = wallet.budgets().await.map_err(failure)?;
    let pages = budgets.into_iter().filter(|budget| budget.shop.origin == shop).map(|budget| budget.page);
    let page = pages.min().flatten();
    let ended = wallet.end_budget(shop, page.as_deref()).await.map_err(failure)?;
    if as_json {
        return output::json(&ended);
    }
    let balance = wallet.balance().await.map_err(failure)?.amount;
    output::line(format!("{} came back from {}. The balance is {balance}.", ended.left, ended.shop.name));
    Ok(())
}

/// The receipt of a paid article, as the `Authorization` header takes it.
pub async fn receipt(wallet: &Wallet, url: &str) -> Result<(), Failure> {
    let library = wallet.library().await.map_err(failure)?;
    let entry = library.into_iter().find(|entry| entry.url == url);
    let entry = entry.ok_or_else(|| failure(Problem::NotOwned.into()))?;
    output::line(bytes::encode(&serde_json::to_vec(&entry.receipt).map_err(Failure::new)?));
    Ok(())
}

/// The article as a file of its own. The shop has cleaned it, and is not trusted for that: it may show pictures, and
/// run nothing.
fn document(title: &str, html: &str) -> String {
    let title = title.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    format!(
        "<!doctype html>\n<html>\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src http: https: data:; \
         style-src 'unsafe-inline'\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>{title}</title>\n</head>\n<body>\n\
         <article>\n<h1>{title}</h1>\n{html}\n</article>\n</body>\n</html>\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_stays_text_and_nothing_runs() {
        let file = document("<script>alert(1)</script> & so on", "<p>Text.</p>");
        assert!(
            !file.contains("<script") && file.contains("&lt;script&gt;alert(1)&lt;/script&gt; &amp; so on")
        );
        assert!(file.contains("default-src 'none'") && file.contains("<p>Text.</p>"));
    }
}
