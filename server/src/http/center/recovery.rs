//! C1, H1, N1 over HTTP: a wallet comes back from its words, and stays in step with its other devices.

use std::num::NonZeroU32;

use actix_web::cookie::time::Duration;
use actix_web::cookie::{Cookie, SameSite};
use actix_web::http::header::CACHE_CONTROL;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, Responder};
use serde::{Deserialize, Serialize};
use tuppence_protocol::recovery::claim::ClaimRequest;
use tuppence_protocol::recovery::notes::NotesRequest;
use tuppence_protocol::recovery::statement::{STEPS_MAX, StatementRequest};
use tuppence_protocol::{ErrorCode, Refusal};

use super::register::decrypt;
use super::{CenterApi, fresh, random, unexpected};
use crate::center::{Command, Reply};
use crate::http::error::ApiError;
use crate::http::message::Message;
use crate::http::peer::Prefix;

/// Statements of one purse: a wallet asks for one when it is opened, and for each page of a long history.
pub(super) const STATEMENTS_PER_MINUTE: NonZeroU32 = NonZeroU32::MIN.saturating_add(239);
/// Notes of one purse, kept or fetched.
pub(super) const NOTES_PER_MINUTE: NonZeroU32 = NonZeroU32::MIN.saturating_add(29);

/// The cookie that says that this browser had a wallet.
const MARK: &str = "tuppence-wallet";
/// As long as browsers keep a cookie at most.
const MARK_DAYS: i64 = 400;

/// C1 -> C2: limits and proof of work stand before the costly decryption, as at registration (T14).
pub(super) async fn claim(
    request: HttpRequest,
    api: Data<CenterApi>,
    Message(message): Message<ClaimRequest>,
) -> Result<impl Responder, ApiError> {
    api.claims.check(Prefix::of(&request, &api.settings.trusted_proxies))?;
    api.center.current().check_claim(&message, api.now())?;
    api.submit(Command::AdmitRecovery(Box::new(message.clone()))).await?;
    let session_key = decrypt(&api, &message.key_envelope).await?;
    let command = Command::Recover { request: Box::new(message), session_key, nonce: random()? };
    match api.submit(command).await? {
        Reply::Recovered(reply) => Ok(fresh(reply)),
        _ => Err(unexpected()),
    }
}

/// N1 -> N2.
pub(super) async fn notes(
    api: Data<CenterApi>,
    Message(message): Message<NotesRequest>,
) -> Result<impl Responder, ApiError> {
    let (scrip, hash) = (&message.scrip, &message.hash);
    // Whoever is no buyer uses up nobody's share.
    api.center.current().keys.authenticate(scrip, hash, |secret| message.seal(secret))?;
    api.notes.check(scrip.scrip.custom_id.serial_number)?;
    match api.submit(Command::Notes(Box::new(message))).await? {
        Reply::Notes(reply) => Ok(fresh(reply)),
        _ => Err(unexpected()),
    }
}

/// H1 -> H2: read between two batches, since it changes nothing.
pub(super) async fn statement(
    api: Data<CenterApi>,
    Message(message): Message<StatementRequest>,
) -> Result<impl Responder, ApiError> {
    let center = api.center.current();
    center.check_statement(&message)?;
    let customer = message.scrip.scrip.custom_id.serial_number;
    api.statements.check(customer)?;
    let from = message.from;
    let read = api.committer.read(move |store| {
        // One more than is told, to know whether there are more.
        let statement = store.statement(customer, from, STEPS_MAX + 1)?;
        Ok(statement.map(|statement| (statement, store.directory())))
    });
    let found = read.await.map_err(Refusal::from)?;
    let unknown = || ApiError::new(ErrorCode::PurseUnknown, "The center has no such purse.");
    let (statement, directory) = found.ok_or_else(unknown)?;
    let directory = directory.map_err(ApiError::fault)?;
    let more = statement.steps.len() > STEPS_MAX;
    let rows = statement.rows(&center, &directory, STEPS_MAX)?;
    Ok(fresh(center.statement(&message, &statement.purse, &rows, more, api.now())?))
}

/// Whether there is a wallet in this browser.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Mark {
    present: bool,
}

/// Sets or removes the cookie that says that this browser had a wallet. It says no more than that, so nobody is
/// known by it; set by a reply rather than by a script, it outlives the records that a browser clears away.
pub(super) async fn mark(api: Data<CenterApi>, Message(mark): Message<Mark>) -> HttpResponse {
    let days = if mark.present { MARK_DAYS } else { 0 };
    let cookie = Cookie::build(MARK, "1")
        .path("/")
        .same_site(SameSite::Strict)
        .secure(api.settings.origin.as_str().starts_with("https://"))
        .max_age(Duration::days(days))
        .finish();
    HttpResponse::Ok().cookie(cookie).insert_header((CACHE_CONTROL, "no-store")).json(mark)
}
