//! `_6_2`: a buyer asks for its live scrip (spec/01, rule 6).

use serde::{Deserialize, Serialize};

use crate::error::Refusal;
use crate::ids::TranId;
use crate::scrip::buyer::{Purse, check_owner, check_seal, wrong};
use crate::scrip::finish::{Finish, FinishReply};
use crate::scrip::{Code, Header, Scrip};
use crate::seal::Seal;
use crate::secret::Secret;
use crate::time::Timestamp;

/// PM6_2 without a transaction was sent; the live scrip is awaited.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AwaitingLiveScrip {
    /// PM6_2.
    pub request: Finish,
}

/// Where the purse stands at the center.
#[derive(Debug, Clone)]
pub struct LiveScrip {
    /// The scrip that the next M4 or S4 must show.
    pub scrip: Scrip,
    /// The transaction that is under way and that this scrip comes from, if there is one.
    pub pending: Option<TranId>,
}

impl Purse {
    /// PM6_2 without a transaction, with whatever scrip this buyer has.
    pub fn resynchronise(&self, now: Timestamp) -> AwaitingLiveScrip {
        let mut request = Finish {
            header: Header::new(Code::Pm6_2, now),
            transaction: None,
            new_scrip: self.scrip.clone(),
            hash: Seal::from_bytes([0; 32]),
            p_count: 0,
        };
        request.hash = request.seal(&self.custom_secret);
        AwaitingLiveScrip { request }
    }
}

impl AwaitingLiveScrip {
    /// The live scrip.
    ///
    /// # Errors
    /// [`crate::ErrorCode::SealInvalid`] for a reply that the center did not make for this buyer;
    /// [`crate::ErrorCode::ScripForged`] for another's scrip.
    pub fn receive(&self, reply: &FinishReply, custom_secret: &Secret) -> Result<LiveScrip, Refusal> {
        let FinishReply::Balance(reply) = reply else {
            return Err(wrong("A balance is expected."));
        };
        reply.header.expect(&[Code::Pm5_1])?;
        check_seal(&reply.hash, &reply.seal(custom_secret))?;
        check_owner(&reply.new_scrip, &self.request.new_scrip)?;
        Ok(LiveScrip { scrip: reply.new_scrip.clone(), pending: reply.tran_id })
    }
}
