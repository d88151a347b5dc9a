//! `tuppence keys`: the center's keys on disk.

use std::process::ExitCode;

use serde_json::json;
use tuppence_protocol::HashAlgorithm;
use tuppence_server::center::keys::{KeyError, KeyFile, Passphrase};

use crate::arguments::{Keys, Ring, Sealing};
use crate::data::DataFolder;
use crate::failure::Failure;
use crate::output;
use crate::running;
use crate::settings::{Place, Settings};

/// Shows, makes or rotates keys.
pub fn run(keys: Keys, place: &Place) -> Result<ExitCode, Failure> {
    let data = DataFolder::new(&place.data);
    match keys {
        Keys::Show { sealing, format } => show(&load(&data, sealing, place)?, &data, format.json)?,
        Keys::Generate(settings) => {
            let settings = settings.complete(place)?;
            data.create()?;
            let keys = running::make_keys(&settings, &data)?;
            output::line(format!("Fingerprint  {}", keys.public_key().fingerprint()));
            output::line(format!("Kept in      {}", data.keys().display()));
        }
        Keys::Rotate { ring, sealing } => rotate(&data, ring, sealing, place)?,
        Keys::Seal { new_passphrase_file, sealing } => {
            let passphrase = Passphrase::read(&new_passphrase_file).map_err(Failure::new)?;
            let _lock = KeyFile::lock(&data.keys()).map_err(Failure::new)?;
            let keys = load(&data, sealing, place)?.sealed_under(Some(passphrase));
            keys.replace(&data.keys()).map_err(Failure::new)?;
            output::line(format!(
                "Sealed. Name {} with --passphrase-file from now on, and keep copies of it: without it the keys are lost.",
                new_passphrase_file.display()
            ));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn load(data: &DataFolder, sealing: Sealing, place: &Place) -> Result<KeyFile, Failure> {
    let given = Settings { passphrase_file: sealing.passphrase_file, ..Settings::default() };
    let passphrase = given.complete(place)?.passphrase()?;
    KeyFile::load_with(&data.keys(), passphrase.as_ref()).map_err(|error| {
        let hint = match error {
            KeyError::PassphraseMissing { .. } | KeyError::PassphraseWrong => {
                "Name the file with its passphrase by --passphrase-file."
            }
            _ => "Name the center's data folder with --data.",
        };
        Failure::new(error).hint(hint)
    })
}

fn show(keys: &KeyFile, data: &DataFolder, as_json: bool) -> Result<(), Failure> {
    let rings = keys.center_keys(HashAlgorithm::HmacSha256, false);
    let fingerprint = keys.public_key().fingerprint().to_string();
    let center = keys.center_id();
    let named = [
        ("scrip", &rings.scrip_secrets),
        ("customer", &rings.customer_secrets),
        ("vendor", &rings.vendor_secrets),
    ];
    if as_json {
        let secrets: serde_json::Map<_, _> = named
            .iter()
            .map(|(name, ring)| ((*name).to_owned(), ring.ids().collect::<Vec<_>>().into()))
            .collect();
        return output::json(&json!({"fingerprint": fingerprint, "center": center, "secrets": secrets}));
    }
    output::line(format!("Center       {} at {}:{}", center.server_name, center.dns_name, center.port));
    output::line(format!("Fingerprint  {fingerprint}"));
    for (name, ring) in named {
        let ids: Vec<String> = ring.ids().map(|id| id.to_string()).collect();
        output::line(format!("{:<11}  secrets {}", format!("{name} ring"), ids.join(", ")));
    }
    output::line(format!("Kept in      {}", data.keys().display()));
    Ok(())
}

fn rotate(data: &DataFolder, ring: Ring, sealing: Sealing, place: &Place) -> Result<(), Failure> {
    // Two rotations at once would give one number to two secrets.
    let _lock = KeyFile::lock(&data.keys()).map_err(Failure::new)?;
    let mut keys = load(data, sealing, place)?;
    let (name, id) = match ring {
        Ring::Scrip => ("scrip", keys.rotate_scrip()),
        Ring::Customer => ("customer", keys.rotate_customer()),
        Ring::Vendor => ("vendor", keys.rotate_vendor()),
    };
    let id = id.map_err(Failure::new)?;
    keys.replace(&data.keys()).map_err(Failure::new)?;
    output::line(format!(
        "The {name} ring has the new secret {id}. A center that runs uses it within seconds."
    ));
    Ok(())
}
