//! Addresses of the site behind the storefront: one spelling for each page, and no way around a rule by another one.
//!
//! What is sold must have one name, which is in the receipt, and no second one under which the site gives it out for
//! nothing. Sites take many spellings for the same: `%2e`, `//`, `/./`, upper case, `;session`. So a path is read
//! twice: strictly, as what it says, and as loosely as any server might read it (T28).

use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};
use unicode_normalization::UnicodeNormalization;

/// What browsers write encoded in a path (WHATWG URL, path percent-encode set), and `%` itself.
const PATH: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'}');
/// Bytes of a path that can be sold: its name and the shop's origin must fit into an address of the protocol.
const BYTES_MAX: usize = 300;
/// What the name of a page begins with, and `/` becomes in it.
const SLASH: char = '~';
/// How often a server may decode what it is asked.
const DECODINGS_MAX: usize = 8;

/// A page's path, decoded: it begins with `/`, and has no empty, `.` or `..` parts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SitePath(String);

impl SitePath {
    /// Reads the path of a request; nothing for what could mean more than one thing.
    pub fn parse(raw: &str) -> Option<Self> {
        Self::decoded(percent_decode_str(raw).decode_utf8().ok()?.into_owned())
    }

    /// The path that a name, as [`SitePath::slug`] makes it, stands for.
    pub fn of_slug(slug: &str) -> Option<Self> {
        let mut bytes = Vec::with_capacity(slug.len());
        let mut rest = slug.bytes();
        while let Some(byte) = rest.next() {
            bytes.push(match byte {
                b'~' => b'/',
                b'=' => hex(rest.next()?)? * 16 + hex(rest.next()?)?,
                plain if is_plain(plain) => plain,
                _ => return None,
            });
        }
        // One name for each path, and not `=61` beside `a`.
        Self::decoded(String::from_utf8(bytes).ok()?).filter(|path| path.slug() == slug)
    }

    fn decoded(path: String) -> Option<Self> {
        let parts: Vec<&str> = path.strip_prefix('/')?.split('/').collect();
        let is_good = |(index, part): (usize, &&str)| {
            let last = index + 1 == parts.len();
            !matches!(*part, "." | "..") && (last || !part.is_empty())
        };
        let good = parts.iter().enumerate().all(is_good)
            && path.len() <= BYTES_MAX
            && !path.contains(|c: char| c.is_control() || matches!(c, '\\' | ';' | '?' | '#'));
        good.then_some(SitePath(path))
    }

    /// The path, decoded.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The path as browsers write it.
    pub fn address(&self) -> String {
        utf8_percent_encode(&self.0, PATH).to_string()
    }

    /// The page's name in the shop's API, such as `~stories~bread`: it stands behind `/articles/`, and says the path.
    pub fn slug(&self) -> String {
        let mut slug = String::with_capacity(self.0.len());
        for byte in self.0.bytes() {
            match byte {
                b'/' => slug.push(SLASH),
                plain if is_plain(plain) => slug.push(char::from(plain)),
                other => slug.push_str(&format!("={other:02x}")),
            }
        }
        slug
    }
}

/// The path as loosely as a server might read it: decoded as often as it goes, `\` for `/`, parameters, empty and dot parts
/// and dots and spaces at ends gone, in Unicode's normal form C, without a slash at the end. Nothing for what is encoded more often
/// than anybody would.
pub fn loosest(raw: &str) -> Option<String> {
    let mut path = raw.to_owned();
    let mut decodings = 0;
    loop {
        let decoded = percent_decode_str(&path).decode_utf8_lossy().into_owned();
        if decoded == path {
            break;
        }
        decodings += 1;
        if decodings > DECODINGS_MAX {
            return None;
        }
        path = decoded;
    }
    let plain: String =
        path.chars().filter(|c| !c.is_control()).map(|c| if c == '\\' { '/' } else { c }).nfc().collect();
    let at_end = |c: char| c == '.' || c.is_whitespace();
    let mut parts: Vec<&str> = Vec::new();
    for part in plain.split('/') {
        match part.split(';').next().unwrap_or_default().trim() {
            ".." => drop(parts.pop()),
            part => parts.extend(Some(part.trim_end_matches(at_end)).filter(|part| !part.is_empty())),
        }
    }
    Some(format!("/{}", parts.join("/")))
}

const fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.')
}

const fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_path_has_one_name_and_the_name_one_path() {
        for (raw, slug, address) in [
            ("/", "~", "/"),
            ("/stories/bread", "~stories~bread", "/stories/bread"),
            ("/stories/bread/", "~stories~bread~", "/stories/bread/"),
            ("/%73tories/b.html", "~stories~b.html", "/stories/b.html"),
            ("/a~b=c", "~a=7eb=3dc", "/a~b=c"),
            ("/%EB%B9%B5", "~=eb=b9=b5", "/%EB%B9%B5"),
            ("/100%25", "~100=25", "/100%25"),
            ("/it's (new)", "~it=27s=20=28new=29", "/it's%20(new)"),
        ] {
            let path = SitePath::parse(raw).unwrap();
            assert_eq!((path.slug().as_str(), path.address().as_str()), (slug, address), "{raw}");
            assert_eq!(SitePath::of_slug(slug), Some(path), "{raw}");
        }
    }

    #[test]
    fn what_could_mean_two_things_is_no_page() {
        let long = format!("/{}", "a".repeat(300));
        for raw in [
            "",
            "a",
            "//",
            "/a//b",
            "/./a",
            "/a/..",
            "/a/../b",
            "/%2e%2e/a",
            "/a%2f%2fb",
            "/a%5cb",
            "/a\\b",
            "/a;b",
            "/a%00",
            "/a%0a",
            "/%ff",
            "/a%3fb",
            "/a%23b",
            &long,
        ] {
            assert_eq!(SitePath::parse(raw), None, "{raw:?}");
        }
        for slug in [
            "", "bread", "~=61", "~=4A", "~=4", "~=", "~~", "~a~~b", "~..~a", "~a/b", "~a b", "~=ff", "~=5c",
            "~=3b",
        ] {
            assert_eq!(SitePath::of_slug(slug), None, "{slug:?}");
        }
    }

    #[test]
    fn the_loosest_reading_finds_the_page_behind_every_spelling() {
        for raw in [
            "/stories/bread",
            "/stories/bread/",
            "//stories//bread",
            "/stories/./bread",
            "/x/../stories/bread",
            "/%73tories/bread",
            "/%2573tories/bread",
            "/%252573tories/bread",
            "/stories%2fbread",
            "/stories%5Cbread",
            "\\stories\\bread",
            "/stories;v=1/bread;jsessionid=2",
            "/stories/bread%00",
            "/stories./bread.",
            "/stories/bread%20",
            "/stories/bread%20.%20",
            "/../../stories/bread",
            "/stories/%2e/bread",
        ] {
            assert_eq!(loosest(raw).as_deref(), Some("/stories/bread"), "{raw}");
        }
        assert_eq!(loosest("/cafe\u{301}").as_deref(), Some("/caf\u{e9}"));
        assert_eq!(loosest("/").as_deref(), Some("/"));
        let deep = |times: usize| format!("/%{}73", "25".repeat(times));
        assert_eq!((loosest(&deep(7)).as_deref(), loosest(&deep(8))), (Some("/s"), None));
    }

    proptest! {
        #[test]
        fn names_lead_back_and_nothing_panics(raw in "(/|\\.|%|;|~|=|[a-z%2eF5]|\\PC){0,40}") {
            if let Some(read) = loosest(&raw) {
                prop_assert_eq!(loosest(&read), Some(read));
            }
            if let Some(path) = SitePath::parse(&raw) {
                prop_assert_eq!(SitePath::of_slug(&path.slug()), Some(path.clone()));
                prop_assert_eq!(SitePath::parse(&path.address()), Some(path));
            }
            if let Some(path) = SitePath::of_slug(&raw) {
                prop_assert_eq!(path.slug(), raw);
            }
        }
    }
}
