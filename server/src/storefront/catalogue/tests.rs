use std::fs;

use proptest::prelude::*;
use tempfile::TempDir;
use tuppence_protocol::{Currency, Secret};

use super::*;
use crate::storefront::problem::Severity;

const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

fn settings() -> CatalogueSettings {
    CatalogueSettings {
        origin: "https://shop.example".to_owned(),
        prices: Prices { currency: Currency::USD, default: None },
        media: MediaAddresses::new(
            "https://shop.example",
            media::Root::Articles,
            Secret::from_bytes([4; 32]),
        ),
    }
}

fn folder(files: &[(&str, &str)]) -> TempDir {
    let root = tempfile::tempdir().unwrap();
    for (file, text) in files {
        let path = root.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    root
}

fn slugs(catalogue: &Catalogue) -> Vec<&str> {
    catalogue.articles(NOW).map(|article| article.slug.as_str()).collect()
}

#[test]
fn a_broken_file_hides_no_other_article() {
    let root = folder(&[
        ("good.md", "---\ntitle: Good\nprice: 0.03\n---\nOpen.\n\n<!-- more -->\n\nPaid.\n"),
        ("broken.md", "---\ntitle: [\n---\nText"),
        ("priceless.md", "---\ntitle: x\n---\nText"),
        ("empty.md", ""),
        ("nothing.md", "---\ntitle: x\nprice: 1\n---\nAll.\n\n<!-- more -->\n"),
    ]);
    let catalogue = Catalogue::load(root.path(), &settings());
    assert_eq!(slugs(&catalogue), ["good"]);
    let files: Vec<_> = catalogue.problems().iter().map(|problem| problem.file.as_str()).collect();
    assert_eq!(files, ["broken.md", "empty.md", "nothing.md", "priceless.md"]);
    assert!(catalogue.problems()[3].to_string().starts_with("priceless.md:1: price: the price is missing"));
}

#[test]
fn what_is_wrong_with_a_meter_is_named() {
    for (fields, field, word) in [
        ("price: 0.03\nmeter: paragraph", "unit", "missing"),
        ("price: 0.03\nunit: 0.01", "unit", "what a part is"),
        ("price: 0.03\nmeter: chapter\nunit: 0.01", "meter", "paragraph, page or minute"),
        ("price: free\nmeter: page\nunit: 0.01", "meter", "free"),
        ("price: 0.03\nmeter: page\nunit: 0.04", "unit", "no more than the whole"),
        ("price: 0.03\nmeter: page\nunit: 0", "unit", "costs something"),
        ("price: 0.03\nmeter: page\nunit: EUR:0.01", "unit", "costs something"),
        ("price: 0.03\nmeter: page\nunit: much", "unit", "much"),
    ] {
        let text = format!("---\ntitle: A\n{fields}\n---\nOpen.\n\n<!-- more -->\n\nPaid.\n");
        let catalogue = Catalogue::load(folder(&[("a.md", &text)]).path(), &settings());
        let problem = catalogue.problems().first().unwrap_or_else(|| panic!("{fields} has no problem"));
        assert_eq!(problem.field.as_deref(), Some(field), "{fields}: {problem}");
        assert!(problem.message.contains(word), "{fields}: {problem}");
        assert!(slugs(&catalogue).is_empty(), "{fields}");
    }
}

#[test]
fn drafts_and_the_future_are_not_shown() {
    let root = folder(&[
        ("a.md", "---\ntitle: a\nprice: free\ndate: 2026-01-01\n---\nText"),
        ("draft.md", "---\ntitle: b\nprice: free\ndraft: true\n---\nText"),
        ("unpublished.md", "---\ntitle: b\nprice: free\npublished: false\n---\nText"),
        ("future.md", "---\ntitle: c\nprice: free\ndate: 2027-06-01\n---\nText"),
        ("2027-06-01-named.md", "---\ntitle: d\nprice: free\n---\nText"),
    ]);
    let catalogue = Catalogue::load(root.path(), &settings());
    assert_eq!((slugs(&catalogue), catalogue.problems()), (vec!["a"], &[][..]));
    assert!(catalogue.find("future", NOW).is_none() && catalogue.find("named", NOW).is_none());
    let later = Timestamp::from_millis(1_830_000_000_000);
    assert!(catalogue.find("future", later).is_some() && catalogue.find("draft", later).is_none());
}

#[test]
fn an_address_belongs_to_one_article() {
    let root = folder(&[
        ("bread.md", "---\ntitle: first\nprice: free\n---\nText"),
        ("bread/index.md", "---\ntitle: second\nprice: free\n---\nText"),
    ]);
    let catalogue = Catalogue::load(root.path(), &settings());
    assert_eq!(catalogue.articles(NOW).count(), 1);
    assert!(catalogue.problems()[0].message.contains("bread"));
}

#[test]
fn pictures_beside_an_article_get_addresses_and_others_are_noted() {
    let text = "---\ntitle: a\nprice: free\nimage: cover.png\n---\n\
        ![in](in.png) ![up](../top.png) ![out](../../out.png) ![far](https://far.example/a.png) ![no](none.png)\n";
    let root = folder(&[("a/index.md", text), ("a/in.png", "p"), ("a/cover.png", "p"), ("top.png", "p")]);
    let catalogue = Catalogue::load(root.path(), &settings());
    let article = catalogue.find("a", NOW).unwrap();
    let html = article.free().unwrap().as_str();
    assert_eq!(html.matches("src=\"https://shop.example/media/").count(), 2, "{html}");
    assert!(html.contains("/a/in.png\"") && html.contains("/top.png\""));
    assert!(article.image.as_ref().unwrap().url.ends_with("/a/cover.png"));
    assert_eq!(catalogue.problems().len(), 3);
    assert!(catalogue.problems().iter().all(|problem| problem.severity == Severity::Notice));
}

#[test]
fn the_paid_part_is_in_nothing_that_everybody_gets() {
    let root =
        folder(&[("a.md", "---\ntitle: a\nprice: 1\n---\nOpen words.\n\n<!-- more -->\n\nSecret words.\n")]);
    let catalogue = Catalogue::load(root.path(), &settings());
    let article = catalogue.find("a", NOW).unwrap();
    assert!(!format!("{article:?}").contains("Secret"));
    assert!(!article.teaser.as_str().contains("Secret") && !article.summary.contains("Secret"));
    assert!(article.free().is_none());
    assert!(article.whole(Entitlement::Receipt).as_str().contains("Secret words."));
}

#[test]
fn the_newest_article_comes_first() {
    let article = |date: &str| format!("---\ntitle: x\nprice: free\ndate: {date}\n---\nText");
    let (a, b, c) = (article("2026-01-01"), article("2026-03-01"), article("2026-02-01T10:00:00+09:00"));
    let root = folder(&[
        ("a.md", &a),
        ("b.md", &b),
        ("c.md", &c),
        ("d.md", "---\ntitle: x\nprice: free\n---\nText"),
    ]);
    assert_eq!(slugs(&Catalogue::load(root.path(), &settings())), ["b", "c", "a", "d"]);
}

#[test]
fn a_missing_folder_is_a_problem_and_an_empty_catalogue() {
    let root = folder(&[]);
    let catalogue = Catalogue::load(&root.path().join("none"), &settings());
    assert_eq!((slugs(&catalogue).len(), catalogue.problems().len()), (0, 1));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]
    #[test]
    fn no_file_panics(matter in "(title: \\PC{0,20}\n|price: [0-9.a-zA-Z:-]{0,8}\n|date: \\PC{0,12}\n|tags: \\PC{0,9}\n){0,4}", body in "(\\PC|[\n<>*#`]){0,200}") {
        let root = folder(&[("a.md", &format!("---\n{matter}---\n{body}"))]);
        let catalogue = Catalogue::load(root.path(), &settings());
        prop_assert!(catalogue.articles(NOW).count() <= 1);
    }
}
