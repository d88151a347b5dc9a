//! Somebody's shop: a process of its own, which can be killed, and be heard.

use std::fs;
use std::process::{Child, Stdio};

use nix::sys::signal::Signal;
use tempfile::TempDir;

use crate::proxy::Proxy;
use crate::serving::{Serving, free_ports, get, tuppence, wait_for};

/// A shop in a process of its own, behind a proxy, with a hundred articles at three hundredths of a cent.
pub struct Shop {
    pub process: Option<Child>,
    pub folder: TempDir,
    pub port: u16,
    pub proxy: Proxy,
    pub center: String,
}

impl Shop {
    pub fn at(serving: &Serving, center: &str) -> Self {
        let shop = Self::begun(serving, center);
        wait_for("the shop to take budgets", || get(shop.port, "/api/v1/shop").contains("vendor-scrip"));
        shop
    }

    /// Which may take no budgets yet.
    pub fn begun(serving: &Serving, center: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let [port, _] = free_ports();
        let proxy = Proxy::start();
        proxy.to(port);
        let origin = format!("http://localhost:{}", proxy.port);
        let credentials = folder.path().join("shop.json");
        serving.ask(&[
            "vendors",
            "add",
            "--name",
            "The Cheap Shop",
            "--origin",
            &origin,
            "--out",
            credentials.to_str().unwrap(),
        ]);
        let content = folder.path().join("content");
        fs::create_dir(&content).unwrap();
        for number in 0..100 {
            let text = format!(
                "---\ntitle: Number {number}\nprice: 0.0003\n---\nIt begins.\n\n<!-- more -->\n\nSECRET-{number}.\n"
            );
            fs::write(content.join(format!("n{number}.md")), text).unwrap();
        }
        let walk = "---\ntitle: Walk\nprice: 0.001\nmeter: paragraph\nunit: 0.0004\n---\nIt begins.\n\n<!-- more -->\n\nPART-1.\n\nPART-2.\n";
        fs::write(content.join("walk.md"), walk).unwrap();
        let mut shop = Shop { process: None, folder, port, proxy, center: center.to_owned() };
        shop.start();
        shop
    }

    pub fn start(&mut self) {
        let path = |name: &str| self.folder.path().join(name).to_str().unwrap().to_owned();
        let mut command = tuppence();
        command.args(["storefront", "--storefront-port", &self.port.to_string()]);
        command.args(["--storefront-origin", &self.origin(), "--shop-name", "The Cheap Shop"]);
        command.args(["--center-origin", &self.center]);
        command.args(["--credentials", &path("shop.json"), "--content", &path("content")]);
        command.args(["--data", &path("data"), "--log", "warn"]);
        self.process = Some(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
        wait_for("the shop", || get(self.port, "/health").starts_with("HTTP/1.1 200"));
    }

    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            let _ = process.kill();
            let _ = process.wait();
        }
    }

    pub fn article(&self, number: u32) -> String {
        format!("{}/articles/n{number}", self.origin())
    }

    pub fn origin(&self) -> String {
        format!("http://localhost:{}", self.proxy.port)
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Stops both, and audits the books.
pub fn audited(mut serving: Serving, mut shop: Shop) {
    shop.kill();
    serving.signal(Signal::SIGTERM);
    serving.ask(&["audit"]);
}
