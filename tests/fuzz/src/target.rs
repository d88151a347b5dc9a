//! The targets by name.

use crate::{
    canonical, center, demands, envelopes, files, message, records, requests, session_keys, settings, shop,
    sites, spellings,
};

/// Whether a target's code took the bytes. Either is fine; a corpus needs both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// They mean something.
    Taken,
    /// They were refused, as they should be.
    Refused,
}

/// Something that takes bytes from outside.
pub struct Target {
    /// Its name, which its folder in the corpus has too.
    pub name: &'static str,
    /// What must hold for all bytes, in a sentence.
    pub holds: &'static str,
    /// Runs it, and panics where that does not hold.
    pub run: fn(&[u8]) -> Verdict,
}

/// All of them, by name.
pub const TARGETS: [Target; 22] = [
    Target {
        name: "articles",
        holds: "An article's file has fields in their limits, or problems at lines that it has; its HTML is stable once it is cleaned.",
        run: files::article,
    },
    Target {
        name: "campaigns",
        holds: "A campaign that is taken pays more than nothing in the center's currency, at most its budget; others have named problems.",
        run: files::campaign,
    },
    Target {
        name: "canonical",
        holds: "Two values have the same canonical encoding just where they are the same on the wire.",
        run: canonical::pair,
    },
    Target {
        name: "center",
        holds: "Whatever messages come to a center, in whatever order: none is a fault, an M4 or S4 that was taken is answered again in the same words, and the books add up.",
        run: center::messages,
    },
    Target {
        name: "cookies",
        holds: "A cookie opens the one article that the shop sealed it for, in one spelling.",
        run: shop::cookie,
    },
    Target {
        name: "copies",
        holds: "The copy of a wallet is read as what it is written as again; damaged ones are refused.",
        run: records::copy,
    },
    Target {
        name: "demands",
        holds: "A wallet that is told to pay an address pays what was approved at most, to who answers there, whatever the answer.",
        run: demands::demand,
    },
    Target {
        name: "envelopes",
        holds: "A Custom_Secret opens only with the header and scrip that it was closed with.",
        run: envelopes::custom_secret,
    },
    Target {
        name: "files_of_pictures",
        holds: "A picture's address means a plain name inside the folder, or nothing.",
        run: files::picture,
    },
    Target {
        name: "messages_payword",
        holds: "A message of spec 03 that is decoded encodes to what decodes to the same; wallet and center agree on it.",
        run: message::payword,
    },
    Target { name: "messages_recovery", holds: "The same for recovery's messages.", run: message::recovery },
    Target {
        name: "messages_scrip",
        holds: "The same for spec 01's, and for what the buyer's side stores.",
        run: message::scrip,
    },
    Target { name: "messages_vendor_scrip", holds: "The same for spec 02's.", run: message::vendor_scrip },
    Target {
        name: "records",
        holds: "A wallet's record is read as what it is written as again; damaged ones are refused.",
        run: records::record,
    },
    Target {
        name: "requests",
        holds: "Whatever the headers: paid words go to who shows the article's receipt or cookie, a 402 is one that a wallet reads, and nothing is a fault.",
        run: requests::headers,
    },
    Target {
        name: "session_keys",
        holds: "The center opens what was closed for it, in one spelling; a session key comes out of its envelope again.",
        run: session_keys::envelope,
    },
    Target {
        name: "settings",
        holds: "Settings are written as what is read as the same; origins, amounts, shares and times that are taken are in their limits.",
        run: settings::file,
    },
    Target {
        name: "shop_payword",
        holds: "A shop opens a session for what its center signed; a charge adds the units that its payword shows, once, and all of them are deposited.",
        run: shop::payword,
    },
    Target {
        name: "shop_vendor_scrip",
        holds: "A shop takes scrip that it made, once; price and change are its value, and what was redeemed is settled.",
        run: shop::vendor_scrip,
    },
    Target {
        name: "sites",
        holds: "A page of a site has one name; what is free in one reading of its path is free in all; what is sold is cut, and the offer stands there.",
        run: sites::site,
    },
    Target {
        name: "spellings",
        holds: "An amount, name, identifier, address or order has one spelling, and sums of amounts are exact.",
        run: spellings::spelling,
    },
    Target {
        name: "words",
        holds: "Recovery words that are taken are those of their bits.",
        run: spellings::words,
    },
];

/// The target of this name.
pub fn find(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.name == name)
}
