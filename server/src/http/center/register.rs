//! R1 -> R2 over HTTP: limits and proof of work stand before the costly decryption (T14).

use actix_web::web::Data;
use actix_web::{HttpRequest, Responder, rt, web};
use tuppence_protocol::envelope::KeyEnvelope;
use tuppence_protocol::scrip::registration::{RegistrationReply, RegistrationRequest};
use tuppence_protocol::{ErrorCode, Secret};

use super::{CenterApi, fresh, random, unexpected};
use crate::center::{Command, Reply};
use crate::http::error::ApiError;
use crate::http::message::Message;
use crate::http::peer::Prefix;

/// A challenge to be solved; sealed, and stored nowhere.
pub(super) async fn challenge(api: Data<CenterApi>) -> Result<impl Responder, ApiError> {
    Ok(fresh(api.center.current().challenge(random()?, api.now())))
}

/// R1 -> R2. What is cheap to check is checked first, what needs the records next, RSA last; the same R1 meanwhile
/// or again gets the same reply without it.
pub(super) async fn register(
    request: HttpRequest,
    api: Data<CenterApi>,
    Message(message): Message<RegistrationRequest>,
) -> Result<impl Responder, ApiError> {
    api.desk.limit.check(Prefix::of(&request, &api.settings.trusted_proxies))?;
    api.center.current().check_work(&message)?;
    let answer = api.desk.answer(message.digest());
    // On a task of its own: whoever asks and leaves does not undo what was paid for, and has it done once.
    let served = rt::spawn(async move { answer.get_or_try_init(|| serve(&api, message)).await.cloned() });
    Ok(fresh(served.await.map_err(ApiError::fault)??))
}

async fn serve(api: &CenterApi, message: RegistrationRequest) -> Result<RegistrationReply, ApiError> {
    api.submit(Command::Admit(Box::new(message.clone()))).await?;
    let session_key = match decrypt(api, &message.key_envelope).await {
        Err(error) if error.code() == ErrorCode::Envelope => {
            let challenge = &message.etc.solution.challenge;
            api.submit(Command::UseUp { salt: challenge.salt, ends: challenge.expires }).await?;
            return Err(error);
        }
        opened => opened?,
    };
    let command = Command::Register { request: Box::new(message), session_key, nonce: random()? };
    match api.submit(command).await? {
        Reply::Registered(reply) => Ok(reply),
        _ => Err(unexpected()),
    }
}

/// KS, on a thread of its own, a few at a time.
pub(super) async fn decrypt(api: &CenterApi, envelope: &KeyEnvelope) -> Result<Secret, ApiError> {
    let turn = api.desk.turn().await?;
    let (keys, envelope) = (api.keys.clone(), envelope.clone());
    let opened = web::block(move || {
        let opened = keys.session_key(&envelope);
        drop(turn);
        opened
    });
    Ok(opened.await.map_err(ApiError::fault)??)
}
