//! `tuppence vendors`: the shops of a running center.

use std::path::Path;
use std::process::ExitCode;

use tuppence_protocol::{KeyRing, Text};
use tuppence_server::center::keys::random_secret;
use tuppence_server::http::center::{self as api, MovementView, NewVendor, VendorView};
use tuppence_server::store::records::Direction;
use tuppence_server::storefront::credentials::Credentials;

use super::operator::Operator;
use crate::arguments::{MoveMoney, Vendors};
use crate::failure::Failure;
use crate::output;
use crate::running;
use crate::settings::{Origin, Place};

/// Lists or adds shops, and books their money.
pub fn run(vendors: Vendors, place: &Place) -> Result<ExitCode, Failure> {
    let operator = Operator::of(place)?;
    match vendors {
        Vendors::List { format } => {
            let listed: api::Vendors = operator.get("/operator/vendors")?;
            if format.json { output::json(&listed)? } else { table(listed.vendors) }
        }
        Vendors::Add { name, origin, out } => add(&operator, &name, &origin, &out)?,
        Vendors::Deposit(money) => move_money(&operator, "/operator/vendors/deposit", &money)?,
        Vendors::Withdraw(money) => move_money(&operator, "/operator/vendors/withdraw", &money)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn table(vendors: Vec<VendorView>) {
    if vendors.is_empty() {
        output::line("No shops work with this center yet; `tuppence vendors add` adds one.");
        return;
    }
    let heading = ["Number", "Shop", "Address", "Balance"].map(str::to_owned).to_vec();
    let rows = vendors.into_iter().map(|vendor| {
        let name = vendor.vendor_id.server_name.to_string();
        vec![vendor.number.to_string(), name, vendor.origin.to_string(), vendor.balance.to_string()]
    });
    output::table(&std::iter::once(heading).chain(rows).collect::<Vec<_>>());
}

fn add(operator: &Operator, name: &str, origin: &str, out: &Path) -> Result<(), Failure> {
    if out.exists() {
        return Err(Failure::new(format!("There is a file {} already", out.display()))
            .hint("Choose another one with --out: credentials are never overwritten."));
    }
    let origin = Origin::parse("origin", origin)?;
    let vendor_id = running::vendor_id(name, &origin)?;
    let known: api::Vendors = operator.get("/operator/vendors")?;
    if let Some(vendor) = known.vendors.iter().find(|vendor| vendor.vendor_id == vendor_id) {
        return Err(Failure::new(format!("This shop has joined already, as number {}", vendor.number))
            .hint("Its credentials were written when it joined."));
    }
    let secret = random_secret().map_err(Failure::new)?;
    // Written first: a center that knows a secret that nobody has would be of no use.
    let credentials = Credentials { vendor_id: vendor_id.clone(), secrets: KeyRing::new(1, secret.clone()) };
    let unwritable = |error| Failure::new(format!("{} cannot be written: {error}", out.display()));
    credentials.save(out).map_err(unwritable)?;
    let text: Text<300> =
        origin.text.parse().map_err(|error| Failure::new(format!("The origin: {error}")))?;
    let joined: VendorView =
        match operator.post("/operator/vendors", &NewVendor { vendor_id, origin: text, secret }) {
            Ok(joined) => joined,
            Err(failure) => {
                let _ = std::fs::remove_file(out);
                return Err(failure);
            }
        };
    output::line(format!("{} joined as number {}.", joined.vendor_id.server_name, joined.number));
    output::line(format!(
        "Its credentials are in {}: hand them over as the secret that they are.",
        out.display()
    ));
    Ok(())
}

fn move_money(operator: &Operator, path: &str, money: &MoveMoney) -> Result<(), Failure> {
    let amount = money.amount.amount("The amount", operator.center()?.currency)?;
    let reference =
        money.reference.parse().map_err(|error| Failure::new(format!("The reference: {error}")))?;
    let booked: MovementView =
        operator.post(path, &api::MoveMoney { number: money.number, amount, reference })?;
    if money.format.json {
        return output::json(&booked);
    }
    let MovementView { reference, number, amount, direction, .. } = booked;
    output::line(match direction {
        Direction::Deposit => format!("{amount} of shop {number} came in: {reference}."),
        Direction::Withdrawal => format!("{amount} of shop {number} went out: {reference}."),
    });
    Ok(())
}
