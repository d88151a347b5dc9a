//! Pictures beside the articles: which files are served, and at which addresses (T28).
//!
//! An address holds a seal of the file's name, so only pictures of a text that somebody could read are
//! known to him: those after the cut stay unknown until the article is paid, and no other file of the
//! folder has an address at all.

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use tuppence_protocol::canonical::Tag;
use tuppence_protocol::{HashAlgorithm, Seal, Secret, bytes};

/// What a path's segment cannot hold as it is (RFC 3986).
const SEGMENT: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'/')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// The media type of a picture's file name; absent for everything that is not a picture.
pub fn media_type(file: &str) -> Option<&'static str> {
    let (_, extension) = file.rsplit_once('.')?;
    match extension.to_ascii_lowercase().as_str() {
        "png" => Some("image/png"),
        "jpg" | "jpeg" => Some("image/jpeg"),
        "gif" => Some("image/gif"),
        "webp" => Some("image/webp"),
        "avif" => Some("image/avif"),
        // Served in a sandbox: shown inside a page it runs nothing anyway, opened alone it may do nothing.
        "svg" => Some("image/svg+xml"),
        _ => None,
    }
}

/// Makes and checks the addresses of one shop's pictures.
#[derive(Debug, Clone)]
pub struct MediaAddresses {
    origin: String,
    root: Root,
    secret: Secret,
}

/// The folder that a picture lies in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Root {
    /// The articles'.
    Articles,
    /// The campaigns'.
    Campaigns,
}

impl Root {
    /// The folder's name in addresses.
    pub const fn as_str(self) -> &'static str {
        match self {
            Root::Articles => "articles",
            Root::Campaigns => "campaigns",
        }
    }
}

impl MediaAddresses {
    /// For the shop at `origin`, sealed with its own secret.
    pub fn new(origin: &str, root: Root, secret: Secret) -> Self {
        MediaAddresses { origin: origin.to_owned(), root, secret }
    }

    /// What every address begins with.
    pub fn beginning(&self) -> String {
        format!("{}/media/{}/", self.origin, self.root.as_str())
    }

    /// The address of `file`, a name inside the folder.
    pub fn address(&self, file: &str) -> String {
        let seal = bytes::encode(self.seal(file).as_bytes());
        let path: Vec<_> =
            file.split('/').map(|segment| utf8_percent_encode(segment, SEGMENT).to_string()).collect();
        format!("{}{seal}/{}", self.beginning(), path.join("/"))
    }

    /// The file of an address's last two parts, if this shop gave that address out.
    pub fn file<'a>(&self, seal: &str, file: &'a str) -> Option<&'a str> {
        let seal: [u8; 32] = bytes::decode(seal).ok()?.try_into().ok()?;
        (self.seal(file).matches(&Seal::from_bytes(seal)) && is_plain(file)).then_some(file)
    }

    fn seal(&self, file: &str) -> Seal {
        HashAlgorithm::HmacSha256.seal(&self.secret, Tag::Entitlement, |w| {
            w.text("media");
            w.text(self.root.as_str());
            w.text(file);
        })
    }
}

/// The file that `address` means in a text that lies in `folder` (`""` or `"a/b/"`); absent for other sites'
/// addresses, names that lead upwards out of the content folder, and what is no picture.
pub fn resolve(folder: &str, address: &str) -> Option<String> {
    file_at(folder, address).filter(|file| media_type(file).is_some())
}

/// The file that `address` means, likewise, of whatever kind.
pub(super) fn file_at(folder: &str, address: &str) -> Option<String> {
    let address = address.split(['#', '?']).next()?;
    if address.starts_with("//") || address.contains(['\\', ':']) {
        return None;
    }
    let decoded = percent_encoding::percent_decode_str(address).decode_utf8().ok()?;
    let (mut parts, relative): (Vec<&str>, &str) = match decoded.strip_prefix('/') {
        Some(from_root) => (Vec::new(), from_root),
        None => (folder.split('/').filter(|part| !part.is_empty()).collect(), &decoded),
    };
    for part in relative.split('/') {
        match part {
            "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    let file = parts.join("/");
    is_plain(&file).then_some(file)
}

/// Whether every part of the name is an ordinary one: not empty, not hidden, without control characters and
/// without what some file system reads as something else.
fn is_plain(file: &str) -> bool {
    file.len() <= 512
        && file.split('/').all(|part| {
            !part.is_empty()
                && !part.starts_with('.')
                && !part.ends_with(['.', ' '])
                && !part.contains(|c: char| {
                    c.is_control() || matches!(c, '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|')
                })
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses() -> MediaAddresses {
        MediaAddresses::new("https://shop.example", Root::Articles, Secret::from_bytes([4; 32]))
    }

    #[test]
    fn texts_name_pictures_as_their_generators_do() {
        for (folder, address, file) in [
            ("", "a.png", "a.png"),
            ("", "./a.png", "a.png"),
            ("posts/", "a.png", "posts/a.png"),
            ("posts/", "/images/a.png", "images/a.png"),
            ("posts/bread/", "../crumb.JPG", "posts/crumb.JPG"),
            ("", "two%20words.png?v=1#x", "two words.png"),
            ("", "빵.webp", "빵.webp"),
        ] {
            assert_eq!(resolve(folder, address).as_deref(), Some(file), "{address}");
        }
    }

    #[test]
    fn nothing_else_has_an_address() {
        for address in [
            "",
            "/",
            "..",
            "../a.png",
            "a/../../a.png",
            "%2e%2e/a.png",
            "..%2fa.png",
            "/../a.png",
            "//evil.example/a.png",
            "https://evil.example/a.png",
            "data:image/png;base64,AA",
            "file:///etc/a.png",
            "C:\\a.png",
            "..\\a.png",
            "%5c..%5ca.png",
            ".hidden.png",
            "a/.git/a.png",
            "a//b.png",
            "a.png/",
            "a.png%00",
            "a%00.png",
            "a.png\n",
            "a.html",
            "a.md",
            "a",
            ".png",
            "a.png.",
            "a.svg.html",
            "a.png ",
            "%ff.png",
            "con:a.png",
            "a.png::$DATA",
        ] {
            assert_eq!(resolve("", address), None, "{address:?}");
        }
    }

    #[test]
    fn only_addresses_that_were_given_out_are_answered() {
        let address = addresses().address("in/two words.png");
        let rest = address.strip_prefix("https://shop.example/media/articles/").unwrap();
        let (seal, path) = rest.split_once('/').unwrap();
        assert_eq!(path, "in/two%20words.png");
        assert_eq!(addresses().file(seal, "in/two words.png"), Some("in/two words.png"));
        assert_eq!(addresses().file(seal, "in/other.png"), None);
        assert_eq!(addresses().file("", "in/two words.png"), None);
        let other_shop =
            MediaAddresses::new("https://shop.example", Root::Articles, Secret::from_bytes([5; 32]));
        assert_eq!(other_shop.file(seal, "in/two words.png"), None);
        let campaigns = MediaAddresses { root: Root::Campaigns, ..addresses() };
        assert_eq!(campaigns.file(seal, "in/two words.png"), None);
    }

    #[test]
    fn an_odd_name_is_refused_even_under_a_seal() {
        let seal = bytes::encode(addresses().seal("../a.png").as_bytes());
        assert_eq!(addresses().file(&seal, "../a.png"), None);
    }
}
