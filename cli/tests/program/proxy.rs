//! A proxy before a center that stops at one request: before it is passed on, or before its answer is.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

/// Where a request is stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum At {
    /// The center has not heard it.
    Request,
    /// The center has answered, and nobody hears that.
    Answer,
    /// The center has answered, and the connection breaks instead; and from then on nobody is there.
    Break,
}

/// The path of the request that is stopped, and where; and whether it was met.
#[derive(Default)]
struct Trap {
    armed: Option<(String, At)>,
    /// The path whose requests are never passed on.
    closed: Option<String>,
    met: bool,
    /// Paths that were asked with a body, in order.
    heard: Vec<String>,
}

/// Listens on a port of its own.
pub struct Proxy {
    pub port: u16,
    backend: Arc<AtomicU16>,
    trap: Arc<(Mutex<Trap>, Condvar)>,
}

impl Proxy {
    pub fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let (backend, trap) = (Arc::new(AtomicU16::new(0)), Arc::default());
        let proxy = Proxy { port, backend: backend.clone(), trap: Arc::clone(&trap) };
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (port, trap) = (Arc::clone(&backend), Arc::clone(&trap));
                // Whoever is cut off closes its connection, and with that its thread ends.
                std::thread::spawn(move || pass(client, &port, &trap));
            }
        });
        proxy
    }

    /// Passes on to this port of the loopback from now on.
    pub fn to(&self, port: u16) {
        self.backend.store(port, Ordering::SeqCst);
    }

    /// Stops the next request for `path`.
    pub fn stop(&self, path: &str, at: At) {
        let mut trap = self.trap.0.lock().unwrap();
        (trap.armed, trap.met) = (Some((path.to_owned(), at)), false);
    }

    /// Passes on no request for `path`: its connection breaks each time.
    pub fn close(&self, path: &str) {
        self.trap.0.lock().unwrap().closed = Some(path.to_owned());
    }

    /// The paths that were posted to, in order.
    pub fn heard(&self) -> Vec<String> {
        self.trap.0.lock().unwrap().heard.clone()
    }

    /// Waits until the request has come to where it is stopped.
    pub fn wait(&self) {
        let (trap, met) = &*self.trap;
        let waited = met.wait_timeout_while(trap.lock().unwrap(), Duration::from_secs(60), |trap| !trap.met);
        assert!(!waited.unwrap().1.timed_out(), "the request never came");
    }
}

/// Whether this is where the request is stopped; only once.
fn meets(trap: &(Mutex<Trap>, Condvar), path: &str, at: At) -> bool {
    let mut state = trap.0.lock().unwrap();
    let meets = state.armed.as_ref().is_some_and(|armed| *armed == (path.to_owned(), at));
    if meets {
        (state.armed, state.met) = (None, true);
        trap.1.notify_all();
    }
    meets
}

fn pass(client: TcpStream, port: &AtomicU16, trap: &(Mutex<Trap>, Condvar)) -> Option<()> {
    let backend = TcpStream::connect((Ipv4Addr::LOCALHOST, port.load(Ordering::SeqCst))).ok()?;
    let (mut client_out, mut backend_out) = (client.try_clone().ok()?, backend.try_clone().ok()?);
    let (mut client, mut backend) = (BufReader::new(client), BufReader::new(backend));
    loop {
        let request = message(&mut client)?;
        let path = request.split(|byte| *byte == b' ').nth(1)?;
        let path = String::from_utf8_lossy(path).into_owned();
        if request.starts_with(b"POST") {
            trap.0.lock().unwrap().heard.push(path.clone());
        }
        if trap.0.lock().unwrap().closed.as_ref() == Some(&path) {
            return None;
        }
        if meets(trap, &path, At::Request) {
            return drain(&mut client);
        }
        backend_out.write_all(&request).ok()?;
        let answer = message(&mut backend)?;
        if meets(trap, &path, At::Break) {
            port.store(0, Ordering::SeqCst);
            return None;
        }
        if meets(trap, &path, At::Answer) {
            return drain(&mut client);
        }
        client_out.write_all(&answer).ok()?;
    }
}

/// Says nothing until the other side has gone.
fn drain(client: &mut impl Read) -> Option<()> {
    std::io::copy(client, &mut std::io::sink()).ok().map(drop)
}

/// Head and body of a message with a length.
fn message(from: &mut impl BufRead) -> Option<Vec<u8>> {
    let (mut bytes, mut length) = (Vec::new(), 0);
    loop {
        let start = bytes.len();
        if from.read_until(b'\n', &mut bytes).ok()? == 0 {
            return None;
        }
        let line = String::from_utf8_lossy(&bytes[start..]).to_ascii_lowercase();
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
        if line.trim().is_empty() {
            break;
        }
    }
    let start = bytes.len();
    bytes.resize(start + length, 0);
    from.read_exact(&mut bytes[start..]).ok()?;
    Some(bytes)
}
