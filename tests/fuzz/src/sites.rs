//! A site behind a storefront: the path of a request, the rules by which its pages are sold, and a page.

use tuppence_protocol::Currency;
use tuppence_server::storefront::catalogue::fields::Prices;
use tuppence_server::storefront::upstream::page;
use tuppence_server::storefront::upstream::path::{SitePath, loosest};
use tuppence_server::storefront::upstream::rules::{Decision, Rules, Sold};

use crate::target::Verdict;

/// The name of the file whose text is made up.
const FILE: &str = "made-up.toml";
/// What the offer is known by.
const OFFER: &str = "<b>rest-of-the-text</b>";

/// A path, the rules up to `%%`, and a page.
pub fn site(bytes: &[u8]) -> Verdict {
    let Ok(text) = str::from_utf8(bytes) else { return Verdict::Refused };
    let Some((path, rest)) = text.split_once('\n') else { return Verdict::Refused };
    let Some((rules, html)) = rest.split_once("\n%%\n") else { return Verdict::Refused };
    named_once(path);
    let rules = match Rules::read(FILE, rules, Prices { currency: Currency::USD, default: None }) {
        Ok(rules) => rules,
        Err(problems) => {
            assert!(!problems.is_empty(), "refused without a reason");
            return Verdict::Refused;
        }
    };
    assert!(rules.prices().all(|price| price.currency() == Currency::USD && !price.is_zero()));
    match rules.decide(path) {
        Decision::Free => {
            let read = loosest(path).expect("what nobody can read is not free");
            assert!(rules.decide(&read).is_free(), "{path:?} is free, and what it may be read as is not");
            Verdict::Taken
        }
        Decision::Closed => Verdict::Refused,
        Decision::Sold(page, sold) => {
            assert!(rules.sold(&page).is_some(), "{page:?} is sold by its path, and not by its name");
            cut(html, sold)
        }
    }
}

/// A path that can be sold has one name, and the name leads back to it.
fn named_once(path: &str) {
    if let Some(page) = SitePath::parse(path) {
        assert_eq!(SitePath::of_slug(&page.slug()).as_ref(), Some(&page));
        assert_eq!(SitePath::parse(&page.address()).as_ref(), Some(&page));
    }
}

/// What is cut off is in the unpaid page once less than it was in the page.
fn cut(html: &str, sold: &Sold) -> Verdict {
    let Ok(page) = page::read(html, sold) else { return Verdict::Refused };
    let (whole, teaser) = (page.whole.len(), page.teaser.len());
    assert!(teaser <= whole + '…'.len_utf8(), "the teaser has more than the whole");
    let unpaid = page.unpaid(OFFER);
    assert!(unpaid.contains(OFFER), "the offer is missing");
    assert!(!unpaid.contains("<!--"), "a comment is left");
    Verdict::Taken
}
