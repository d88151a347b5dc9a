//! Calls to the center and to shops: JSON over the transport, and what a failure means.

use futures_util::future::LocalBoxFuture;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tuppence_protocol::{Duration, ErrorBody, ErrorCode};

use crate::error::{Problem, WalletError};
use crate::json;
use crate::origin::Origin;
use crate::ports::{NetworkError, Ports, Request, Response};

/// How long a request may take. With the pauses and [`Peer::tries_for`], a call ends before another tab loses
/// its patience with this one.
const TIMEOUT: Duration = Duration::from_secs(10);
/// How long an M3 or S3 may take: shops hold it for 30 seconds.
const HELD_TIMEOUT: Duration = Duration::from_secs(40);
/// The pauses before a request is sent again.
const PAUSES: [Duration; 3] =
    [Duration::from_millis(400), Duration::from_millis(1_200), Duration::from_millis(3_600)];

/// Whom a request goes to.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Peer<'a> {
    Center(&'a Origin),
    Shop(&'a Origin),
}

impl Peer<'_> {
    fn origin(&self) -> &Origin {
        match self {
            Peer::Center(origin) | Peer::Shop(origin) => origin,
        }
    }

    /// How long a message without an answer is sent again. A shop that is away must not hold up the purse.
    const fn tries_for(&self) -> Duration {
        match self {
            Peer::Center(_) => Duration::from_secs(15),
            Peer::Shop(_) => Duration::from_secs(8),
        }
    }
}

/// Why a call has no result.
#[derive(Debug, Clone)]
pub(crate) enum CallError {
    /// The peer refuses, and has changed nothing.
    Refused(Box<ErrorBody>),
    /// No word, or none to rely on: the peer may have acted or not. The same can be sent again.
    Unclear(WalletError),
}

impl CallError {
    /// The refusal's code.
    pub(crate) fn code(&self) -> Option<ErrorCode> {
        match self {
            CallError::Refused(body) => Some(body.code),
            CallError::Unclear(_) => None,
        }
    }
}

impl From<CallError> for WalletError {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Refused(body) => WalletError::from(*body),
            CallError::Unclear(error) => error,
        }
    }
}

/// GET, once.
pub(crate) async fn get<R: DeserializeOwned>(
    ports: &Ports,
    peer: Peer<'_>,
    path: &str,
) -> Result<R, CallError> {
    let request = request(peer, path, None, TIMEOUT);
    let mut reply = None;
    decode(peer, &send(ports, peer, request).await?, &mut reader(&mut reply))?;
    reply.ok_or_else(nothing_read)
}

/// GET of any address of a shop, once, whatever the reply's status.
pub(crate) async fn look(ports: &Ports, shop: &Origin, path: String) -> Result<Response, WalletError> {
    let request = Request { origin: shop.to_string(), path, body: None, timeout: TIMEOUT };
    Ok(send(ports, Peer::Shop(shop), request).await?)
}

/// POST, again after a pause while there is no word to rely on: every message of the protocol can be repeated.
pub(crate) async fn post<R: DeserializeOwned>(
    ports: &Ports,
    peer: Peer<'_>,
    path: &str,
    message: &impl Serialize,
) -> Result<R, CallError> {
    let mut reply = None;
    post_bytes(ports, peer, path, encode(message)?, &mut reader(&mut reply)).await?;
    reply.ok_or_else(nothing_read)
}

/// POST of an M3 or S3, once, which the seller holds until the center confirms. Nothing while unconfirmed.
pub(crate) async fn post_held<R: DeserializeOwned>(
    ports: &Ports,
    shop: &Origin,
    path: &str,
    message: &impl Serialize,
) -> Result<Option<R>, CallError> {
    let peer = Peer::Shop(shop);
    let request = request(peer, path, Some(encode(message)?), HELD_TIMEOUT);
    let response = send(ports, peer, request).await?;
    if response.status == 202 {
        return Ok(None);
    }
    let mut reply = None;
    decode(peer, &response, &mut reader(&mut reply))?;
    reply.map(Some).ok_or_else(nothing_read)
}

/// Takes a reply's body. Behind a reference, so that the rest of a call is compiled once for all replies.
type Read<'a> = dyn FnMut(&[u8]) -> Result<(), json::Error> + 'a;

fn reader<R: DeserializeOwned>(reply: &mut Option<R>) -> impl FnMut(&[u8]) -> Result<(), json::Error> {
    move |body| {
        *reply = Some(json::read(body)?);
        Ok(())
    }
}

fn nothing_read() -> CallError {
    CallError::Unclear(Problem::ReplyInvalid.into())
}

fn post_bytes<'a>(
    ports: &'a Ports,
    peer: Peer<'a>,
    path: &'a str,
    body: Vec<u8>,
    read: &'a mut Read<'_>,
) -> LocalBoxFuture<'a, Result<(), CallError>> {
    Box::pin(async move {
        let mut pauses = PAUSES.iter();
        let began = ports.clock.now();
        loop {
            let request = request(peer, path, Some(body.clone()), TIMEOUT);
            let result = match send(ports, peer, request).await {
                Ok(response) => decode(peer, &response, read),
                Err(error) => Err(error),
            };
            let in_time = ports.clock.now().since(began) < peer.tries_for();
            match (result, pauses.next()) {
                (Err(CallError::Unclear(_)), Some(pause)) if in_time => ports.clock.sleep(*pause).await,
                (result, _) => return result,
            }
        }
    })
}

fn request(peer: Peer<'_>, path: &str, body: Option<Vec<u8>>, timeout: Duration) -> Request {
    Request { origin: peer.origin().to_string(), path: format!("/api/v1{path}"), body, timeout }
}

fn encode(message: &impl Serialize) -> Result<Vec<u8>, CallError> {
    json::write(message).map_err(|error| unwritable(&error))
}

#[inline(never)]
fn unwritable(error: &json::Error) -> CallError {
    CallError::Unclear(WalletError::from(Problem::RecordDamaged).because(format!("{error}.")))
}

fn send<'a>(
    ports: &'a Ports,
    peer: Peer<'a>,
    request: Request,
) -> LocalBoxFuture<'a, Result<Response, CallError>> {
    let problem = move |error| match (error, peer) {
        (NetworkError::Offline, _) => Problem::Offline,
        (NetworkError::TooLarge, _) => Problem::ReplyInvalid,
        (NetworkError::Unreachable | NetworkError::Timeout, Peer::Center(_)) => Problem::CenterUnreachable,
        (NetworkError::Unreachable | NetworkError::Timeout, Peer::Shop(_)) => Problem::ShopUnreachable,
    };
    Box::pin(async move {
        ports.transport.send(request).await.map_err(|error| CallError::Unclear(problem(error).into()))
    })
}

fn decode(peer: Peer<'_>, response: &Response, read: &mut Read<'_>) -> Result<(), CallError> {
    if response.status == 200 {
        return read(&response.body).map_err(|error| {
            let error = WalletError::from(Problem::ReplyInvalid).because(format!("{error}."));
            CallError::Unclear(error)
        });
    }
    match json::read::<ErrorBody>(&response.body) {
        Ok(body) if is_passing(body.code) => Err(CallError::Unclear(body.into())),
        Ok(body) => Err(CallError::Refused(Box::new(body))),
        // A proxy's page, or a server that is no center or shop.
        Err(_) => {
            let problem = match peer {
                Peer::Center(_) => Problem::CenterUnreachable,
                Peer::Shop(_) => Problem::ShopUnreachable,
            };
            let error = WalletError::from(problem).because(format!("It answered {}.", response.status));
            Err(CallError::Unclear(error))
        }
    }
}

/// Whether the code speaks of the server's state, rather than of the message.
fn is_passing(code: ErrorCode) -> bool {
    matches!(
        code,
        ErrorCode::RateLimited
            | ErrorCode::CenterUnreachable
            | ErrorCode::StoreUnavailable
            | ErrorCode::Busy
            | ErrorCode::Fault
    )
}
