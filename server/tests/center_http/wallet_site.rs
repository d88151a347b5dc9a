//! The wallet's pages: types, caching, compression, addresses of the application, and no way out of the folder (T28).

use std::fs;
use std::io::Read;

use flate2::read::GzDecoder;
use reqwest::Method;
use tuppence_protocol::ErrorCode;

use crate::stand::{Stand, send};

const PAGE: &str = "<!DOCTYPE html><title>wallet</title>";

/// A stand whose site is built; `secret.txt` lies beside it.
async fn built() -> Stand {
    let stand = Stand::start().await;
    let site = stand.folder.path().join("site");
    fs::create_dir_all(site.join("snippets")).unwrap();
    fs::write(site.join("app-0123456789abcdef_bg.wasm"), [0; 10_000]).unwrap();
    fs::write(site.join("start-0123456789abcdef.js"), "let a;").unwrap();
    fs::write(site.join("snippets/plain.css"), "p {}").unwrap();
    fs::write(stand.folder.path().join("secret.txt"), "secret").unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink(stand.folder.path().join("secret.txt"), site.join("link.txt")).unwrap();
    fs::write(site.join("index.html"), PAGE).unwrap();
    stand
}

#[actix_web::test]
async fn before_it_is_built_the_page_says_how() {
    let stand = Stand::start().await;
    let answer = stand.page("/").await.expect(503);
    assert!(answer.text().contains("cargo xtask build"), "{}", answer.text());
    stand.page("/app.js").await.refused_for(ErrorCode::NotFound);
}

#[actix_web::test]
async fn every_address_of_the_application_gets_the_page() {
    let stand = built().await;
    for path in
        ["/", "/index.html", "/approve?shop=https://shop.example&article=bread", "/history/12", "/a/b/"]
    {
        let answer = stand.page(path).await.expect(200);
        assert_eq!(
            (answer.text().as_str(), answer.header("content-type")),
            (PAGE, "text/html; charset=utf-8")
        );
        assert_eq!(answer.header("cache-control"), "no-cache", "{path}");
    }
    stand.page("/nothing.js").await.refused_for(ErrorCode::NotFound);
    let answer = send(stand.http.post(format!("{}/", stand.origin))).await;
    answer.refused_for(ErrorCode::Method);
    let head = send(stand.http.head(format!("{}/", stand.origin))).await.expect(200);
    assert!(head.body.is_empty());
}

#[actix_web::test]
async fn hashed_files_are_cached_for_good_and_compressed_for_those_who_take_it() {
    let stand = built().await;
    let path = "/app-0123456789abcdef_bg.wasm";
    let plain = stand.page(path).await.expect(200);
    assert_eq!(plain.header("content-type"), "application/wasm");
    assert_eq!(plain.header("cache-control"), "public, max-age=31536000, immutable");
    assert_eq!(plain.body, [0; 10_000]);

    let request = || stand.http.request(Method::GET, format!("{}{path}", stand.origin));
    let small = send(request().header("accept-encoding", "br, gzip")).await.expect(200);
    assert_eq!((small.header("content-encoding"), small.header("vary")), ("gzip", "Accept-Encoding"));
    let mut whole = Vec::new();
    GzDecoder::new(small.body.as_slice()).read_to_end(&mut whole).unwrap();
    assert_eq!(whole, plain.body);
    assert_ne!(small.header("etag"), plain.header("etag"));

    let known = send(request().header("if-none-match", plain.header("etag"))).await.expect(304);
    assert!(known.body.is_empty());
    let style = stand.page("/snippets/plain.css").await.expect(200);
    assert_eq!(style.header("cache-control"), "no-cache");
    let script = stand.page("/start-0123456789abcdef.js").await.expect(200);
    assert_eq!(script.header("content-type"), "text/javascript; charset=utf-8");
}

#[actix_web::test]
async fn nothing_outside_the_folder_is_ever_served() {
    let stand = built().await;
    let address = stand.origin.strip_prefix("http://").unwrap().to_owned();
    for path in [
        "/../secret.txt",
        "/..%2fsecret.txt",
        "/%2e%2e/secret.txt",
        "/snippets/../../secret.txt",
        "/snippets/..%5c..%5csecret.txt",
        "//secret.txt",
        "/./../secret.txt",
        "/link.txt",
        "/secret.txt",
        "/center.sqlite",
        "/%00secret.txt",
        "/snippets",
    ] {
        let (address, request) =
            (address.clone(), format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"));
        let answer = actix_web::web::block(move || {
            use std::io::Write;
            let mut stream = std::net::TcpStream::connect(address).unwrap();
            stream.write_all(request.as_bytes()).unwrap();
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer).unwrap();
            String::from_utf8_lossy(&answer).into_owned()
        });
        let answer = answer.await.unwrap();
        let body = answer.split("\r\n\r\n").nth(1).unwrap_or_default();
        assert!(!body.contains("secret") && !body.contains("SQLite"), "{path}: {answer}");
        assert!(answer.starts_with("HTTP/1.1 4") || body == PAGE, "{path}: {answer}");
    }
}

#[actix_web::test]
async fn a_site_that_was_built_again_shows_without_a_restart() {
    let stand = built().await;
    stand.page("/").await.expect(200);
    let site = stand.folder.path().join("site");
    fs::write(site.join("app-fedcba9876543210.js"), "let b;").unwrap();
    fs::write(site.join("new.html"), "<!DOCTYPE html><title>new</title>").unwrap();
    let before = fs::metadata(site.join("index.html")).unwrap().modified().unwrap();
    let file = fs::File::options().write(true).open(site.join("new.html")).unwrap();
    file.set_modified(before + std::time::Duration::from_secs(5)).unwrap();
    fs::rename(site.join("new.html"), site.join("index.html")).unwrap();
    assert!(stand.page("/").await.text().contains("new"));
    stand.page("/app-fedcba9876543210.js").await.expect(200);
}
