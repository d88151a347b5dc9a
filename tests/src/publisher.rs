//! A site of somebody else: pages that a scenario writes, on an origin of their own.

use std::collections::HashMap;
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;

use actix_web::dev::ServerHandle;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use anyhow::{Context, Result};

use crate::http;
use crate::process::free_ports;
use crate::wait::{Seen, until};

/// The names of this machine. Browsers take them for different sites.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Host {
    /// `127.0.0.1`: another site than the program's.
    Numbers,
    /// `localhost`: the program's site, and another origin by its port.
    Localhost,
}

/// What an address answers.
#[derive(Debug, Clone)]
pub struct Page {
    headers: Vec<(String, String)>,
    body: String,
}

impl Page {
    /// A page whose head and body hold this.
    pub fn new(head: &str, body: &str) -> Self {
        Self::of(
            "text/html; charset=utf-8",
            &format!(
                "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
                 <meta name=\"viewport\" content=\"width=device-width\"><title>The Evening Post</title>\
                 {head}</head><body>{body}</body></html>"
            ),
        )
    }

    /// An answer of another media type.
    pub fn of(media_type: &str, body: &str) -> Self {
        let headers = vec![("content-type".to_owned(), media_type.to_owned())];
        Page { headers, body: body.to_owned() }
    }

    /// The same with a header.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }
}

type Pages = Arc<Mutex<HashMap<String, Page>>>;

/// The site. It ends with this value.
#[derive(Debug)]
pub struct Publisher {
    origin: String,
    pages: Pages,
    server: ServerHandle,
}

impl Publisher {
    /// Opens the site on a free port.
    ///
    /// # Errors
    /// If the machine has none.
    pub fn start(host: Host) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("a port for a publisher")?;
        let port = listener.local_addr()?.port();
        let pages = Pages::default();
        let (tell, told) = mpsc::channel();
        let served = pages.clone();
        thread::spawn(move || {
            let server = move || {
                let pages = web::Data::new(served.clone());
                App::new().app_data(pages).default_service(web::to(answer))
            };
            actix_web::rt::System::new().block_on(async {
                let server = HttpServer::new(server).workers(1).disable_signals().listen(listener)?.run();
                let _ = tell.send(server.handle());
                server.await
            })
        });
        let host = if host == Host::Numbers { "127.0.0.1" } else { "localhost" };
        let server = told.recv().context("a publisher's server")?;
        Ok(Publisher { origin: format!("http://{host}:{port}"), pages, server })
    }

    /// Its origin.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Puts a page at a path, such as `/story`, and gives its address.
    pub fn put(&self, path: &str, page: Page) -> String {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner).insert(path.to_owned(), page);
        format!("{}{path}", self.origin)
    }
}

impl Drop for Publisher {
    fn drop(&mut self) {
        // The server has the word when this returns, and ends by itself.
        drop(self.server.stop(false));
    }
}

/// A publisher's own server: a program for Node.js on a free port. It ends with this value.
#[derive(Debug)]
pub struct NodeSite {
    origin: String,
    child: Child,
}

impl NodeSite {
    /// Starts a program of this repository with the settings that its environment takes, and waits until it answers.
    ///
    /// # Errors
    /// If it doesn't.
    pub async fn start(path: &str, settings: &[(&str, String)]) -> Result<Self> {
        let [port] = free_ports()?;
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let mut node = Command::new("node");
        node.arg(root.join(path))
            .envs(settings.iter().cloned())
            .env("PORT", port.to_string())
            .stdout(Stdio::null());
        let site = NodeSite {
            origin: format!("http://127.0.0.1:{port}"),
            child: node.spawn().context("starting node")?,
        };
        until("a publisher's own server", async || {
            let answer = http::client()?.get(&site.origin).send().await;
            Ok(answer.map_or_else(|error| Seen::NotYet(error.to_string()), |_| Seen::Ready(())))
        })
        .await?;
        Ok(site)
    }

    /// Its origin.
    pub fn origin(&self) -> &str {
        &self.origin
    }
}

impl Drop for NodeSite {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn answer(pages: web::Data<Pages>, request: HttpRequest) -> HttpResponse {
    let pages = pages.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(page) = pages.get(request.path()) else { return HttpResponse::NotFound().finish() };
    let mut response = HttpResponse::Ok();
    for (name, value) in &page.headers {
        response.append_header((name.as_str(), value.as_str()));
    }
    response.body(page.body.clone())
}
