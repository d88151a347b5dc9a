//! The shop that the program brings along: what a newcomer sees first.

use std::io;
use std::path::Path;

macro_rules! files {
    ($($path:literal),* $(,)?) => {
        [$(($path, include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/shop/", $path)).as_slice())),*]
    };
}

/// The files of examples/shop, by their path in it.
pub const FILES: [(&str, &[u8]); 16] = files![
    "campaigns/floating-soap.svg",
    "campaigns/floating-soap.toml",
    "campaigns/number-402.toml",
    "campaigns/paper-or-pixels.toml",
    "campaigns/reading-on-the-way.toml",
    "campaigns/small-coins.toml",
    "content/1997.md",
    "content/bread.md",
    "content/cartwheel-twopence/cartwheel.svg",
    "content/cartwheel-twopence/index.md",
    "content/coin-weight-ko.md",
    "content/how-this-works.md",
    "content/night-train/index.md",
    "content/night-train/night-train.svg",
    "content/same-mile.md",
    "content/week-along-the-river.md",
];

/// The sample shop's name.
pub const TITLE: &str = "The Halfpenny Review";
/// What it sells.
pub const DESCRIPTION: &str = "Short essays on small things, for small change: coins, bread, night trains and the art of walking slowly.";

/// Writes the sample's articles to `folder`, if there is no such folder yet.
///
/// # Errors
/// If a file cannot be written.
pub fn write_articles(folder: &Path) -> io::Result<()> {
    write("content/", folder)
}

/// Writes the sample's campaigns to `folder`, likewise.
///
/// # Errors
/// If a file cannot be written.
pub fn write_campaigns(folder: &Path) -> io::Result<()> {
    write("campaigns/", folder)
}

fn write(part: &str, folder: &Path) -> io::Result<()> {
    if folder.exists() {
        return Ok(());
    }
    for (path, bytes) in FILES {
        if let Some(relative) = path.strip_prefix(part) {
            let file = folder.join(relative);
            if let Some(parent) = file.parent() {
                std::fs::create_dir_all(parent)?;
            }
            std::fs::write(file, bytes)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use tuppence_protocol::{Currency, Timestamp};

    use super::*;
    use crate::storefront::campaigns::Kind;
    use crate::storefront::catalogue::fields::Prices;

    const PRICES: Prices = Prices { currency: Currency::USD, default: None };

    #[test]
    fn every_file_of_the_example_is_brought_along() {
        let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/shop");
        let folder = crate::storefront::folder::Folder::open(&example).unwrap();
        let (there, _) = folder.files(|_| true);
        let here: BTreeSet<_> = FILES.iter().map(|(path, _)| (*path).to_owned()).collect();
        assert_eq!(there.into_iter().collect::<BTreeSet<_>>(), here);
    }

    #[test]
    fn the_sample_has_no_problems_and_something_of_everything() {
        let root = tempfile::tempdir().unwrap();
        let (content, campaigns) = (root.path().join("content"), root.path().join("campaigns"));
        write_articles(&content).unwrap();
        write_campaigns(&campaigns).unwrap();
        assert_eq!(
            crate::storefront::check(crate::storefront::Articles::Folder(&content), &campaigns, PRICES),
            []
        );
        let shop = crate::storefront::tests::shop_of(&content, &campaigns);
        let articles = shop.articles_view().articles;
        assert!(articles.len() >= 8);
        assert!(articles.iter().any(|article| article.price.is_zero()));
        assert!(articles.iter().filter(|article| article.image.is_some()).count() >= 2);
        let now = Timestamp::from_millis(1_800_000_000_000);
        for kind in [Kind::Quiz, Kind::Survey, Kind::Advertisement] {
            assert!(shop.campaigns().open(now).any(|campaign| campaign.kind == kind), "{kind:?}");
        }
    }

    #[test]
    fn a_publisher_s_own_folder_is_left_alone() {
        let root = tempfile::tempdir().unwrap();
        let (content, campaigns) = (root.path().join("content"), root.path().join("campaigns"));
        std::fs::create_dir(&content).unwrap();
        write_articles(&content).unwrap();
        write_campaigns(&campaigns).unwrap();
        assert_eq!(std::fs::read_dir(&content).unwrap().count(), 0);
        assert!(std::fs::read_dir(&campaigns).unwrap().count() > 0);
    }
}
