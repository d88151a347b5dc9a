//! What the center can be asked, what each asks of the store, and what it answers.

use tuppence_protocol::ids::{IdType, VendorId};
use tuppence_protocol::payword::{AuthorityId, AuthorityOrder, Countersigned, Deposit, Paid};
use tuppence_protocol::recovery::claim::{ClaimReply, ClaimRequest};
use tuppence_protocol::recovery::notes::{NotesReply, NotesRequest};
use tuppence_protocol::scrip::campaign::{CampaignFunding, CampaignState};
use tuppence_protocol::scrip::cash_out::CashOutState;
use tuppence_protocol::scrip::center::{Center, StepKey};
use tuppence_protocol::scrip::earner::{AttestationReply, AttestationRequest};
use tuppence_protocol::scrip::finish::{Finish, FinishReply};
use tuppence_protocol::scrip::issue::{IssueEcash, IssueStart};
use tuppence_protocol::scrip::payment::{PaymentBalance, PaymentInformation, PaymentStart};
use tuppence_protocol::scrip::receipt::Receipt;
use tuppence_protocol::scrip::registration::{RegistrationReply, RegistrationRequest};
use tuppence_protocol::scrip::relay::{RelayReply, RelayRequest};
use tuppence_protocol::scrip::{Item, Scrip};
use tuppence_protocol::vendor_scrip::{Licence, Order, OrderId, Purchased, Settled, Settlement};
use tuppence_protocol::{Amount, Secret, Text, Timestamp, TranId};

use crate::store::records::{Direction, Movement, Payout, Reference};
use crate::store::{Directory, Wanted};

/// What the center can be asked. The HTTP side has decoded it, and done what is costly and needs no records.
#[derive(Debug, Clone)]
pub enum Command {
    /// R1, with its decrypted session key, and the nonce for R2 if this wallet is new.
    Register {
        /// R1.
        request: Box<RegistrationRequest>,
        /// KS, from the request's own envelope.
        session_key: Secret,
        /// 96 random bits.
        nonce: [u8; 12],
    },
    /// Whether an R1 is worth the decryption of its envelope: asked before it is decrypted (T12, T14).
    Admit(Box<RegistrationRequest>),
    /// The envelope of an R1 could not be opened: its challenge is used up all the same.
    UseUp {
        /// The challenge's salt.
        salt: [u8; 16],
        /// When the challenge ends.
        ends: Timestamp,
    },
    /// Whether a C1 is worth the decryption of its envelope; its challenge is used up by it.
    AdmitRecovery(Box<ClaimRequest>),
    /// C1, with its decrypted session key, and the nonce for C2.
    Recover {
        /// C1.
        request: Box<ClaimRequest>,
        /// KS, from the request's own envelope.
        session_key: Secret,
        /// 96 random bits.
        nonce: [u8; 12],
    },
    /// N1.
    Notes(Box<NotesRequest>),
    /// E1.
    Attest(Box<AttestationRequest>),
    /// M4.
    Issue(Box<IssueStart>),
    /// S4.
    Payment(Box<PaymentStart>),
    /// S4 for a budget, with what is to be countersigned (spec/03).
    Reserve {
        /// S4.
        start: Box<PaymentStart>,
        /// The authority and its certificate.
        order: Box<AuthorityOrder>,
    },
    /// The countersigned authority of this receipt.
    Countersigned {
        /// The authority.
        id: AuthorityId,
        /// The receipt of its payment.
        receipt: Box<Receipt>,
    },
    /// A shop deposits paywords.
    Deposit(Box<Deposit>),
    /// A shop licenses its scrip (spec/02).
    License(Box<Licence>),
    /// S2 of the center as the seller of a shop's scrip.
    QuoteScrip {
        /// What is ordered.
        order: Box<Order>,
        /// The offer's TranID.
        tran_id: TranId,
    },
    /// S4 for scrip of a shop, with its order.
    BuyScrip {
        /// S4.
        start: Box<PaymentStart>,
        /// What is bought.
        order: Box<Order>,
    },
    /// What the payment of this receipt bought.
    Purchased {
        /// The order.
        id: OrderId,
        /// The receipt of its payment.
        receipt: Box<Receipt>,
    },
    /// A shop settles what was redeemed.
    Settle(Box<Settlement>),
    /// Buys the rest of those of these sales back whose time is over.
    CloseSales(Vec<OrderId>),
    /// Returns the rest of those of these budgets whose time is over.
    Release(Vec<AuthorityId>),
    /// M6 or S6.
    Finish(Box<Finish>),
    /// M3 or S3 by way of a seller.
    Relay(Box<RelayRequest>),
    /// A seller sets a campaign's budget.
    FundCampaign(Box<CampaignFunding>),
    /// What is left of a campaign.
    CampaignState {
        /// The seller's number.
        vendor: u32,
        /// The item.
        item: Item,
    },
    /// How the cash-out of this receipt stands.
    CashOutState(Box<Receipt>),
    /// Operator: a payout was paid.
    ConfirmPayout {
        /// The order.
        number: u64,
        /// The bank's reference.
        reference: Text<200>,
    },
    /// Operator: a payout cannot be paid, and goes back to its purse, the fee included.
    ReturnPayout {
        /// The order.
        number: u64,
        /// Why, for its reader.
        reason: Text<200>,
    },
    /// Operator: a seller joins.
    AddVendor {
        /// Who it is.
        id: VendorId,
        /// Where readers find it.
        origin: Text<300>,
        /// Its first Vendor_Secret.
        secret: Secret,
    },
    /// Operator: a seller gets a further Vendor_Secret; the older ones stay good.
    AddVendorSecret {
        /// The seller's number.
        vendor: u32,
        /// The new secret.
        secret: Secret,
    },
    /// The sellers.
    Vendors,
    /// Operator: a seller paid real money in, or was paid it out.
    Book {
        /// The operator's reference: the same again moves nothing.
        reference: Reference,
        /// The seller's number.
        vendor: u32,
        /// Which way.
        direction: Direction,
        /// How much.
        amount: Amount,
    },
    /// Scrip was shown that is not the live one: perhaps the books have lost it.
    Claim(Box<Scrip>),
    /// Ends those of these steps that have waited too long, and forgets what need not be remembered.
    Sweep(Vec<StepKey>),
}

/// What the center answers.
#[derive(Debug, Clone)]
pub enum Reply {
    /// R2.
    Registered(RegistrationReply),
    /// The R1 is worth its decryption.
    Admitted,
    /// The challenge counts as used.
    UsedUp,
    /// C2.
    Recovered(ClaimReply),
    /// N2.
    Notes(NotesReply),
    /// E2.
    Attested(AttestationReply),
    /// M5.
    Ecash(IssueEcash),
    /// S5.
    Balance(PaymentBalance),
    /// The countersigned authority.
    Countersigned(Box<Countersigned>),
    /// The deposit is on the shop's account.
    Deposited(Paid),
    /// The licence of this number is known.
    Licensed(u32),
    /// S2.
    Quoted(Box<PaymentInformation>),
    /// What was bought.
    Purchased(Box<Purchased>),
    /// What was redeemed is on the shop's account.
    Settled(Settled),
    /// How many budgets or sales ended.
    Released(usize),
    /// The reply to M6 or S6.
    Finished(FinishReply),
    /// How a transaction stands.
    Relayed(RelayReply),
    /// How a campaign stands.
    Campaign(CampaignState),
    /// How a cash-out stands.
    CashOut(CashOutState),
    /// The order that was confirmed or returned.
    Payout(Payout),
    /// The seller that was added or changed.
    Vendor(VendorState),
    /// The money that came in or went out.
    Booked(Movement),
    /// All sellers, by number.
    Vendors(Vec<VendorState>),
    /// The claim was heard.
    Claimed,
    /// How many steps ended.
    Swept(usize),
}

/// A seller as the operator sees it; no secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VendorState {
    /// Its number.
    pub number: u32,
    /// Who it is.
    pub id: VendorId,
    /// Where readers find it.
    pub origin: Text<300>,
    /// The newest of the secrets that it shares with the center.
    pub secret_id: u32,
    /// What it has at the center.
    pub balance: Amount,
    /// Since when.
    pub since: Timestamp,
}

impl Command {
    /// Adds the records that this command touches.
    pub fn wanted(&self, center: &Center, directory: &Directory, wanted: &mut Wanted) {
        let mut step = |vendor: &VendorId, tran_id: TranId| {
            if let Some(vendor) = number(center, directory, vendor) {
                wanted.steps.insert(StepKey { vendor, tran_id });
            }
        };
        match self {
            Command::Issue(message) => step(&message.offer.vendor_id, message.offer.tran_id),
            Command::Payment(message) => step(&message.order.vendor_id, message.order.tran_id),
            Command::Reserve { start, order } => {
                step(&start.order.vendor_id, start.order.tran_id);
                wanted.reservations.insert(order.authority.id());
            }
            Command::Countersigned { id, .. } => {
                wanted.reservations.insert(*id);
            }
            Command::Deposit(message) => {
                wanted.reservations.insert(message.authority_id);
            }
            Command::License(message) => {
                wanted.licences.extend(number(center, directory, &message.terms.vendor_id));
            }
            Command::QuoteScrip { order, .. } => {
                wanted.licences.extend(number(center, directory, &order.vendor_id));
            }
            Command::BuyScrip { start, order } => {
                step(&start.order.vendor_id, start.order.tran_id);
                wanted.licences.extend(number(center, directory, &order.vendor_id));
                wanted.sales.insert(order.id());
            }
            Command::Purchased { id, .. } => {
                wanted.sales.insert(*id);
            }
            Command::Settle(message) => {
                let IdType { secret_id, serial_number } = message.customer_id;
                let vendor = number(center, directory, &message.vendor_id);
                wanted.purchases.extend(vendor.map(|vendor| (vendor, secret_id, serial_number)));
            }
            Command::CloseSales(ids) => wanted.sales.extend(ids),
            Command::Release(ids) => wanted.reservations.extend(ids),
            Command::Finish(message) => {
                if message.transaction.is_none() {
                    wanted.claims.insert(message.new_scrip.scrip.custom_id.serial_number);
                }
                if let Some(transaction) = &message.transaction {
                    step(&transaction.vendor_id, transaction.tran_id);
                }
            }
            Command::Relay(message) => step(&message.vendor_id, message.tran_id),
            Command::CashOutState(receipt) => step(&receipt.vendor_id, receipt.tran_id),
            Command::Sweep(steps) => wanted.steps.extend(steps),
            Command::Register { request, .. } | Command::Admit(request) => {
                wanted.registrations.insert(request.id);
                wanted.salts.insert(request.etc.solution.challenge.salt);
            }
            Command::UseUp { salt, .. } => {
                wanted.salts.insert(*salt);
            }
            Command::AdmitRecovery(request) | Command::Recover { request, .. } => {
                wanted.registrations.insert(request.id);
                wanted.salts.insert(request.solution.challenge.salt);
            }
            Command::Notes(message) => {
                wanted.notes.insert(message.scrip.scrip.custom_id.serial_number);
            }
            Command::ConfirmPayout { number, .. } | Command::ReturnPayout { number, .. } => {
                wanted.payouts.insert(*number);
            }
            Command::Book { reference, .. } => {
                wanted.movements.insert(reference.clone());
            }
            Command::Claim(scrip) => {
                wanted.claims.insert(scrip.scrip.custom_id.serial_number);
            }
            Command::Attest(_)
            | Command::FundCampaign(_)
            | Command::CampaignState { .. }
            | Command::AddVendor { .. }
            | Command::AddVendorSecret { .. }
            | Command::Vendors => {}
        }
        if let Some(scrip) = self.scrip() {
            wanted.purses.insert(scrip.scrip.custom_id.serial_number);
        }
    }

    /// The scrip that the message shows.
    fn scrip(&self) -> Option<&Scrip> {
        match self {
            Command::Attest(message) => Some(&message.scrip),
            Command::Notes(message) => Some(&message.scrip),
            Command::Issue(message) => Some(&message.scrip),
            Command::Payment(message) => Some(&message.scrip),
            Command::Reserve { start, .. } | Command::BuyScrip { start, .. } => Some(&start.scrip),
            Command::Finish(message) => Some(&message.new_scrip),
            Command::Claim(scrip) => Some(scrip),
            _ => None,
        }
    }
}

/// The seller's number, 0 for the center itself.
fn number(center: &Center, directory: &Directory, id: &VendorId) -> Option<u32> {
    if *id == center.keys.center_id {
        return Some(0);
    }
    directory.vendor_by_id(id).map(|vendor| vendor.number)
}
