//! The way from a browser to the network: a proxy of its own, which can be cut, and refuses what is not on this machine.

use std::net::{self, Ipv4Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use anyhow::{Context, Result};
use tokio::io::{self, AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime;
use tokio::sync::{oneshot, watch};

/// The longest head of a request.
const HEAD_MAX: usize = 64 * 1024;

/// A running proxy. It ends when it is dropped.
#[derive(Debug)]
pub(super) struct Network {
    port: u16,
    rules: Arc<Mutex<Rules>>,
    cut: watch::Sender<bool>,
    _end: oneshot::Sender<()>,
}

/// What goes through, and what was asked for.
#[derive(Debug, Default)]
struct Rules {
    offline: bool,
    blocked: Vec<String>,
    asked: Vec<String>,
}

impl Network {
    /// Starts one that lets everything on this machine through. It works while a scenario does something else.
    pub fn start() -> Result<Self> {
        let rules = Arc::new(Mutex::new(Rules::default()));
        let (cut, was_cut) = watch::channel(false);
        let (end, ended) = oneshot::channel();
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        let socket = net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("a port for a network")?;
        socket.set_nonblocking(true)?;
        let port = socket.local_addr()?.port();
        let shared = Arc::clone(&rules);
        thread::spawn(move || {
            runtime.block_on(async {
                let accept = async {
                    let Ok(listener) = TcpListener::from_std(socket) else { return };
                    while let Ok((browser, _)) = listener.accept().await {
                        // A browser that goes away is no trouble of the tests.
                        tokio::spawn(carry(browser, Arc::clone(&shared), was_cut.clone()));
                    }
                };
                tokio::select! { () = accept => {}, _ = ended => {} }
            });
        });
        Ok(Self { port, rules, cut, _end: end })
    }

    /// Where it listens, on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Cuts everything, also what is under way; or lets it through again.
    pub fn set_offline(&self, offline: bool) {
        lock(&self.rules).offline = offline;
        self.cut.send_replace(offline);
    }

    /// Lets no request through whose address matches (`*` stands for anything); what was asked for is forgotten.
    pub fn block(&self, patterns: &[&str]) {
        let mut rules = lock(&self.rules);
        rules.blocked = patterns.iter().map(|&pattern| pattern.to_owned()).collect();
        rules.asked.clear();
    }

    /// What was asked for, whether or not it went through.
    pub fn asked(&self) -> Vec<String> {
        lock(&self.rules).asked.clone()
    }
}

impl Rules {
    /// Notes a request, and says whether it goes through.
    fn admit(&mut self, address: &str) -> bool {
        self.asked.push(address.to_owned());
        !self.offline && !self.blocked.iter().any(|pattern| matches(pattern, address))
    }
}

/// Carries one request and its reply. What may not go through ends without a word, as when a cable is pulled.
async fn carry(
    mut browser: TcpStream,
    rules: Arc<Mutex<Rules>>,
    mut cut: watch::Receiver<bool>,
) -> io::Result<()> {
    let mut received = Vec::new();
    let length = loop {
        if let Some(position) = received.windows(4).position(|end| end == b"\r\n\r\n") {
            break position + 4;
        }
        if received.len() > HEAD_MAX || browser.read_buf(&mut received).await? == 0 {
            return Ok(());
        }
    };
    let head = String::from_utf8_lossy(&received[..length]);
    let Some(request) = Request::of(&head) else { return Ok(()) };
    if !lock(&rules).admit(&request.address) {
        return Ok(());
    }
    let mut server = TcpStream::connect((Ipv4Addr::LOCALHOST, request.port)).await?;
    server.write_all(request.head.as_bytes()).await?;
    server.write_all(&received[length..]).await?;
    let (mut from_browser, mut to_browser) = browser.split();
    let (mut from_server, mut to_server) = server.split();
    // Whoever hangs up ends both ways. A way that stays open after the reply would take WebKit's next request, and
    // never answer it.
    tokio::select! {
        outcome = io::copy(&mut from_server, &mut to_browser) => outcome.map(drop),
        outcome = io::copy(&mut from_browser, &mut to_server) => outcome.map(drop),
        _ = cut.wait_for(|cut| *cut) => Ok(()),
    }
}

/// A request to a program on this machine, as it is passed on: for one reply, after which both sides hang up.
#[derive(Debug, PartialEq, Eq)]
struct Request {
    address: String,
    port: u16,
    head: String,
}

impl Request {
    /// Reads `GET http://localhost:8080/path HTTP/1.1` and the lines after it. Addresses elsewhere are none.
    fn of(head: &str) -> Option<Self> {
        let mut lines = head.split("\r\n");
        let mut words = lines.next()?.split(' ');
        let (method, address) = (words.next()?, words.next()?);
        let rest = address.strip_prefix("http://")?;
        let (place, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (host, port) = place.split_once(':').unwrap_or((place, "80"));
        if !["localhost", "127.0.0.1"].contains(&host) {
            return None;
        }
        let port = port.parse().ok()?;
        let mut passed = format!("{method} /{path} HTTP/1.1\r\nConnection: close\r\n");
        for line in lines.take_while(|line| !line.is_empty()) {
            let name = line.split(':').next().unwrap_or_default().to_ascii_lowercase();
            if !["connection", "proxy-connection", "keep-alive"].contains(&name.as_str()) {
                passed += line;
                passed += "\r\n";
            }
        }
        passed += "\r\n";
        Some(Self { address: address.to_owned(), port, head: passed })
    }
}

/// Whether the whole text is as the pattern says, in which `*` stands for anything.
fn matches(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = text.strip_prefix(parts.next().unwrap_or_default()) else { return false };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else { return rest.is_empty() };
    for part in parts {
        let Some(position) = rest.find(part) else { return false };
        rest = &rest[position + part.len()..];
    }
    rest.ends_with(last)
}

fn lock(rules: &Mutex<Rules>) -> MutexGuard<'_, Rules> {
    rules.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_anything_and_the_rest_for_itself() {
        assert!(matches("http://localhost:8081/*", "http://localhost:8081/api/v1/shop"));
        assert!(matches("*/api/v1/payment", "http://localhost:8080/api/v1/payment"));
        assert!(!matches("*/api/v1/payment", "http://localhost:8080/api/v1/payment/finish"));
        assert!(matches("*/a/*/c", "x/a/b/c"));
        assert!(!matches("/a", "/a/b"));
    }

    #[test]
    fn a_request_is_passed_on_for_one_reply() {
        let head = "POST http://localhost:8080/api/v1/issue HTTP/1.1\r\nHost: localhost:8080\r\nProxy-Connection: keep-alive\r\n\r\n";
        let request = Request::of(head).unwrap();
        assert_eq!(request.port, 8080);
        assert_eq!(
            request.head,
            "POST /api/v1/issue HTTP/1.1\r\nConnection: close\r\nHost: localhost:8080\r\n\r\n"
        );
    }

    #[test]
    fn other_machines_are_out_of_reach() {
        assert_eq!(Request::of("GET http://example.org/ HTTP/1.1\r\n\r\n"), None);
        assert_eq!(Request::of("CONNECT example.org:443 HTTP/1.1\r\n\r\n"), None);
    }

    #[test]
    fn what_is_blocked_was_asked_for_all_the_same() {
        let mut rules = Rules { blocked: vec!["*/b".into()], ..Rules::default() };
        assert!(rules.admit("http://localhost/a"));
        assert!(!rules.admit("http://localhost/b"));
        rules.offline = true;
        assert!(!rules.admit("http://localhost/a"));
        assert_eq!(rules.asked.len(), 3);
    }
}
