//! The center's process: requests become commands, the real engine applies them batch by batch over the disk, and
//! replies leave after the commit. What its HTTP handlers do besides is here too, as thin as there.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tuppence_protocol::recovery::statement::{STEPS_MAX, StatementRequest};
use tuppence_protocol::scrip::Scrip;
use tuppence_protocol::scrip::center::{Center, StepKey, refused_issue, refused_payment};
use tuppence_protocol::scrip::finish::{Finish, FinishReply, ISSUE_FINISH, PAYMENT_FINISH};
use tuppence_protocol::scrip::info::{CenterInfo, Shop, Shops};
use tuppence_protocol::scrip::registration::RegistrationRequest;
use tuppence_protocol::scrip::relay::Outcome;
use tuppence_protocol::{
    ErrorBody, ErrorCode, PROTOCOL_VERSION, PublicKeys, Refusal, Secret, Timestamp, TranId,
};
use tuppence_server::center::{CenterRules, Command, Reply as Said};
use tuppence_server::clock::Clock;
use tuppence_server::store::committer::CommitError;
use tuppence_server::store::committer::engine::Engine;
use tuppence_server::store::records::Epoch;
use tuppence_server::store::{Changes, Store, StoreError};

use crate::chance::{Chance, Generator};
use crate::disk::{Disk, Plan};
use crate::fixture;
use crate::kernel::{Reply, Time};

/// The longest that a relayed message is held, in milliseconds.
pub const HELD_MAX: u64 = 25_000;

impl Clock for Time {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.shown())
    }
}

/// Where a command came from, and where its reply goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A request.
    Flight {
        /// Which one.
        flight: u64,
        /// Its path.
        path: String,
        /// Its body.
        body: Vec<u8>,
        /// Whether it was held and is answered now, whatever the answer.
        last: bool,
    },
    /// A refused message's scrip, which the books may have lost; the refusal leaves after it.
    Claim {
        /// Which request was refused.
        flight: u64,
        /// The refusal.
        reply: Reply,
    },
    /// The operator, or the center's own housekeeping.
    Operator,
}

/// A command that was done, and what came of it.
#[derive(Debug)]
pub struct Done {
    /// The command.
    pub command: Command,
    /// Its origin.
    pub origin: Origin,
    /// What the rules say.
    pub result: Result<Said, CommitError>,
    /// What is sent, if somebody waits for it.
    pub reply: Option<(u64, Reply)>,
}

/// What a batch has led to.
#[derive(Debug, Default)]
pub struct Batch {
    /// What was done; empty where the store did not take it.
    pub done: Vec<Done>,
    /// What was written.
    pub changes: Option<Changes>,
    /// Replies that say nothing of any command's effect: refused before, or the store was away.
    pub others: Vec<(u64, Reply)>,
    /// Whether the process has died over it.
    pub died: bool,
    /// Whether the store refused it.
    pub refused: bool,
}

struct Held {
    key: StepKey,
    origin: Origin,
    command: Command,
    until: u64,
}

/// The center.
pub struct CenterProcess {
    /// Its rules.
    pub center: Center,
    /// Its clock.
    pub time: Time,
    /// Its disk.
    pub disk: Disk,
    engine: Option<Engine<CenterRules>>,
    inbox: Vec<(Origin, Command)>,
    held: Vec<Held>,
    chance: Chance,
}

impl CenterProcess {
    /// A center with an empty disk, running.
    pub fn new(time: Time, chance: Chance) -> Self {
        let center = fixture::center();
        let disk = Disk::default();
        let mut process =
            CenterProcess { center, time, disk, engine: None, inbox: Vec::new(), held: Vec::new(), chance };
        process.start();
        process
    }

    /// Whether it runs.
    pub fn is_up(&self) -> bool {
        self.engine.is_some()
    }

    /// Starts it on what its disk has; tells the epoch that begins if that is an older copy.
    pub fn start(&mut self) -> Option<Epoch> {
        let began = self.disk.meet_witness(self.time.now());
        let rules = CenterRules::new(self.center.clone());
        self.engine = Some(Engine::new(self.disk.store(), rules, Arc::new(self.time.clone())));
        began
    }

    /// Kills it: whatever was not committed is gone.
    pub fn crash(&mut self) {
        self.engine = None;
        self.inbox.clear();
        self.held.clear();
        self.disk.plan(Plan::Keep);
    }

    /// How many commands wait.
    pub fn waiting(&self) -> usize {
        self.inbox.len()
    }

    /// A command of the operator's.
    pub fn operate(&mut self, command: Command) {
        self.inbox.push((Origin::Operator, command));
    }

    /// Steps that have waited too long, as the sweeper looks for them.
    pub fn overdue(&mut self) -> Vec<StepKey> {
        let pending = self.center.policy.pending.as_millis();
        let before = Timestamp::from_millis(self.time.shown().saturating_sub(pending));
        self.disk.look(|store| store.pending_steps(before, 1_000)).unwrap_or_default()
    }

    /// Random bytes of its own.
    pub(crate) fn random<const N: usize>(&mut self) -> [u8; N] {
        self.chance.bytes()
    }

    /// Takes a request; a reply, if it needs no command.
    pub fn take(&mut self, flight: u64, path: &str, body: Option<Vec<u8>>) -> Option<Reply> {
        let Some(body) = body else { return Some(self.show(path)) };
        if path == "statement" {
            return Some(self.statement(&body).unwrap_or_else(|refusal| refused(&refusal, None)));
        }
        match self.command(path, &body) {
            Ok(Ok(command)) => {
                let origin = Origin::Flight { flight, path: path.to_owned(), body, last: false };
                self.inbox.push((origin, command));
                None
            }
            Ok(Err(reply)) => Some(reply),
            Err(refusal) => Some(refused(&refusal, None)),
        }
    }

    fn show(&mut self, path: &str) -> Reply {
        let now = self.time.now();
        match path {
            "center" => json(&self.info(now)),
            "shops" => {
                let directory = self.disk.look(|store| store.directory());
                let shops = directory.map(|directory| {
                    let shop = |vendor: &tuppence_server::store::records::Vendor| Shop {
                        vendor_id: vendor.id.clone(),
                        origin: vendor.origin.clone(),
                    };
                    directory.vendors().map(shop).collect()
                });
                json(&Shops { shops: shops.unwrap_or_default() })
            }
            "payword/keys" => json(&PublicKeys::of(&self.center.keys.signing_secrets)),
            "registration/challenge" => json(&self.center.challenge(self.chance.bytes(), now)),
            _ => refused(&Refusal::new(ErrorCode::NotFound, "There is nothing at this address."), None),
        }
    }

    /// H1 -> H2: read between two batches, since it changes nothing.
    fn statement(&mut self, body: &[u8]) -> Result<Reply, Refusal> {
        let message: StatementRequest = decode(body)?;
        self.center.check_statement(&message)?;
        let customer = message.scrip.scrip.custom_id.serial_number;
        let read = self.disk.look(|store| {
            let statement = store.statement(customer, message.from, STEPS_MAX + 1)?;
            Ok((statement, store.directory()?))
        });
        let read = read.map_err(|_: StoreError| Refusal::from(CommitError::StoreUnavailable))?;
        let unknown = || Refusal::new(ErrorCode::PurseUnknown, "The center has no such purse.");
        let (statement, directory) = (read.0.ok_or_else(unknown)?, read.1);
        let more = statement.steps.len() > STEPS_MAX;
        let rows = statement.rows(&self.center, &directory, STEPS_MAX)?;
        let reply = self.center.statement(&message, &statement.purse, &rows, more, self.time.now())?;
        Ok(json(&reply))
    }

    fn info(&self, now: Timestamp) -> CenterInfo {
        let (policy, public_key) = (&self.center.policy, fixture::key().1.clone());
        CenterInfo {
            center_id: self.center.keys.center_id.clone(),
            origin: fixture::CENTER.parse().expect("the fixture's origin is text"),
            currency: policy.currency,
            fingerprint: public_key.fingerprint(),
            public_key,
            hash_algorithm: self.center.keys.algorithm,
            fee_basis_points: policy.fee_basis_points,
            payout_threshold: policy.payout_threshold,
            payout_fee: policy.payout_fee,
            balance_max: policy.balance_max,
            pending_minutes: u32::try_from(policy.pending.as_millis() / 60_000).unwrap_or(u32::MAX),
            server_date: now,
            protocol_version: PROTOCOL_VERSION,
        }
    }

    /// The command of a request, or the reply to one that needs none.
    fn command(&mut self, path: &str, body: &[u8]) -> Result<Result<Command, Reply>, Refusal> {
        if let Some(command) = self.of_budgets(path, body)? {
            return Ok(command);
        }
        Ok(Ok(match path {
            "registration" => {
                let request: RegistrationRequest = decode(body)?;
                self.center.check_work(&request)?;
                let opened = session_key(&request, &mut self.chance);
                if opened.is_err() {
                    // A solution is good for one decryption, whatever comes of it.
                    let challenge = &request.etc.solution.challenge;
                    self.operate(Command::UseUp { salt: challenge.salt, ends: challenge.expires });
                }
                let session_key = opened?;
                Command::Register { request: Box::new(request), session_key, nonce: self.chance.bytes() }
            }
            "earner" => Command::Attest(decode(body)?),
            "recovery/notes" => Command::Notes(decode(body)?),
            "issue" => Command::Issue(decode(body)?),
            "payment" => Command::Payment(decode(body)?),
            "issue/finish" => Command::Finish(finish(body, &ISSUE_FINISH)?),
            "payment/finish" => Command::Finish(finish(body, &PAYMENT_FINISH)?),
            "cash-out" => {
                let now = self.time.now();
                let tran_id = TranId::new(now, self.chance.bytes());
                return Ok(Err(json(&self.center.cash_out_offer(&decode(body)?, tran_id, now)?)));
            }
            "cash-out/state" => Command::CashOutState(decode(body)?),
            "relay" => Command::Relay(decode(body)?),
            "campaigns" => Command::FundCampaign(decode(body)?),
            _ => return Err(Refusal::new(ErrorCode::NotFound, "There is nothing at this address.")),
        }))
    }

    /// Those whose patience with a held message has ended are answered with the next batch.
    pub fn release(&mut self, now: u64) {
        let (over, held) = self.held.drain(..).partition(|held: &Held| held.until <= now);
        self.held = held;
        self.ask_last(over);
    }

    fn ask_last(&mut self, held: Vec<Held>) {
        for Held { mut origin, command, .. } in held {
            if let Origin::Flight { last, .. } = &mut origin {
                *last = true;
            }
            self.inbox.push((origin, command));
        }
    }

    /// Does everything that waits, as one batch.
    pub fn serve(&mut self, world_now: u64) -> Batch {
        let (origins, commands): (Vec<_>, Vec<_>) = self.inbox.drain(..).unzip();
        let Some(engine) = &mut self.engine else { return Batch::default() };
        let plan = self.disk.planned();
        let served = engine.serve(commands.clone());
        // A batch that writes nothing does not meet the disk.
        let met = plan != Plan::Keep && self.disk.planned() == Plan::Keep;
        let mut batch = Batch { changes: self.disk.written(), ..Batch::default() };
        let served = match served {
            Ok(served) => served,
            Err(error) => {
                batch.died = met && plan == Plan::DieBefore;
                batch.refused = !batch.died;
                let refusal = match error {
                    StoreError::Unavailable(_) => CommitError::StoreUnavailable.into(),
                    // The memory store refuses what no correct rules would write.
                    StoreError::Integrity(why) => Refusal::new(ErrorCode::Fault, why),
                };
                batch.others = origins
                    .into_iter()
                    .filter_map(|origin| match origin {
                        Origin::Flight { flight, .. } => Some((flight, refused(&refusal, None))),
                        // The wallet's answer is its refusal, whatever becomes of the claim.
                        Origin::Claim { flight, reply } => Some((flight, reply)),
                        Origin::Operator => None,
                    })
                    .collect();
                return batch;
            }
        };
        batch.died = met && plan == Plan::DieAfter;
        let now = self.time.now();
        for ((origin, command), result) in origins.into_iter().zip(commands).zip(served.results) {
            let held = self.held_for(&origin, &command, &result);
            if let Some(key) = held {
                let until = world_now + HELD_MAX;
                self.held.push(Held { key, origin: origin.clone(), command: command.clone(), until });
            }
            let mut reply = match &origin {
                Origin::Flight { flight, .. } if held.is_none() => {
                    Some((*flight, reply(&command, &result, now)))
                }
                Origin::Claim { flight, reply } => Some((*flight, reply.clone())),
                Origin::Flight { .. } | Origin::Operator => None,
            };
            if let Some(scrip) = disputed(&command, &result)
                && let Some((flight, reply)) = reply.take()
            {
                self.inbox.push((Origin::Claim { flight, reply }, Command::Claim(Box::new(scrip.clone()))));
            }
            batch.done.push(Done { command, origin, result, reply });
        }
        let ended: Vec<StepKey> = served.ended.into_iter().map(|(key, _)| key).collect();
        let (over, held) = self.held.drain(..).partition(|held: &Held| ended.contains(&held.key));
        self.held = held;
        self.ask_last(over);
        batch
    }

    /// The step whose end an open relay waits for.
    fn held_for(
        &self,
        origin: &Origin,
        command: &Command,
        result: &Result<Said, CommitError>,
    ) -> Option<StepKey> {
        let (Command::Relay(message), Ok(Said::Relayed(reply))) = (command, result) else { return None };
        let open = matches!(reply.outcome, Outcome::Open);
        let first = matches!(origin, Origin::Flight { last: false, .. });
        let directory = self.disk.look(|store| store.directory()).ok()?;
        let vendor = directory.vendor_by_id(&message.vendor_id)?.number;
        (open && first).then_some(StepKey { vendor, tran_id: message.tran_id })
    }
}

/// Scrip that was refused although certificate and seal hold: the books may have lost it.
fn disputed<'a>(command: &'a Command, result: &Result<Said, CommitError>) -> Option<&'a Scrip> {
    let Err(CommitError::Refused(refusal)) = result else { return None };
    let lost = matches!(refusal.code, ErrorCode::ScripStale | ErrorCode::PurseUnknown);
    match command {
        Command::Issue(message) => Some(&message.scrip),
        Command::Payment(start) | Command::Reserve { start, .. } | Command::BuyScrip { start, .. } => {
            Some(&start.scrip)
        }
        Command::Finish(message) => Some(&message.new_scrip),
        _ => None,
    }
    .filter(|_| lost)
}

fn finish(body: &[u8], codes: &[tuppence_protocol::scrip::Code]) -> Result<Box<Finish>, Refusal> {
    let message: Finish = decode(body)?;
    message.header.expect(codes)?;
    Ok(Box::new(message))
}

/// KS of an R1. The same envelope has the same content, in every run: it is opened once.
fn session_key(request: &RegistrationRequest, chance: &mut Chance) -> Result<Secret, Refusal> {
    thread_local! {
        static OPENED: RefCell<BTreeMap<Vec<u8>, Option<Secret>>> = const { RefCell::new(BTreeMap::new()) };
    }
    let envelope = request.key_envelope.as_slice().to_vec();
    let mut generator = Generator(chance.branch());
    let opened = OPENED.with_borrow_mut(|opened| {
        let open = || fixture::key().0.decrypt(&request.key_envelope, &mut generator).ok();
        opened.entry(envelope).or_insert_with(open).clone()
    });
    opened.ok_or_else(|| Refusal::new(ErrorCode::Envelope, "The envelope cannot be opened."))
}

/// A message, or why it is none.
pub fn decode<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    serde_json::from_slice(body).map_err(|error| Refusal::new(ErrorCode::Malformed, error.to_string()))
}

/// A reply of 200.
pub fn json(value: &impl Serialize) -> Reply {
    Reply { status: 200, body: serde_json::to_vec(value).expect("messages become JSON") }
}

/// A refusal as it is sent.
pub fn refused(refusal: &Refusal, reply: Option<Box<tuppence_protocol::scrip::Refused>>) -> Reply {
    let body = ErrorBody { reply, ..ErrorBody::from(refusal) };
    Reply { status: refusal.code.status(), body: serde_json::to_vec(&body).expect("refusals become JSON") }
}

fn reply(command: &Command, result: &Result<Said, CommitError>, now: Timestamp) -> Reply {
    match result {
        Ok(said) => match said {
            Said::Registered(reply) => json(reply),
            Said::Attested(reply) => json(reply),
            Said::Ecash(reply) => json(reply),
            Said::Balance(reply) => json(reply),
            Said::Finished(reply) => {
                let reply: &FinishReply = reply;
                json(reply)
            }
            Said::Relayed(reply) => json(reply),
            Said::Campaign(reply) => json(reply),
            Said::CashOut(reply) => json(reply),
            Said::Notes(reply) => json(reply),
            Said::Recovered(reply) => json(reply),
            Said::Countersigned(reply) => json(reply),
            Said::Deposited(reply) => json(reply),
            Said::Quoted(reply) => json(reply),
            Said::Purchased(reply) => json(reply),
            Said::Settled(reply) => json(reply),
            Said::Licensed(number) => json(&serde_json::json!({ "number": number })),
            // The operator's alone.
            Said::Payout(_)
            | Said::Vendor(_)
            | Said::Booked(_)
            | Said::Vendors(_)
            | Said::Swept(_)
            | Said::Released(_)
            | Said::Admitted
            | Said::UsedUp
            | Said::Claimed => json(&()),
        },
        Err(error) => {
            let refusal = Refusal::from(error.clone());
            let words = match command {
                Command::Issue(message) => Some(Box::new(refused_issue(message, &refusal, now))),
                Command::Payment(start)
                | Command::Reserve { start, .. }
                | Command::BuyScrip { start, .. } => Some(Box::new(refused_payment(start, &refusal, now))),
                _ => None,
            };
            refused(&refusal, words)
        }
    }
}
