//! `cargo xtask run`: from a fresh clone to a wallet in the browser.

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{self, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::console::Step;
use crate::{build, prerequisites, process, site, workspace};

/// How often the program is looked after: is it up, has it ended, has somebody pressed Ctrl-C.
const LOOK: Duration = Duration::from_millis(100);

/// The longest that the program may take to answer, in units of [`LOOK`].
const LOOKS_MAX: u32 = 600;

/// Build everything and start it: the center with the wallet, and a storefront with sample articles.
///
/// Installs the tools that are missing (once, some minutes), builds the wallet's site and the program, and
/// starts both origins on an embedded database. Ctrl-C stops them cleanly. The next start takes seconds.
#[derive(clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Arguments {
    /// Where the money lives: database, keys and settings [default: data/ in the repository]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Port of the center and the wallet
    #[arg(long, value_name = "PORT", default_value_t = 8080)]
    center_port: u16,
    /// Port of the storefront
    #[arg(long, value_name = "PORT", default_value_t = 8081)]
    storefront_port: u16,
    /// Build the program optimised: slower to build, faster to run
    #[arg(long)]
    release: bool,
}

/// Runs until the program ends or somebody ends it.
pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    let ports = [arguments.center_port, arguments.storefront_port];
    check_ports(ports)?;
    prerequisites::check()?;
    site::ensure()?;
    build::program(arguments.release)?;
    // The build may have taken minutes.
    check_ports(ports)?;

    let interrupts = interrupts()?;
    let mut child = start(arguments)?;
    let outcome = serve(&mut child, ports, &interrupts);
    if outcome.is_err() {
        let _ = child.kill();
        let _ = child.wait();
    }
    outcome
}

fn start(arguments: &Arguments) -> Result<Child> {
    let profile = if arguments.release { "release" } else { "debug" };
    // The program starts in the root, the argument was written where the command was.
    let data = match &arguments.data {
        Some(folder) => path::absolute(folder).context("finding the data folder")?,
        None => workspace::root().join("data"),
    };
    let mut command = process::program(workspace::binary(profile, "tuppence"));
    command.arg("serve").arg("--data").arg(data).arg("--wallet-site").arg(workspace::site());
    command.args(["--center-port", &arguments.center_port.to_string()]);
    command.args(["--storefront-port", &arguments.storefront_port.to_string()]);
    command.stdin(Stdio::null());
    own_group(&mut command);
    command.spawn().context("starting tuppence")
}

fn serve(child: &mut Child, ports: [u16; 2], interrupts: &Receiver<()>) -> Result<ExitCode> {
    let mut step = Step::start("starting");
    let mut looks = 0;
    while !ports.into_iter().all(is_healthy) {
        step.beat("waiting for both origins to answer");
        if let Some(status) = child.try_wait()? {
            step.failed("");
            bail!("tuppence ended before it answered ({status}); the reason stands above.");
        }
        looks += 1;
        if looks > LOOKS_MAX {
            step.failed("");
            bail!("tuppence runs, but /health on the ports {ports:?} hasn't answered for a minute.");
        }
        if interrupted(interrupts) {
            return stop(child, interrupts);
        }
    }
    // The program has told its addresses itself.
    step.done("");
    loop {
        if let Some(status) = child.try_wait()? {
            bail!("tuppence ended by itself ({status}).");
        }
        if interrupted(interrupts) {
            return stop(child, interrupts);
        }
    }
}

/// Asks the program to end, and insists when asked a second time.
fn stop(child: &mut Child, interrupts: &Receiver<()>) -> Result<ExitCode> {
    let mut step = Step::start("stopping");
    terminate(child)?;
    loop {
        if let Some(status) = child.try_wait()? {
            if !status.success() {
                step.failed("");
                bail!("tuppence didn't end cleanly ({status}).");
            }
            step.done("stopped cleanly");
            return Ok(ExitCode::SUCCESS);
        }
        step.beat("Ctrl-C once more ends it at once");
        if interrupted(interrupts) {
            child.kill()?;
        }
    }
}

fn check_ports([center, storefront]: [u16; 2]) -> Result<()> {
    if center == storefront {
        bail!(
            "Center and storefront need two ports, as they are two origins. Choose with --center-port and --storefront-port."
        );
    }
    for (port, flag, holder) in
        [(center, "--center-port", "center"), (storefront, "--storefront-port", "storefront")]
    {
        match TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::AddrInUse => bail!(
                "Port {port}, for the {holder}, is taken by another program. End that one, or choose another \
                 port: `cargo xtask run {flag} {}`.",
                port.checked_add(100).unwrap_or(8_180)
            ),
            Err(error) => {
                bail!("Port {port}, for the {holder}, can't be opened: {error}. Choose another with {flag}.")
            }
        }
    }
    Ok(())
}

/// Whether `/health` on this port says 200.
fn is_healthy(port: u16) -> bool {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let ask = || -> std::io::Result<bool> {
        let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(1))?;
        stream.set_read_timeout(Some(Duration::from_secs(2)))?;
        stream.write_all(
            format!("GET /health HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\n\r\n").as_bytes(),
        )?;
        let mut status = [0; 12];
        stream.read_exact(&mut status)?;
        Ok(&status == b"HTTP/1.1 200")
    };
    ask().unwrap_or(false)
}

/// A message for every Ctrl-C, SIGTERM and SIGHUP from now on.
fn interrupts() -> Result<Receiver<()>> {
    let (sender, receiver) = mpsc::channel();
    ctrlc::set_handler(move || {
        let _ = sender.send(());
    })
    .context("listening for Ctrl-C")?;
    Ok(receiver)
}

fn interrupted(interrupts: &Receiver<()>) -> bool {
    !matches!(interrupts.recv_timeout(LOOK), Err(RecvTimeoutError::Timeout))
}

/// A group of its own: the terminal's Ctrl-C reaches us alone, and we pass on exactly one signal.
#[cfg(unix)]
fn own_group(command: &mut Command) {
    use std::os::unix::process::CommandExt;
    command.process_group(0);
}

#[cfg(not(unix))]
fn own_group(_: &mut Command) {}

#[cfg(unix)]
fn terminate(child: &mut Child) -> Result<()> {
    use nix::sys::signal::{Signal, kill};
    use nix::unistd::Pid;
    kill(Pid::from_raw(i32::try_from(child.id())?), Signal::SIGTERM).context("stopping tuppence")
}

/// Elsewhere the console has already sent Ctrl-C to the program too.
#[cfg(not(unix))]
fn terminate(_: &mut Child) -> Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_port_is_named_with_the_flag_that_changes_it() {
        let holder = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let taken = holder.local_addr().unwrap().port();
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        let refusal = check_ports([free, taken]).unwrap_err().to_string();
        assert!(refusal.contains(&taken.to_string()) && refusal.contains("--storefront-port"), "{refusal}");
    }

    #[test]
    fn one_port_for_two_origins_is_refused() {
        assert!(check_ports([8080, 8080]).unwrap_err().to_string().contains("two ports"));
    }

    #[test]
    fn only_a_200_is_healthy() {
        for (answer, healthy) in [("HTTP/1.1 200 OK\r\n\r\n", true), ("HTTP/1.1 503 No\r\n\r\n", false)] {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
            let port = listener.local_addr().unwrap().port();
            let server = std::thread::spawn(move || {
                let (mut stream, _) = listener.accept().unwrap();
                let mut request = [0; 256];
                let _ = stream.read(&mut request).unwrap();
                stream.write_all(answer.as_bytes()).unwrap();
            });
            assert_eq!(is_healthy(port), healthy, "{answer}");
            server.join().unwrap();
        }
    }
}
