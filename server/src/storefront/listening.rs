//! What a page may play of a stream: the parts of which it has shown receipts.
//!
//! A browser's player sends no receipts, only requests for ranges. So the page shows them before, under a ticket, and the
//! player asks by the ticket. What is paid while it plays is shown under the same ticket, and a request that waits for it
//! goes on.
//!
//! Held in memory: a page whose ticket is forgotten shows its receipts again, and gets the same one.

use std::collections::{BTreeSet, HashMap};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tuppence_protocol::canonical::Tag;
use tuppence_protocol::scrip::receipt::Receipt;
use tuppence_protocol::{Duration, ErrorCode, HashAlgorithm, Refusal, Secret, Timestamp, TranId, bytes};

use super::catalogue::stream::Stream;
use super::catalogue::{Article, Catalogue};
use super::{Declined, Storefront};

/// How long a ticket is good that nobody uses.
const LASTS: Duration = Duration::from_days(1);
/// How many tickets are good at once; each is some hundred bytes.
const TICKETS_MAX: usize = 10_000;
/// Requests of one ticket at a time: a player has two or three.
const PLAYERS_MAX: usize = 8;
/// Requests of all tickets at a time, of the connections that a shop takes: others are to have room.
const ALL_PLAYERS_MAX: usize = 2_000;
/// Receipts that can be shown at once.
pub const RECEIPTS_MAX: usize = 64;

/// What a page shows, and the player asks by: nobody can make one without a receipt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Ticket(#[serde(with = "bytes::fixed")] [u8; 16]);

/// Receipts that a page shows, under the ticket that it has.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Shown {
    /// The page's ticket; without one it gets that of the first receipt.
    #[serde(default)]
    pub ticket: Option<Ticket>,
    /// Of the whole or of parts; all are of one article.
    pub receipts: Vec<Receipt>,
}

/// Where the page's player finds the stream.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Admission {
    /// What to show with the next receipts.
    pub ticket: Ticket,
    /// Where the player asks.
    pub address: String,
}

/// What is paid of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Opened {
    /// All of it.
    Whole,
    /// These parts, from 1, of so many.
    Parts(BTreeSet<usize>, usize),
}

/// What a player that has come to a byte gets next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece {
    /// The stream's own bytes, up to this one.
    Paid(u64),
    /// Nothing up to this one, where something that is paid begins. Players of one line (Firefox, WebKit) come to it only
    /// through what lies before, so that they get zeros.
    Gap(u64),
    /// Nothing: this and all that follows is to be paid.
    Unpaid,
}

impl Opened {
    /// What there is from byte `at` on.
    pub fn piece(&self, stream: &Stream, at: u64) -> Piece {
        let Opened::Parts(paid, count) = self else { return Piece::Paid(stream.bytes) };
        if at < stream.opening {
            return Piece::Paid(stream.opening);
        }
        // Parts are in the order of their bytes.
        let mut shares = paid.iter().map(|number| stream.share(*number, *count));
        match shares.find(|share| at < share.end) {
            Some(share) if share.contains(&at) => Piece::Paid(share.end),
            Some(share) => Piece::Gap(share.start),
            None => Piece::Unpaid,
        }
    }
}

/// A stream on the disk. It is opened for each read: whoever listens for long holds no file open.
#[derive(Debug, Clone)]
pub struct Source {
    /// What it is.
    pub stream: Stream,
    catalogue: Arc<Catalogue>,
}

impl Source {
    /// So many bytes from `at` on, or those that there are.
    ///
    /// # Errors
    /// If it cannot be read, or is another file than it was.
    pub fn read(&self, at: u64, length: u64) -> io::Result<Vec<u8>> {
        let folder = self.catalogue.folder().ok_or(io::ErrorKind::NotFound)?;
        let mut file = folder.open_file(&self.stream.file)?;
        if file.metadata()?.len() != self.stream.bytes {
            return Err(io::Error::other("the file was changed"));
        }
        file.seek(SeekFrom::Start(at))?;
        let mut bytes = Vec::new();
        file.take(length).read_to_end(&mut bytes)?;
        if bytes.is_empty() { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(bytes) }
    }
}

/// A player's right to ask, as long as it asks.
#[derive(Debug)]
pub struct Playing {
    /// What it plays.
    pub source: Source,
    /// What is paid; it grows.
    pub opened: watch::Receiver<Opened>,
    _place: Place,
}

/// Its place among all that play, and among those of its ticket.
type Place = [OwnedSemaphorePermit; 2];

/// The tickets that are good.
#[derive(Debug)]
pub(super) struct Listenings {
    secret: Secret,
    good: Mutex<HashMap<Ticket, Listening>>,
    players: Arc<Semaphore>,
}

#[derive(Debug)]
struct Listening {
    slug: String,
    used: Timestamp,
    opened: watch::Sender<Opened>,
    players: Arc<Semaphore>,
}

impl Listenings {
    /// Tickets are sealed with the shop's own secret.
    pub(super) fn new(secret: Secret) -> Self {
        let players = Arc::new(Semaphore::new(ALL_PLAYERS_MAX));
        Listenings { secret, good: Mutex::default(), players }
    }

    fn ticket(&self, first: TranId) -> Ticket {
        let seal = HashAlgorithm::HmacSha256.seal(&self.secret, Tag::Entitlement, |w| {
            w.text("stream");
            w.bytes(first.as_bytes());
        });
        let mut ticket = [0; 16];
        ticket.copy_from_slice(&seal.as_bytes()[..16]);
        Ticket(ticket)
    }

    /// Adds what is paid to a ticket, which is made where it is not known.
    fn admit(&self, ticket: Ticket, slug: &str, opened: Opened, now: Timestamp) -> Result<(), Refusal> {
        let mut good = self.good.lock().unwrap_or_else(PoisonError::into_inner);
        if good.len() >= TICKETS_MAX && !good.contains_key(&ticket) {
            good.retain(|_, known| now.since(known.used) < LASTS);
            // Whoever has not played for longest shows the receipts again.
            let oldest = good.iter().min_by_key(|(_, known)| known.used).map(|(ticket, _)| *ticket);
            if let Some(oldest) = oldest.filter(|_| good.len() >= TICKETS_MAX) {
                good.remove(&oldest);
            }
        }
        let known = good.entry(ticket).or_insert_with(|| Listening {
            slug: slug.to_owned(),
            used: now,
            opened: watch::Sender::new(opened.clone()),
            players: Arc::new(Semaphore::new(PLAYERS_MAX)),
        });
        if known.slug != slug {
            return Err(other_article());
        }
        known.used = now;
        known.opened.send_modify(|before| before.add(opened));
        Ok(())
    }

    fn knows(&self, ticket: Ticket) -> bool {
        self.good.lock().unwrap_or_else(PoisonError::into_inner).contains_key(&ticket)
    }

    fn play(
        &self,
        ticket: Ticket,
        now: Timestamp,
    ) -> Result<(String, watch::Receiver<Opened>, Place), Refusal> {
        let mut good = self.good.lock().unwrap_or_else(PoisonError::into_inner);
        let known = good.get_mut(&ticket).ok_or_else(unknown)?;
        known.used = now;
        let many = |_| Refusal::new(ErrorCode::Busy, "Too much is played at once.");
        let of_ticket = known.players.clone().try_acquire_owned().map_err(many)?;
        let place = [of_ticket, self.players.clone().try_acquire_owned().map_err(many)?];
        Ok((known.slug.clone(), known.opened.subscribe(), place))
    }
}

impl Opened {
    fn add(&mut self, more: Opened) {
        match (&mut *self, more) {
            (Opened::Whole, _) => {}
            // A publisher who divides it anew has receipts of both divisions about: the new one counts.
            (Opened::Parts(paid, count), Opened::Parts(more, of)) if *count == of => paid.extend(more),
            (_, more) => *self = more,
        }
    }
}

impl Storefront {
    /// Opens to a ticket what `shown` has paid, and says where it is played. The same again changes nothing.
    ///
    /// # Errors
    /// A receipt that is not this shop's, or of another article; an article without a stream; and [`ErrorCode::NotFound`] for a
    /// ticket that is forgotten: all receipts are to be shown again.
    pub async fn listen(&self, shown: Shown) -> Result<Admission, Declined> {
        let Shown { ticket, receipts } = shown;
        let few =
            || Refusal::new(ErrorCode::Malformed, format!("Show 1 to {RECEIPTS_MAX} receipts at once."));
        let first = receipts.first().filter(|_| receipts.len() <= RECEIPTS_MAX).ok_or_else(few)?;
        if ticket.is_some_and(|ticket| !self.listenings.knows(ticket)) {
            return Err(unknown().into());
        }
        let ticket = ticket.unwrap_or_else(|| self.listenings.ticket(first.tran_id));
        let mut of: Option<(String, Opened)> = None;
        for receipt in &receipts {
            let (slug, opened) = self.opened_by(&*self.unlock(receipt).await?).await?;
            match &mut of {
                None => of = Some((slug, opened)),
                Some((known, all)) if *known == slug => all.add(opened),
                Some(_) => return Err(other_article().into()),
            }
        }
        let (slug, opened) = of.ok_or_else(few)?;
        self.listenings.admit(ticket, &slug, opened, self.now())?;
        let address = format!("{}/stream/{}", self.settings.origin, bytes::encode(&ticket.0));
        Ok(Admission { ticket, address })
    }

    /// The article whose stream `paid` opens, or a part of which; and what of it.
    async fn opened_by(&self, paid: &Article) -> Result<(String, Opened), Refusal> {
        let none = || Refusal::new(ErrorCode::ArticleUnknown, "This article has no sound or film.");
        let Some(whole) = &paid.part_of else {
            return paid.stream.as_ref().map(|_| (paid.slug.clone(), Opened::Whole)).ok_or_else(none);
        };
        let article = self.article(whole).await?;
        let (number, count) = place(paid, &article).ok_or_else(none)?;
        article.stream.as_ref().ok_or_else(none)?;
        Ok((whole.clone(), Opened::Parts(BTreeSet::from([number]), count)))
    }

    /// What the player with this ticket plays.
    ///
    /// # Errors
    /// [`ErrorCode::NotFound`] for a ticket that is not good, or a stream that is gone; [`ErrorCode::Busy`] for too many players.
    pub async fn play(&self, ticket: &str) -> Result<Playing, Refusal> {
        let ticket = bytes::decode(ticket).ok().and_then(|bytes| bytes.try_into().ok());
        let ticket = Ticket(ticket.ok_or_else(unknown)?);
        let (slug, opened, place) = self.listenings.play(ticket, self.now())?;
        let (source, _) = self.stream_of(&*self.article(&slug).await?).await?;
        Ok(Playing { source, opened, _place: place })
    }

    /// The stream of an article, and the bytes of it that are this article's: all, or those of the part that it is.
    ///
    /// # Errors
    /// [`ErrorCode::NotFound`] if it has none, or it is another one than was read.
    pub async fn stream_of(&self, article: &Article) -> Result<(Source, Range<u64>), Refusal> {
        let gone = || Refusal::new(ErrorCode::NotFound, "There is no sound or film here.");
        let (stream, bytes) = match &article.part_of {
            None => {
                let stream = article.stream.clone().ok_or_else(gone)?;
                let bytes = 0..stream.bytes;
                (stream, bytes)
            }
            Some(whole) => {
                let whole = self.article(whole).await?;
                let stream = whole.stream.clone().ok_or_else(gone)?;
                let (number, count) = place(article, &whole).ok_or_else(gone)?;
                let share = stream.share(number, count);
                // All parts one after the other are the file.
                (stream, if number == 1 { 0..share.end } else { share })
            }
        };
        let source = Source { stream, catalogue: self.catalogue() };
        source.read(bytes.start, 1).map_err(|_| gone())?;
        Ok((source, bytes))
    }
}

/// Which part of `whole` an article is, from 1, of how many.
fn place(part: &Article, whole: &Article) -> Option<(usize, usize)> {
    let meter = whole.meter.as_ref()?;
    Some((meter.place(&part.slug)?, meter.parts()))
}

fn unknown() -> Refusal {
    Refusal::new(ErrorCode::NotFound, "This ticket is not good any more. Show the receipts again.")
}

fn other_article() -> Refusal {
    Refusal::new(ErrorCode::ReceiptInvalid, "These receipts are of several articles.")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream() -> Stream {
        Stream { file: "a.wav".into(), media_type: "audio/wav", bytes: 1_044, opening: 44, seconds: 10 }
    }

    fn parts(numbers: &[usize]) -> Opened {
        Opened::Parts(numbers.iter().copied().collect(), 10)
    }

    #[test]
    fn the_opening_is_everybodys_and_the_sound_belongs_to_who_has_paid_it() {
        for (opened, at, piece) in [
            (parts(&[]), 0, Piece::Paid(44)),
            (parts(&[]), 44, Piece::Unpaid),
            (parts(&[2]), 0, Piece::Paid(44)),
            (parts(&[2]), 44, Piece::Gap(144)),
            (parts(&[2]), 150, Piece::Paid(244)),
            (parts(&[2]), 244, Piece::Unpaid),
            (parts(&[1, 2, 4]), 143, Piece::Paid(144)),
            (parts(&[1, 2, 4]), 144, Piece::Paid(244)),
            (parts(&[1, 2, 4]), 244, Piece::Gap(344)),
            (parts(&[10]), 1_043, Piece::Paid(1_044)),
            (Opened::Whole, 500, Piece::Paid(1_044)),
        ] {
            assert_eq!(opened.piece(&stream(), at), piece, "{opened:?} from {at}");
        }
    }

    #[test]
    fn tickets_grow_with_what_is_paid_and_the_least_used_make_room() {
        let listenings = Listenings::new(Secret::from_bytes([1; 32]));
        let at = Timestamp::from_millis;
        let ticket = |number: u64| listenings.ticket(TranId::new(at(number), [0; 10]));
        assert_ne!(ticket(1), ticket(2));
        for number in 0..=TICKETS_MAX as u64 {
            listenings.admit(ticket(number), "walk", parts(&[1]), at(number)).unwrap();
            listenings.admit(ticket(0), "walk", parts(&[2]), at(number)).unwrap();
        }
        assert!(!listenings.knows(ticket(1)) && listenings.knows(ticket(2)));
        let (_, opened, _permit) = listenings.play(ticket(0), at(1)).unwrap();
        assert_eq!(*opened.borrow(), parts(&[1, 2]));
        assert!(listenings.admit(ticket(0), "ride", parts(&[1]), at(1)).is_err());
        let players: Vec<_> = (1..PLAYERS_MAX).map(|_| listenings.play(ticket(0), at(1)).unwrap()).collect();
        assert_eq!(listenings.play(ticket(0), at(1)).unwrap_err().code, ErrorCode::Busy);
        drop(players);
        assert!(listenings.play(ticket(0), at(1)).is_ok());
    }
}
