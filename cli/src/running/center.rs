//! The center in this process: keys, books, committer, and the shop that it welcomes.

use std::fs::File;
use std::net::TcpListener;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::sync::Arc;

use actix_web::rt;
use actix_web::web::{self, Data};
use tuppence_protocol::scrip::center::Center as Rules;
use tuppence_protocol::{Amount, HashAlgorithm, KeyRing, Text, VendorId};
use tuppence_server::center::keys::{KeyFile, random_secret};
use tuppence_server::center::{CenterRules, Command, LiveCenter, Reply, VendorState};
use tuppence_server::clock::SystemClock;
use tuppence_server::http::center::{self, CenterApi};
use tuppence_server::http::peer::TrustedProxies;
use tuppence_server::http::site::Site;
use tuppence_server::http::stopping::Stopping;
use tuppence_server::store::committer::{Committer, Limits};
use tuppence_server::store::records::Direction;
use tuppence_server::store::sqlite::SqliteStore;
use tuppence_server::storefront::credentials::Credentials;

use super::{reached_at, rotation};
use crate::data::{DataFolder, OperatorAccess};
use crate::failure::Failure;
use crate::output;
use crate::settings::{Origin, Settings};

/// Units of play money that the shop of `serve` begins with.
const OPENING_UNITS: u64 = 100;

/// Under which reference the books have it.
const OPENING_REFERENCE: &str = "opening balance of play money";

/// Registrations a minute from one network, unless set otherwise.
const REGISTRATIONS_PER_MINUTE: NonZeroU32 = NonZeroU32::MIN.saturating_add(59);

/// A center that runs.
pub struct Center {
    api: Data<CenterApi>,
    committer: Committer<CenterRules>,
    /// Where this machine reaches it.
    pub reached_at: String,
    operator: PathBuf,
    _lock: File,
}

impl Center {
    /// Opens keys and books, making them at the first start.
    ///
    /// # Errors
    /// If they cannot be opened.
    pub fn open(
        settings: &Settings,
        data: &DataFolder,
        listener: &TcpListener,
        stopping: Stopping,
    ) -> Result<Self, Failure> {
        let lock = data.lock("center")?;
        let origin = settings.center_origin()?;
        let policy = settings.policy()?;
        let seen = rotation::stamp(&data.keys());
        let passphrase = settings.passphrase()?;
        let keys = Arc::new(open_keys(settings, data)?);
        let store = SqliteStore::open(&data.center_database(), policy.currency).map_err(Failure::new)?;
        let algorithm = settings.hash_algorithm.unwrap_or(HashAlgorithm::HmacSha256);
        let sha256_allowed = settings.sha256_allowed.unwrap_or(false);
        let rules = LiveCenter::from(Rules { keys: keys.center_keys(algorithm, sha256_allowed), policy });
        let clock = Arc::new(SystemClock);
        let committer = Committer::start(
            Box::new(store),
            CenterRules::new(rules.clone()),
            clock.clone(),
            Limits::default(),
        )
        .map_err(Failure::new)?;
        let http = center::Settings {
            origin: origin.text.parse().map_err(|error| Failure::new(format!("center-origin: {error}")))?,
            wallet_site: settings.wallet_site.clone().unwrap_or_else(|| PathBuf::from("web/dist")),
            registrations_per_minute: settings.registrations_per_minute.unwrap_or(REGISTRATIONS_PER_MINUTE),
            // One processor stays free of RSA: payments need it (T14).
            decryptions_max: std::thread::available_parallelism()
                .map_or(1, |all| all.get().saturating_sub(1))
                .max(1),
            trusted_proxies: TrustedProxies(settings.trusted_proxies.clone().unwrap_or_default()),
        };
        let reached_at = reached_at(listener)?;
        let operator = data.operator();
        let access = OperatorAccess { center: reached_at.clone(), token: keys.operator_token().to_string() };
        access.save(&operator)?;
        let watched = rotation::Watched {
            path: data.keys(),
            passphrase,
            public_key: keys.public_key().clone(),
            center: rules.clone(),
            seen,
        };
        rt::spawn(rotation::watch(watched, stopping.clone()));
        let api = CenterApi::new(rules, keys, committer.handle(), clock, http, stopping);
        rt::spawn(center::sweep(api.clone()));
        Ok(Center { api, committer, reached_at, operator, _lock: lock })
    }

    /// Its origin.
    pub fn site(&self) -> Site {
        center::site(self.api.clone())
    }

    /// Sees to it that the shop of this machine is registered, has credentials that fit, and something to pay
    /// rewards from.
    ///
    /// # Errors
    /// If the books refuse it, or files cannot be written.
    pub async fn welcome_shop(&self, settings: &Settings, data: &DataFolder) -> Result<(), Failure> {
        let origin = settings.storefront_origin()?;
        let path = settings.credentials.clone().unwrap_or_else(|| data.credentials());
        let unusable =
            |error| Failure::new(format!("The credentials {} cannot be used: {error}", path.display()));
        let vendor = if path.exists() {
            let credentials = Credentials::load(&path).map_err(unusable)?;
            self.register(&credentials, &origin).await?
        } else {
            let id = vendor_id(&settings.shop_name()?, &origin)?;
            let credentials = self.credentials(id, &origin).await?;
            credentials.save(&path).map_err(unusable)?;
            self.register(&credentials, &origin).await?
        };
        if vendor.origin.as_str() != origin.text {
            tracing::warn!(registered = %vendor.origin, served = origin.text,
                "the shop is registered at another address: wallets look for it there");
        }
        self.open_balance(vendor, settings).await
    }

    /// New credentials, which the center knows when they are written.
    async fn credentials(&self, id: VendorId, origin: &Origin) -> Result<Credentials, Failure> {
        let secret = random_secret().map_err(Failure::new)?;
        let known = self.committer.handle().directory().vendor_by_id(&id).map(|vendor| vendor.number);
        let command = match known {
            // The file is gone, and with it the shop's secret: it gets a new one.
            Some(vendor) => Command::AddVendorSecret { vendor, secret: secret.clone() },
            None => Command::AddVendor { id: id.clone(), origin: text(origin)?, secret: secret.clone() },
        };
        let vendor = self.vendor(command).await?;
        Ok(Credentials { vendor_id: id, secrets: KeyRing::new(vendor.secret_id, secret) })
    }

    /// The shop of these credentials, as the center knows it.
    async fn register(&self, credentials: &Credentials, origin: &Origin) -> Result<VendorState, Failure> {
        let (_, secret) = credentials
            .secrets
            .current()
            .ok_or_else(|| Failure::new("The shop's credentials have no secret"))?;
        let id = credentials.vendor_id.clone();
        self.vendor(Command::AddVendor { id, origin: text(origin)?, secret: secret.clone() }).await
    }

    /// Play money for the first campaigns, into books in which nothing was ever moved.
    async fn open_balance(&self, vendor: VendorState, settings: &Settings) -> Result<(), Failure> {
        let refused = |error: &dyn std::fmt::Display| Failure::new(format!("The opening balance: {error}"));
        let counts =
            self.committer.handle().read(|store| store.counts()).await.map_err(|error| refused(&error))?;
        if counts.transfers > 0 {
            return Ok(());
        }
        let micros = OPENING_UNITS.saturating_mul(tuppence_protocol::amount::MICROS_PER_UNIT);
        let amount = Amount::new(settings.currency(), micros).map_err(|error| refused(&error))?;
        let reference = OPENING_REFERENCE.parse().map_err(|error| refused(&error))?;
        let direction = Direction::Deposit;
        let command = Command::Book { reference, vendor: vendor.number, direction, amount };
        self.committer.handle().submit(command).await.map_err(|error| refused(&error))?;
        output::line(format!(
            "The shop \"{}\" begins with {amount} of play money: it is not real, and pays the first rewards.",
            vendor.id.server_name
        ));
        Ok(())
    }

    async fn vendor(&self, command: Command) -> Result<VendorState, Failure> {
        match self.committer.handle().submit(command).await {
            Ok(Reply::Vendor(vendor)) => Ok(vendor),
            Ok(_) => Err(Failure::new("The center answered something else")),
            Err(error) => Err(Failure::new(format!("The shop cannot be registered: {error}"))),
        }
    }

    /// Answers what waits, and closes the books.
    ///
    /// # Errors
    /// If the committer has failed.
    pub async fn stop(self) -> Result<(), Failure> {
        let Center { api, committer, operator, _lock, .. } = self;
        drop(api);
        // What was not written is no use to the operator's tools any more.
        let _ = std::fs::remove_file(operator);
        let stopped = web::block(move || committer.stop().map(drop)).await;
        let failed =
            || Failure::new("The center did not stop cleanly").hint("Check the books: tuppence audit.");
        stopped.map_err(|_| failed())?.map_err(|_| failed())
    }
}

/// The keys, made at the first start.
fn open_keys(settings: &Settings, data: &DataFolder) -> Result<KeyFile, Failure> {
    let path = data.keys();
    if path.exists() {
        return KeyFile::load_with(&path, settings.passphrase()?.as_ref()).map_err(|error| {
            Failure::new(error).hint("Name the file with its passphrase by --passphrase-file.")
        });
    }
    if data.center_database().exists() {
        return Err(Failure::new(format!("The books are here, but their keys {} are not", path.display()))
            .hint("Put the key file back: without it nobody can prove what e-cash is worth."));
    }
    make_keys(settings, data)
}

/// Makes the keys of a new center.
///
/// # Errors
/// If there are some already, or they cannot be written.
pub fn make_keys(settings: &Settings, data: &DataFolder) -> Result<KeyFile, Failure> {
    let path = data.keys();
    if path.exists() {
        return Err(Failure::new(format!("There are keys already: {}", path.display()))
            .hint("`tuppence keys rotate` adds new secrets beside the old ones."));
    }
    output::line("Making the center's keys, which takes some seconds.");
    let name = settings.center_name.as_deref().unwrap_or("Tuppence");
    let passphrase = settings.passphrase()?;
    let keys = KeyFile::generate(vendor_id(name, &settings.center_origin()?)?).map_err(Failure::new)?;
    let keys = keys.sealed_under(passphrase);
    keys.create(&path).map_err(Failure::new)?;
    Ok(keys)
}

/// Who somebody is whose trade name is `name`.
///
/// # Errors
/// If the name or the host's name does not fit.
pub fn vendor_id(name: &str, origin: &Origin) -> Result<VendorId, Failure> {
    let wrong = |error: &dyn std::fmt::Display| {
        Failure::new(format!("The name {name:?} at {}: {error}", origin.text))
    };
    Ok(VendorId {
        dns_name: origin.host.parse().map_err(|error: &str| wrong(&error))?,
        ip_addr: None,
        server_name: Text::normalized(name).map_err(|error| wrong(&error))?,
        port: origin.port,
    })
}

fn text(origin: &Origin) -> Result<Text<300>, Failure> {
    origin.text.parse().map_err(|error| Failure::new(format!("The origin {}: {error}", origin.text)))
}
