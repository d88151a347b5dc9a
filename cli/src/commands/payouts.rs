//! `tuppence payouts`: who waits for real money, and what became of it.

use std::process::ExitCode;

use tuppence_protocol::ids::Serial;
use tuppence_protocol::scrip::cash_out::CashOutStage;
use tuppence_server::http::center::{ConfirmPayout, PayoutView, Payouts as Listed, ReturnPayout};

use super::operator::Operator;
use crate::arguments::{Format, Payouts};
use crate::failure::Failure;
use crate::output;
use crate::settings::Place;

/// Lists, confirms or returns.
pub fn run(payouts: Payouts, place: &Place) -> Result<ExitCode, Failure> {
    let operator = Operator::of(place)?;
    match payouts {
        Payouts::List { all, format } => list(&operator, all, format)?,
        Payouts::Confirm { number, reference, format } => {
            let reference =
                reference.parse().map_err(|error| Failure::new(format!("The reference: {error}")))?;
            let view: PayoutView = operator
                .post("/operator/payouts/confirm", &ConfirmPayout { number: order(number)?, reference })?;
            tell(&view, format)?;
        }
        Payouts::Return { number, reason, format } => {
            let reason = reason.parse().map_err(|error| Failure::new(format!("The reason: {error}")))?;
            let view: PayoutView = operator
                .post("/operator/payouts/return", &ReturnPayout { number: order(number)?, reason })?;
            tell(&view, format)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn order(number: u64) -> Result<Serial, Failure> {
    Serial::try_from(number).map_err(|error| Failure::new(format!("The order's number {number}: {error}")))
}

fn list(operator: &Operator, all: bool, format: Format) -> Result<(), Failure> {
    let mut payouts: Vec<PayoutView> = Vec::new();
    loop {
        let after = payouts.last().map_or(0, |payout| payout.number);
        let page: Listed = operator.get(&format!("/operator/payouts?all={all}&after={after}"))?;
        if page.payouts.is_empty() {
            break;
        }
        payouts.extend(page.payouts);
    }
    if format.json {
        return output::json(&Listed { payouts });
    }
    if payouts.is_empty() {
        output::line(if all { "There are no cash-outs." } else { "Nobody waits for a cash-out." });
        return Ok(());
    }
    let heading = ["Number", "State", "Amount", "Fee", "Destination", "Note"].map(str::to_owned).to_vec();
    let rows = payouts.into_iter().map(|payout| {
        vec![
            payout.number.to_string(),
            stage(payout.state).to_owned(),
            payout.amount.to_string(),
            payout.fee.to_string(),
            payout.destination,
            payout.note.map(String::from).unwrap_or_default(),
        ]
    });
    output::table(&std::iter::once(heading).chain(rows).collect::<Vec<_>>());
    Ok(())
}

fn tell(payout: &PayoutView, format: Format) -> Result<(), Failure> {
    if format.json {
        return output::json(payout);
    }
    let PayoutView { number, amount, .. } = payout;
    output::line(match payout.state {
        CashOutStage::Ordered => format!("Cash-out {number} of {amount} waits."),
        CashOutStage::Confirmed => format!("Cash-out {number} of {amount} is paid."),
        CashOutStage::Returned => {
            format!("Cash-out {number} is back in its wallet, {amount} and the fee of {}.", payout.fee)
        }
    });
    Ok(())
}

fn stage(stage: CashOutStage) -> &'static str {
    match stage {
        CashOutStage::Ordered => "waits",
        CashOutStage::Confirmed => "paid",
        CashOutStage::Returned => "returned",
    }
}
