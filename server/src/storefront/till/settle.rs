//! What was taken goes to the center: deposits of paywords (spec/03) and settlements of scrip (spec/02). Both are the
//! same again until the center has confirmed them, so that a break at any point costs nothing.

use rusqlite::Connection;
use tuppence_protocol::payword::{self, Session};
use tuppence_protocol::vendor_scrip::{self, Account};
use tuppence_protocol::{ErrorCode, Refusal};

use crate::crash::{self, Point};
use crate::storefront::store::{self, till as rows, till::Authorities, till::Owed};
use crate::storefront::{Storefront, fault};

/// How many are looked up at once.
const PAGE: u32 = 64;

impl Storefront {
    /// Tells the center all that it has not confirmed yet. What it refuses waits for the next time, and is in the log.
    ///
    /// # Errors
    /// The center is away, or the store fails.
    pub(in crate::storefront) async fn settle_all(&self) -> Result<(), Refusal> {
        if let Some(vendor) = self.till.paywords.load_full() {
            let mut after = None;
            loop {
                let authorities = self.till.authorities.clone();
                let page = self
                    .store
                    .commit(move |store| rows::owed_sessions(store, &authorities, after, PAGE))
                    .await?;
                let Some(last) = page.last() else { break };
                after = Some(last.id());
                for session in page {
                    let id = session.id();
                    log(self.deposit(&vendor, session).await, "paywords", &id)?;
                }
            }
        }
        if let Some(vendor) = self.till.scrip.load_full() {
            let mut after = None;
            loop {
                let page = self.store.commit(move |store| rows::owed_accounts(store, after, PAGE)).await?;
                let Some(last) = page.last() else { break };
                after = Some(last.customer_id);
                for account in page {
                    let id = account.customer_id.serial_number.get();
                    log(self.settle(&vendor, account).await, "scrip", &id)?;
                }
            }
        }
        Ok(())
    }

    /// Forgets what is over.
    pub(in crate::storefront) async fn forget(&self) {
        let now = self.now();
        match self.store.commit(move |store| rows::forget(store, now)).await {
            Ok(0) => {}
            Ok(count) => tracing::info!(count, "budgets that are over were forgotten"),
            // Its reason is in the log, and the next time does it.
            Err(_) => {}
        }
    }

    async fn deposit(&self, vendor: &payword::Vendor, mut session: Session) -> Result<(), Refusal> {
        while let Some(deposit) = vendor.deposit(&session)? {
            crash::at(Point::Depositing);
            let paid = self.center.deposit(&deposit).await?;
            crash::at(Point::Deposited);
            let (vendor, authorities) = (vendor.clone(), self.till.authorities.clone());
            let confirmed =
                self.store.commit(move |store| confirm_deposit(store, &authorities, &vendor, &paid));
            session = confirmed.await??;
        }
        Ok(())
    }

    async fn settle(&self, vendor: &vendor_scrip::Vendor, mut account: Account) -> Result<(), Refusal> {
        while let Some(settlement) = vendor.settle(&account)? {
            crash::at(Point::Depositing);
            let settled = self.center.settle(&settlement).await?;
            crash::at(Point::Deposited);
            let vendor = vendor.clone();
            let confirmed = self.store.commit(move |store| confirm_settlement(store, &vendor, &settled));
            account = confirmed.await??;
        }
        Ok(())
    }
}

/// Confirms on what is stored now: readers may have paid since the deposit was made.
fn confirm_deposit(
    store: &Connection,
    authorities: &Authorities,
    vendor: &payword::Vendor,
    paid: &payword::Paid,
) -> store::Result<Result<Session, Refusal>> {
    let Some(session) = rows::session(store, authorities, paid.authority_id)? else {
        return Ok(Err(fault("the session is gone")));
    };
    let confirmed = vendor.confirm(&session, paid).and_then(|session| {
        let owed = vendor.deposit(&session)?.is_some();
        Ok((session, owed))
    });
    let (session, owed) = match confirmed {
        Ok(confirmed) => confirmed,
        Err(error) => return Ok(Err(error.into())),
    };
    rows::keep_session(store, &session, Owed(owed))?;
    Ok(Ok(session))
}

fn confirm_settlement(
    store: &Connection,
    vendor: &vendor_scrip::Vendor,
    settled: &vendor_scrip::Settled,
) -> store::Result<Result<Account, Refusal>> {
    let Some(account) = rows::account(store, settled.customer_id)? else {
        return Ok(Err(fault("the account is gone")));
    };
    let confirmed = vendor.confirm(&account, settled).and_then(|account| {
        let owed = vendor.settle(&account)?.is_some();
        Ok((account, owed))
    });
    let (account, owed) = match confirmed {
        Ok(confirmed) => confirmed,
        Err(error) => return Ok(Err(error.into())),
    };
    rows::keep_account(store, &account, Owed(owed))?;
    Ok(Ok(account))
}

/// A center or store that is away ends the round; any other refusal is this one budget's.
fn log(done: Result<(), Refusal>, of: &str, id: &dyn std::fmt::Display) -> Result<(), Refusal> {
    match done {
        Err(refusal)
            if matches!(
                refusal.code,
                ErrorCode::CenterUnreachable
                    | ErrorCode::StoreUnavailable
                    | ErrorCode::Busy
                    | ErrorCode::RateLimited
            ) =>
        {
            Err(refusal)
        }
        Err(refusal) => {
            tracing::warn!(of, %id, code = refusal.code.as_str(), reason = refusal.message, "not settled");
            Ok(())
        }
        Ok(()) => Ok(()),
    }
}
