//! The wallet's pages: the built site, held in memory, so that no request ever names a file (T28).
//!
//! Files whose names carry a hash never change and are cached for good; the page itself is asked for anew,
//! and when it has changed on disk, the whole site is read again.

use std::collections::HashMap;
use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::SystemTime;

use actix_web::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, ETAG, HeaderMap, IF_NONE_MATCH, VARY,
};
use actix_web::http::{Method, StatusCode};
use actix_web::web::{self, Bytes, Data};
use actix_web::{HttpRequest, HttpResponse, Route};
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};
use walkdir::WalkDir;

use super::CenterApi;
use crate::http::error::ApiError;
use crate::http::middleware::headers;

/// The page that every address of the application gets.
const PAGE: &str = "/index.html";

/// The pages that other sites open in a window, and that tell them how it ended.
const ASKED: [&str; 2] = ["/approve", "/earn/question"];

/// What the name of a compressed file ends with.
const COMPRESSED: &str = ".gz";

/// More than this is no wallet.
const SITE_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Shown while there is nothing to serve.
const NOT_BUILT: &str = "<!DOCTYPE html><html lang=\"en\"><meta charset=\"utf-8\"><title>Tuppence</title>\
    <h1>The wallet is not built yet</h1>\
    <p>This center works, but it has no pages to show. In the source folder, run \
    <code>cargo xtask build</code>, or name the built site with <code>--wallet-site</code>. \
    Then load this page again.</p>";

/// The site, as it was last read.
pub(super) struct WalletSite {
    folder: PathBuf,
    files: RwLock<Option<Arc<Files>>>,
}

struct Files {
    page_written: SystemTime,
    by_path: HashMap<String, File>,
}

struct File {
    content_type: String,
    etag: String,
    hashed: bool,
    plain: Bytes,
    /// Where it is smaller.
    gzip: Option<Bytes>,
}

impl WalletSite {
    /// The site in `folder`, if it is built, now or later.
    pub(super) fn new(folder: PathBuf) -> Self {
        let site = WalletSite { folder, files: RwLock::new(None) };
        site.files();
        site
    }

    /// The current files; read again when the page has changed.
    fn files(&self) -> Option<Arc<Files>> {
        let known = self.files.read().unwrap_or_else(PoisonError::into_inner).clone();
        let written = page_written(&self.folder);
        match (&known, written) {
            (Some(files), Some(written)) if files.page_written == written => known,
            // While it is being built again, the old one is good.
            (_, None) => known,
            (_, Some(written)) => match read(&self.folder, written) {
                Ok(files) => {
                    let files = Some(Arc::new(files));
                    self.files.write().unwrap_or_else(PoisonError::into_inner).clone_from(&files);
                    files
                }
                Err(error) => {
                    tracing::warn!(%error, folder = %self.folder.display(), "the wallet's site cannot be read");
                    known
                }
            },
        }
    }

    /// The files, without a look at the disk where they are known.
    fn known(&self) -> Option<Arc<Files>> {
        let known = self.files.read().unwrap_or_else(PoisonError::into_inner).clone();
        known.or_else(|| self.files())
    }
}

/// Everything that is no API.
pub(super) fn route() -> Route {
    web::to(serve)
}

async fn serve(request: HttpRequest, api: Data<CenterApi>) -> Result<HttpResponse, ApiError> {
    if *request.method() != Method::GET && *request.method() != Method::HEAD {
        return Err(ApiError::method(vec![Method::GET]));
    }
    let path = request.path();
    if let Some(file) = api.wallet_site.known().as_ref().and_then(|files| files.by_path.get(path))
        && path != PAGE
    {
        return Ok(answer(file, request.headers()));
    }
    let last = path.rsplit('/').next().unwrap_or_default();
    if last.contains('.') && path != PAGE {
        return Err(ApiError::not_found());
    }
    match api.wallet_site.files().as_ref().and_then(|files| files.by_path.get(PAGE)) {
        Some(page) => {
            let mut response = answer(page, request.headers());
            if ASKED.contains(&path) {
                headers::let_opener_listen(response.headers_mut());
            }
            Ok(response)
        }
        None => Ok(HttpResponse::ServiceUnavailable()
            .content_type("text/html; charset=utf-8")
            .insert_header((CACHE_CONTROL, "no-store"))
            .body(NOT_BUILT)),
    }
}

fn answer(file: &File, headers: &HeaderMap) -> HttpResponse {
    let gzip = file.gzip.as_ref().filter(|_| takes_gzip(headers));
    let etag = format!("\"{}{}\"", file.etag, if gzip.is_some() { "-gz" } else { "" });
    let known = headers.get(IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    let current =
        known.is_some_and(|known| known.split(',').any(|tag| tag.trim().trim_start_matches("W/") == etag));
    let caching = if file.hashed { "public, max-age=31536000, immutable" } else { "no-cache" };
    let mut response = HttpResponse::build(if current { StatusCode::NOT_MODIFIED } else { StatusCode::OK });
    response
        .insert_header((ETAG, etag))
        .insert_header((CACHE_CONTROL, caching))
        .insert_header((VARY, "Accept-Encoding"));
    if current {
        return response.finish();
    }
    response.content_type(file.content_type.as_str());
    match gzip {
        Some(gzip) => response.insert_header((CONTENT_ENCODING, "gzip")).body(gzip.clone()),
        None => response.body(file.plain.clone()),
    }
}

/// Whether the client names gzip, and not with a weight of nothing.
fn takes_gzip(headers: &HeaderMap) -> bool {
    let accepted = headers.get(ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
    accepted.split(',').any(|entry| {
        let mut parts = entry.split(';').map(str::trim);
        let gzip = parts.next().is_some_and(|coding| coding.eq_ignore_ascii_case("gzip"));
        let refused = parts.any(|weight| matches!(weight, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"));
        gzip && !refused
    })
}

fn page_written(folder: &Path) -> Option<SystemTime> {
    fs::metadata(folder.join("index.html")).ok()?.modified().ok()
}

/// Reads all regular files below `folder`; links are not followed.
fn read(folder: &Path, page_written: SystemTime) -> io::Result<Files> {
    let mut by_path = HashMap::new();
    let mut bytes_left = SITE_BYTES_MAX;
    for entry in WalkDir::new(folder).follow_links(false) {
        let entry = entry.map_err(io::Error::other)?;
        let relative = entry.path().strip_prefix(folder).ok().and_then(Path::to_str);
        let (true, Some(relative)) = (entry.file_type().is_file(), relative) else { continue };
        let plain = fs::read(entry.path())?;
        let length = u64::try_from(plain.len()).unwrap_or(u64::MAX);
        bytes_left = bytes_left
            .checked_sub(length)
            .ok_or_else(|| io::Error::other("the site is larger than 64 MiB"))?;
        // What is compressed already belongs to the file beside it.
        if relative.strip_suffix(COMPRESSED).is_some_and(|plain| folder.join(plain).is_file()) {
            continue;
        }
        let path = format!("/{}", relative.replace(std::path::MAIN_SEPARATOR, "/"));
        let compressed = fs::read(folder.join(format!("{relative}{COMPRESSED}"))).ok();
        by_path.insert(path, File::new(relative, plain, compressed)?);
    }
    Ok(Files { page_written, by_path })
}

impl File {
    /// A file, with what the build has compressed of it, better than it would be here.
    fn new(name: &str, plain: Vec<u8>, compressed: Option<Vec<u8>>) -> io::Result<Self> {
        let mime = mime_guess::from_path(name).first_or_octet_stream();
        let text = mime.type_() == "text" || mime.subtype() == "javascript";
        let content_type =
            if text { format!("{}; charset=utf-8", mime.essence_str()) } else { mime.to_string() };
        let gzip = match compressed.filter(|gzip| holds(gzip, &plain)) {
            Some(gzip) => gzip,
            None => {
                let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
                encoder.write_all(&plain)?;
                encoder.finish()?
            }
        };
        let smaller = gzip.len() < plain.len();
        let etag = tuppence_protocol::bytes::encode(&Sha256::digest(&plain)[..16]);
        Ok(File {
            content_type,
            etag,
            hashed: is_hashed(name),
            plain: Bytes::from(plain),
            gzip: smaller.then(|| Bytes::from(gzip)),
        })
    }
}

/// Whether this is `plain`, compressed: not what an older build has left.
fn holds(gzip: &[u8], plain: &[u8]) -> bool {
    let mut content = Vec::with_capacity(plain.len());
    let most = u64::try_from(plain.len()).unwrap_or(u64::MAX).saturating_add(1);
    GzDecoder::new(gzip).take(most).read_to_end(&mut content).is_ok() && content == plain
}

/// Whether a name carries a hash of its content, as Trunk writes it: `main-0123456789abcdef.css`.
fn is_hashed(name: &str) -> bool {
    name.split(['/', '-', '_', '.'])
        .any(|part| part.len() >= 12 && part.bytes().all(|b| b.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;

    #[test]
    fn names_with_a_hash_are_known() {
        for hashed in
            ["main-d1b2c3d4e5f60718.css", "tuppence-web-0123456789abcdef_bg.wasm", "a/b-0123456789ab.js"]
        {
            assert!(is_hashed(hashed), "{hashed}");
        }
        for plain in ["index.html", "favicon.ico", "main-dark.css", "snippets/leptos/inline0.js"] {
            assert!(!is_hashed(plain), "{plain}");
        }
    }

    #[test]
    fn gzip_is_sent_to_those_who_take_it() {
        let takes = |value| {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT_ENCODING, HeaderValue::from_static(value));
            takes_gzip(&headers)
        };
        assert!(takes("gzip, deflate, br") && takes("br;q=1, GZIP;q=0.5"));
        assert!(!takes("br") && !takes("gzip;q=0") && !takes("") && !takes_gzip(&HeaderMap::new()));
    }

    #[test]
    fn what_the_build_has_compressed_is_sent_unless_it_is_of_another_build() {
        let compressed = |plain: &[u8], level| {
            let mut encoder = GzEncoder::new(Vec::new(), level);
            encoder.write_all(plain).unwrap();
            encoder.finish().unwrap()
        };
        let folder = tempfile::tempdir().unwrap();
        let text = "the same again ".repeat(50);
        // Compressed as the server would not do it.
        let (kept, stale) =
            (compressed(text.as_bytes(), Compression::fast()), compressed(b"older", Compression::best()));
        for (name, content) in [
            ("index.html", text.as_bytes()),
            ("index.html.gz", kept.as_slice()),
            ("a.js", text.as_bytes()),
            ("a.js.gz", stale.as_slice()),
            ("alone.gz", b"a file of its own"),
        ] {
            fs::write(folder.path().join(name), content).unwrap();
        }
        let files = read(folder.path(), SystemTime::now()).unwrap().by_path;
        let mut paths: Vec<_> = files.keys().map(String::as_str).collect();
        paths.sort_unstable();
        assert_eq!(paths, ["/a.js", "/alone.gz", "/index.html"]);
        assert_eq!(files["/index.html"].gzip.as_deref(), Some(kept.as_slice()));
        assert_eq!(files["/a.js"].gzip, Some(compressed(text.as_bytes(), Compression::best()).into()));
    }

    #[test]
    fn webassembly_and_scripts_have_their_types() {
        for (name, content_type) in [
            ("a.wasm", "application/wasm"),
            ("a.js", "text/javascript; charset=utf-8"),
            ("a.css", "text/css; charset=utf-8"),
            ("index.html", "text/html; charset=utf-8"),
            ("a.svg", "image/svg+xml"),
        ] {
            assert_eq!(File::new(name, Vec::new(), None).unwrap().content_type, content_type);
        }
    }
}
