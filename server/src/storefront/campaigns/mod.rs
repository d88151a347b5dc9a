//! Campaigns: a folder of TOML files, each a quiz, a survey or an advertisement that pays for attention.
//!
//! Right answers are in [`Grading`] alone, which is neither printed nor sent (T10).

pub mod file;
mod grading;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tuppence_protocol::scrip::Item;
use tuppence_protocol::{Amount, Currency, Text, Timestamp};

use crate::storefront::catalogue::media::{self, MediaAddresses};
use crate::storefront::folder::Folder;
use crate::storefront::problem::Problem;
pub use grading::{Grade, Grading};

/// Bytes of a campaign's file.
const FILE_BYTES_MAX: u64 = 256 * 1024;

/// What a campaign asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Questions with right answers; whoever passes is rewarded.
    Quiz,
    /// Questions to which every answer is welcome, and kept for the advertiser.
    Survey,
    /// Something to look at, and a question on it.
    Advertisement,
}

impl Kind {
    /// Who sees the answers, where the file does not say.
    fn audience(self, sponsor: &str) -> String {
        match self {
            Kind::Quiz | Kind::Advertisement => {
                format!("The shop checks your answers. {sponsor} sees only how many people took part.")
            }
            Kind::Survey => {
                format!("{sponsor} sees your answers, under a number that stands for you in this shop alone.")
            }
        }
    }
}

/// One campaign.
#[derive(Debug, Clone)]
pub struct Campaign {
    /// Its name on the wire: the file's name.
    pub item: Item,
    /// What it asks for.
    pub kind: Kind,
    /// The title.
    pub title: Text<400>,
    /// Who pays.
    pub sponsor: String,
    /// What the reader sees first; plain text in paragraphs.
    pub intro: String,
    /// What an earner gets.
    pub reward: Amount,
    /// What all earners together get at most.
    pub budget: Amount,
    /// From when on it is open.
    pub start: Option<Timestamp>,
    /// Until when.
    pub end: Option<Timestamp>,
    /// Minutes that it takes.
    pub minutes: u32,
    /// Rewards a day, by UTC.
    pub per_day: Option<u32>,
    /// A picture's address.
    pub image: Option<String>,
    /// What the picture shows.
    pub image_alt: Option<String>,
    /// Where the reader finds out more.
    pub link: Option<String>,
    /// Who sees the answers, in a sentence.
    pub audience: String,
    /// The questions, as everybody sees them.
    pub questions: Vec<Question>,
    /// What is right.
    pub grading: Grading,
}

/// A question, as everybody sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// The question.
    pub text: String,
    /// Its choices; none where the answer is written in words.
    pub choices: Vec<Choice>,
}

/// A choice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Choice {
    /// Its name on the wire.
    pub id: String,
    /// What it says.
    pub text: String,
}

impl Campaign {
    /// Whether answers are taken at `now`.
    pub fn is_open(&self, now: Timestamp) -> bool {
        self.start.is_none_or(|start| start <= now) && !self.has_ended(now)
    }

    /// Whether its end has passed.
    pub fn has_ended(&self, now: Timestamp) -> bool {
        self.end.is_some_and(|end| end <= now)
    }
}

/// All campaigns of a folder at one time.
#[derive(Debug)]
pub struct Campaigns {
    campaigns: BTreeMap<Item, Arc<Campaign>>,
    problems: Vec<Problem>,
    folder: Option<Arc<Folder>>,
}

impl Campaigns {
    /// Reads the folder at `path`; rewards are in `currency`. What is wrong with a file is a problem of that file
    /// alone.
    pub fn load(path: &Path, currency: Currency, media: &MediaAddresses) -> Self {
        let mut loaded = Campaigns { campaigns: BTreeMap::new(), problems: Vec::new(), folder: None };
        let folder = match Folder::open(path) {
            Ok(folder) => Arc::new(folder),
            Err(error) => {
                let file = path.display().to_string();
                loaded.problems.push(Problem::hides(&file, format!("the folder cannot be opened: {error}")));
                return loaded;
            }
        };
        let (files, problems) = folder.files(|extension| extension == "toml");
        loaded.problems.extend(problems);
        for file in files {
            match loaded.read(&file, &folder, currency, media) {
                Ok(campaign) => {
                    loaded.campaigns.insert(campaign.item.clone(), Arc::new(campaign));
                }
                Err(problems) => loaded.problems.extend(problems),
            }
        }
        loaded.folder = Some(folder);
        loaded
    }

    fn read(
        &self,
        file: &str,
        folder: &Folder,
        currency: Currency,
        media: &MediaAddresses,
    ) -> Result<Campaign, Vec<Problem>> {
        let item = item(file).map_err(|problem| vec![problem])?;
        if self.campaigns.contains_key(&item) {
            let message = format!("another file is called `{item}` already: rename one");
            return Err(vec![Problem::hides(file, message)]);
        }
        let text = folder.read(file, FILE_BYTES_MAX).map_err(|problem| vec![problem])?;
        let beside = file.rfind('/').map_or("", |end| &file[..=end]);
        file::read(file, item, &text, currency, |address| {
            let picture = media::resolve(beside, address)?;
            folder.open_file(&picture).ok()?;
            Some(media.address(&picture))
        })
    }

    /// The campaigns that are open at `now`, by name.
    pub fn open(&self, now: Timestamp) -> impl Iterator<Item = &Arc<Campaign>> {
        self.campaigns.values().filter(move |campaign| campaign.is_open(now))
    }

    /// All campaigns, also those before their start and after their end.
    pub fn all(&self) -> impl Iterator<Item = &Arc<Campaign>> {
        self.campaigns.values()
    }

    /// The campaign of this name.
    pub fn find(&self, item: &Item) -> Option<&Arc<Campaign>> {
        self.campaigns.get(item)
    }

    /// What is wrong with the folder's files.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// The folder, for its pictures.
    pub fn folder(&self) -> Option<&Folder> {
        self.folder.as_deref()
    }
}

/// A campaign's name on the wire: the name of its file.
fn item(file: &str) -> Result<Item, Problem> {
    let name = file.rsplit('/').next().unwrap_or(file);
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let plain = stem.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    if !plain || stem.is_empty() || stem.len() > 64 {
        let message = "a campaign's file is named with a-z, 0-9 and hyphens, at most 64 of them";
        return Err(Problem::hides(file, message));
    }
    stem.parse().map_err(|error| Problem::hides(file, format!("{error}")))
}

#[cfg(test)]
mod tests;
