//! The running program: center, storefront or both, from the first check to the last reply.

mod center;
mod rotation;
mod storefront;

use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::process::ExitCode;

use actix_web::dev::ServerHandle;
use actix_web::rt::{self, System};
use tuppence_server::http::site::{Limits, Site};
use tuppence_server::http::stopping::Stopping;

use crate::data::DataFolder;
use crate::failure::Failure;
use crate::logging;
use crate::output;
use crate::settings::{Place, Settings};
use center::Center;
pub use center::{make_keys, vendor_id};
use storefront::Shop;

/// What is logged unless set otherwise; actix's own lines about its workers say nothing that ours do not.
const LOG: &str = "info,actix_server=warn";

/// What this process runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Everything on one machine.
    Both,
    /// The center alone.
    Center,
    /// A storefront alone.
    Storefront,
}

/// Runs until a signal ends it.
///
/// # Errors
/// If something cannot be opened, or an origin ends by itself.
pub fn run(role: Role, settings: Settings, place: &Place) -> Result<ExitCode, Failure> {
    let settings = settings.complete(place)?;
    logging::start(settings.log.as_deref().unwrap_or(LOG), settings.log_format.unwrap_or_default())?;
    let data = DataFolder::new(&place.data);
    data.create()?;
    System::new().block_on(serve(role, &settings, &data))
}

async fn serve(role: Role, settings: &Settings, data: &DataFolder) -> Result<ExitCode, Failure> {
    // Ports first: a taken one is found before keys are made and books are opened.
    let center_port = (role != Role::Storefront).then(|| listen(settings, Origin::Center)).transpose()?;
    let storefront_port = (role != Role::Center).then(|| listen(settings, Origin::Storefront)).transpose()?;
    #[cfg(unix)]
    let _file_limit = file_limit_is_an_error();
    let (stop, stopping) = Stopping::new();
    let mut servers = Servers::default();

    let center = match center_port {
        Some(listener) => {
            let center = Center::open(settings, data, &listener, stopping.clone())?;
            if role == Role::Both {
                center.welcome_shop(settings, data).await?;
            }
            servers.start(center.site(), listener, settings)?;
            Some(center)
        }
        None => None,
    };
    let shop = match storefront_port {
        Some(listener) => {
            let shop = Shop::open(settings, data, center.as_ref())?;
            servers.start(shop.site(stopping.clone()), listener, settings)?;
            Some(shop)
        }
        None => None,
    };
    tell_addresses(role, settings)?;

    let signalled = signal().await;
    output::line("Stopping: what runs is finished first.");
    stop.now();
    servers.stop().await;
    drop(shop);
    if let Some(center) = center {
        center.stop().await?;
    }
    signalled?;
    output::line("Stopped.");
    Ok(ExitCode::SUCCESS)
}

/// A file at its size limit (SIGXFSZ) fails to be written, as on a full disk, and does not end the program (T23).
#[cfg(unix)]
fn file_limit_is_an_error() -> Option<tokio::signal::unix::Signal> {
    let kind = tokio::signal::unix::SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw());
    tokio::signal::unix::signal(kind).ok()
}

/// Which of the two origins.
#[derive(Debug, Clone, Copy)]
enum Origin {
    Center,
    Storefront,
}

fn listen(settings: &Settings, origin: Origin) -> Result<TcpListener, Failure> {
    let (port, flag, holder) = match origin {
        Origin::Center => (settings.center_port(), "--center-port", "center"),
        Origin::Storefront => (settings.storefront_port(), "--storefront-port", "storefront"),
    };
    let address = SocketAddr::from((settings.listen(), port));
    TcpListener::bind(address).map_err(|error| match error.kind() {
        ErrorKind::AddrInUse => {
            Failure::new(format!("Port {port}, for the {holder}, is taken by another program")).hint(format!(
                "End that one, or choose another port: {flag} {}.",
                port.checked_add(100).unwrap_or(8_180)
            ))
        }
        ErrorKind::PermissionDenied => {
            Failure::new(format!("Port {port}, for the {holder}, may not be used"))
                .hint(format!("Ports below 1024 need a privilege. Choose another one with {flag}."))
        }
        _ => Failure::new(format!("The {holder} cannot listen at {address}: {error}"))
            .hint(format!("Choose another address with --listen, or another port with {flag}.")),
    })
}

/// The address by which this machine reaches a listener.
fn reached_at(listener: &TcpListener) -> Result<String, Failure> {
    let mut address = listener.local_addr().map_err(Failure::new)?;
    if address.ip().is_unspecified() {
        address.set_ip(match address.ip() {
            IpAddr::V4(_) => IpAddr::V4(std::net::Ipv4Addr::LOCALHOST),
            IpAddr::V6(_) => IpAddr::V6(std::net::Ipv6Addr::LOCALHOST),
        });
    }
    Ok(format!("http://{address}"))
}

fn tell_addresses(role: Role, settings: &Settings) -> Result<(), Failure> {
    output::line("");
    if role != Role::Storefront {
        output::line(format!("  Wallet      {}", settings.center_origin()?.text));
    }
    if role != Role::Center {
        output::line(format!("  Storefront  {}", settings.storefront_origin()?.text));
    }
    output::line("");
    output::line("  Ctrl-C stops.");
    output::line("");
    Ok(())
}

/// The origins that are being served.
#[derive(Default)]
struct Servers(Vec<(ServerHandle, rt::task::JoinHandle<std::io::Result<()>>)>);

impl Servers {
    fn start(&mut self, site: Site, listener: TcpListener, settings: &Settings) -> Result<(), Failure> {
        let mut limits = Limits::default();
        if let Some(workers) = settings.workers {
            limits.workers = usize::try_from(workers.get()).unwrap_or(limits.workers);
        }
        let failed = |error| Failure::new(format!("The server cannot be started: {error}"));
        let server = site.serve(listener, limits).map_err(failed)?;
        self.0.push((server.handle(), rt::spawn(server)));
        Ok(())
    }

    /// Takes no more connections, and waits for what runs.
    async fn stop(self) {
        let mut stopping = Vec::new();
        for (handle, task) in self.0 {
            stopping.push(rt::spawn(async move {
                handle.stop(true).await;
                let _ = task.await;
            }));
        }
        for task in stopping {
            let _ = task.await;
        }
    }
}

/// Waits for Ctrl-C or SIGTERM; a second one ends the program at once.
async fn signal() -> Result<(), Failure> {
    let failed = |error| Failure::new(format!("Signals cannot be heard: {error}"));
    let mut signals = Signals::new().map_err(failed)?;
    signals.next().await;
    rt::spawn(async move {
        signals.next().await;
        eprintln!("Ended at once.");
        std::process::exit(130);
    });
    Ok(())
}

#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Signals {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Signals)
    }

    async fn next(&mut self) {
        // An error means that there are no such signals here; then the program ends as its console does.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
