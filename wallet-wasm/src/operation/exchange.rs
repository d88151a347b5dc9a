//! What was exchanged: each message as it went, for the reader who opens "Details".

use serde::Serialize;
use tuppence_protocol::Timestamp;
use tuppence_protocol::scrip::Code;

use crate::client::CallError;
use crate::json;
use crate::view::{ExchangeStep, Party};

/// The most steps that are kept of one operation.
const STEPS_MAX: usize = 60;

/// Adds a message to the exchange.
pub(crate) fn note(
    exchange: &mut Vec<ExchangeStep>,
    code: Code,
    from: Party,
    to: Party,
    at: Timestamp,
    message: &impl Serialize,
) {
    push(exchange, name(code), code.as_str(), from, to, at, body(message));
}

/// Adds a refusal as the reply to `code`.
pub(crate) fn note_refusal(
    exchange: &mut Vec<ExchangeStep>,
    code: Code,
    from: Party,
    at: Timestamp,
    error: &CallError,
) {
    if let CallError::Refused(body) = error {
        let mut body = body.clone();
        if let Some(reply) = &mut body.reply {
            reply.document = None;
        }
        let reply_code = body.reply.as_ref().map(|reply| reply.header.cmd_type);
        let name = name(reply_code.unwrap_or(code));
        push(exchange, name, body.code.as_str(), from, Party::Buyer, at, self::body(&body));
    }
}

fn body(message: &impl Serialize) -> String {
    json::pretty(message).unwrap_or_default()
}

fn push(
    exchange: &mut Vec<ExchangeStep>,
    name: &str,
    code: &str,
    sender: Party,
    recipient: Party,
    at: Timestamp,
    body: String,
) {
    if exchange.len() >= STEPS_MAX {
        return;
    }
    exchange.push(ExchangeStep { name: name.to_owned(), code: code.to_owned(), sender, recipient, at, body });
}

/// The message's name in the patent's figures; E, C, H, N and the receipts are this product's.
fn name(code: Code) -> &'static str {
    match code {
        Code::Um1 => "R1",
        Code::Um2 => "R2",
        Code::Em1 => "E1",
        Code::Em2 => "E2",
        Code::Rm1 => "C1",
        Code::Rm2 => "C2",
        Code::Sm1 => "H1",
        Code::Sm2 => "H2",
        Code::Nm1_1 | Code::Nm1_2 => "N1",
        Code::Nm2_1 => "N2",
        Code::Gm1_1 => "M1",
        Code::Gm2_1 | Code::Gm2_2 => "M2",
        Code::Gm3_1 => "M3",
        Code::Gm4_1 | Code::Gm4_2 => "M4",
        Code::Gm5_1 | Code::Gm5_2 | Code::Gm5_3 | Code::Gm5_4 => "M5",
        Code::Gm6_1 | Code::Gm6_2 | Code::Gm6_3 => "M6",
        Code::Gm7_1 | Code::Gm7_2 => "M7",
        Code::Pm1_1 => "S1",
        Code::Pm2_1 | Code::Pm2_2 => "S2",
        Code::Pm3_1 => "S3",
        Code::Pm4_1 | Code::Pm4_2 => "S4",
        Code::Pm5_1 | Code::Pm5_2 | Code::Pm5_3 => "S5",
        Code::Pm6_1 | Code::Pm6_2 | Code::Pm6_3 => "S6",
        Code::Pm7_1 | Code::Pm7_2 => "S7",
        Code::Gm8_1 | Code::Pm8_1 => "Receipt",
    }
}
