//! What the center's HTTP handlers do for budgets (spec/02, spec/03), as thin as there.

use serde::Deserialize;
use tuppence_protocol::payword::{AuthorityId, AuthorityOrder, Broker, CertificateRequest};
use tuppence_protocol::scrip::center::Seller;
use tuppence_protocol::scrip::payment::PaymentStart;
use tuppence_protocol::scrip::receipt::Receipt;
use tuppence_protocol::vendor_scrip::{Order, OrderId};
use tuppence_protocol::{ErrorCode, Refusal, TranId};
use tuppence_server::center::Command;
use tuppence_server::clock::Clock;
use tuppence_server::store::committer::CommitError;
use tuppence_server::store::{Store, StoreError};

use crate::center::{CenterProcess, decode, json};
use crate::kernel::Reply;

/// The most budgets that are looked up at once.
const DUE_MAX: usize = 1_000;

/// S4 with what it pays for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Start<T> {
    payment: PaymentStart,
    order: T,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct AskCountersigned {
    authority_id: AuthorityId,
    receipt: Receipt,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct AskPurchased {
    order_id: OrderId,
    receipt: Receipt,
}

impl CenterProcess {
    /// The command of a request about budgets, or the reply to one that needs none; absent where it is about others.
    ///
    /// # Errors
    /// Why it is refused.
    pub(crate) fn of_budgets(
        &mut self,
        path: &str,
        body: &[u8],
    ) -> Result<Option<Result<Command, Reply>>, Refusal> {
        Ok(Some(Ok(match path {
            "payword/certificate" => {
                let message: CertificateRequest = decode(body)?;
                let certificate = Broker { center: &self.center }.certify(&message, self.time.now())?;
                return Ok(Some(Err(json(&certificate))));
            }
            "payword/authority" => return Ok(Some(Err(self.authority(&decode(body)?)?))),
            "payword/reserve" => {
                let Start { payment, order } = decode::<Start<AuthorityOrder>>(body)?;
                Command::Reserve { start: Box::new(payment), order: Box::new(order) }
            }
            "payword/countersigned" => {
                let AskCountersigned { authority_id, receipt } = decode(body)?;
                Command::Countersigned { id: authority_id, receipt: Box::new(receipt) }
            }
            "payword/deposit" => Command::Deposit(decode(body)?),
            "vendor-scrip/licence" => Command::License(decode(body)?),
            "vendor-scrip/order" => {
                let tran_id = TranId::new(self.time.now(), self.random());
                Command::QuoteScrip { order: Box::new(decode(body)?), tran_id }
            }
            "vendor-scrip/buy" => {
                let Start { payment, order } = decode::<Start<Order>>(body)?;
                Command::BuyScrip { start: Box::new(payment), order: Box::new(order) }
            }
            "vendor-scrip/purchased" => {
                let AskPurchased { order_id, receipt } = decode(body)?;
                Command::Purchased { id: order_id, receipt: Box::new(receipt) }
            }
            "vendor-scrip/settlement" => Command::Settle(decode(body)?),
            _ => return Ok(None),
        })))
    }

    /// S2 for an authority.
    fn authority(&mut self, order: &AuthorityOrder) -> Result<Reply, Refusal> {
        let directory = self.disk.look(|store| store.directory());
        let directory = directory.map_err(|_: StoreError| Refusal::from(CommitError::StoreUnavailable))?;
        let unknown = || Refusal::new(ErrorCode::VendorUnknown, "There is no such shop.");
        let vendor = directory.vendor_by_id(&order.authority.vendor_id).ok_or_else(unknown)?;
        let shop = Seller { number: vendor.number, id: &vendor.id, secrets: &vendor.secrets };
        let tran_id = TranId::new(self.time.now(), self.random());
        Ok(json(&Broker { center: &self.center }.quote(order, shop, tran_id, self.time.now())?))
    }

    /// The commands that return what is left of budgets whose time is over, as the sweeper looks for them.
    pub fn due(&mut self) -> Vec<Command> {
        let now = self.time.now();
        let due = self.disk.look(|store| {
            Ok::<_, StoreError>((store.due_reservations(now, DUE_MAX)?, store.due_sales(now, DUE_MAX)?))
        });
        let (budgets, sales) = due.unwrap_or_default();
        let mut commands = Vec::new();
        if !budgets.is_empty() {
            commands.push(Command::Release(budgets));
        }
        if !sales.is_empty() {
            commands.push(Command::CloseSales(sales));
        }
        commands
    }
}
