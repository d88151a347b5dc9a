//! Sound and film: a file beside an article that is sold with it, as a whole or some seconds at a time.
//!
//! A part is its share of the file's bytes, which is what a browser asks for. What stands before the sound (tags, the
//! index of a film) belongs to nobody's part: a player needs it to know how long the file is, and hears nothing of it.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;

use lofty::config::ParseOptions;
use lofty::file::AudioFile;
use lofty::probe::Probe;

use crate::storefront::folder::Folder;

/// Bytes of a file: what a number in JavaScript counts exactly is far beyond it.
const BYTES_MAX: u64 = 64 * 1024 * 1024 * 1024;
/// Parts of a file's head that are looked through for the beginning of the sound.
const PIECES_MAX: usize = 1_000;

/// A file of sound or film.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stream {
    /// Its name in the folder.
    pub(in crate::storefront) file: String,
    /// Its media type, such as `audio/mpeg`.
    pub media_type: &'static str,
    /// Its length.
    pub bytes: u64,
    /// How many of them come before the sound, and are everybody's.
    pub opening: u64,
    /// How long it plays, in whole seconds, at least 1.
    pub seconds: u32,
}

impl Stream {
    /// Looks at `file` in `folder`.
    ///
    /// # Errors
    /// What is wrong with it, for its publisher.
    pub(super) fn read(folder: &Folder, file: &str) -> Result<Self, String> {
        let media_type = media_type(file)
            .ok_or_else(|| format!("`{file}`: sound and film are sold as .mp3, .m4a, .wav or .mp4"))?;
        let look = || -> io::Result<(File, u64)> {
            let opened = folder.open_file(file)?;
            let bytes = opened.metadata()?.len();
            Ok((opened, bytes))
        };
        let (mut opened, bytes) = look().map_err(|error| format!("`{file}` cannot be read: {error}"))?;
        if bytes > BYTES_MAX {
            return Err(format!("`{file}` is larger than {} GiB", BYTES_MAX >> 30));
        }
        let opening = opening(&mut opened, media_type).map_err(|why| format!("`{file}`: {why}"))?;
        let seconds = seconds(opened).map_err(|why| format!("`{file}`: {why}"))?;
        if opening >= bytes {
            return Err(format!("`{file}` ends before its sound begins"));
        }
        Ok(Stream { file: file.to_owned(), media_type, bytes, opening, seconds })
    }

    /// Whether it is a film.
    pub fn is_film(&self) -> bool {
        self.media_type.starts_with("video/")
    }

    /// The bytes of the part `number`, from 1, of `count`.
    pub fn share(&self, number: usize, count: usize) -> Range<u64> {
        let sound = self.bytes.saturating_sub(self.opening);
        let end = |parts: usize| self.opening.saturating_add(share(sound, parts, count));
        end(number.saturating_sub(1))..end(number)
    }

    /// The seconds at which the part `number`, from 1, of `count` begins and ends.
    pub fn times(&self, number: usize, count: usize) -> Range<u64> {
        let end = |parts: usize| share(u64::from(self.seconds), parts, count);
        end(number.saturating_sub(1))..end(number)
    }

    /// How many parts of `each` seconds there are, and no more than `parts_max`.
    pub(super) fn parts(&self, each: u32, parts_max: usize) -> usize {
        let parts = usize::try_from(self.seconds.div_ceil(each.max(1))).unwrap_or(usize::MAX);
        parts.min(parts_max).max(1)
    }
}

/// So many of `count` equal parts of `all`.
fn share(all: u64, parts: usize, count: usize) -> u64 {
    let [all, parts, count] = [u128::from(all), parts as u128, count.max(1) as u128];
    u64::try_from(all * parts.min(count) / count).unwrap_or(u64::MAX)
}

/// The media type of a file's name; absent for what browsers of all kinds do not play.
fn media_type(file: &str) -> Option<&'static str> {
    let (_, extension) = file.rsplit_once('.')?;
    match extension.to_ascii_lowercase().as_str() {
        "mp3" => Some("audio/mpeg"),
        "m4a" => Some("audio/mp4"),
        "wav" => Some("audio/wav"),
        "mp4" => Some("video/mp4"),
        _ => None,
    }
}

/// How long it plays.
fn seconds(mut file: File) -> Result<u32, String> {
    let unreadable = |error: &dyn std::fmt::Display| format!("how long it plays cannot be read: {error}");
    file.seek(SeekFrom::Start(0)).map_err(|error| unreadable(&error))?;
    let probe = Probe::new(io::BufReader::new(file)).options(ParseOptions::new().read_tags(false));
    let probe = probe.guess_file_type().map_err(|error| unreadable(&error))?;
    let read = probe.read().map_err(|error| unreadable(&error))?;
    let duration = read.properties().duration();
    let seconds = duration.as_secs() + u64::from(duration.subsec_nanos() > 0);
    u32::try_from(seconds)
        .ok()
        .filter(|seconds| *seconds > 0)
        .ok_or_else(|| "it plays for no time".to_owned())
}

/// How many bytes come before the sound.
fn opening(file: &mut File, media_type: &str) -> Result<u64, String> {
    let found = match media_type {
        "audio/mpeg" => before_frames(file),
        "audio/wav" => before_samples(file),
        _ => before_film(file),
    };
    found.map_err(|error| error.to_string())
}

/// Behind the tag of an MP3 file (ID3v2: ten bytes, of which the last four are the length of the rest, seven bits each).
fn before_frames(file: &mut File) -> io::Result<u64> {
    let mut head = [0; 10];
    file.read_exact(&mut head)?;
    let length = head[6..].iter().fold(0, |length, byte| length << 7 | u64::from(byte & 0x7F));
    Ok(if head.starts_with(b"ID3") { 10 + length } else { 0 })
}

/// Where the chunk `data` of a WAV file begins.
fn before_samples(file: &mut File) -> io::Result<u64> {
    let mut at = 12;
    for _ in 0..PIECES_MAX {
        let mut head = [0; 8];
        file.seek(SeekFrom::Start(at))?;
        file.read_exact(&mut head)?;
        let (name, length) = head.split_at(4);
        let length = length.iter().rev().fold(0, |length, byte| length << 8 | u64::from(*byte));
        at += 8;
        if name == b"data" {
            return Ok(at);
        }
        // Chunks begin at even places.
        at = at.saturating_add(length.next_multiple_of(2));
    }
    Err(io::Error::other("it has no sound"))
}

/// Where the box `mdat` of an MP4 file begins, which has to come after the index `moov`.
fn before_film(file: &mut File) -> io::Result<u64> {
    let mut at: u64 = 0;
    let mut is_indexed = false;
    for _ in 0..PIECES_MAX {
        let mut head = [0; 16];
        file.seek(SeekFrom::Start(at))?;
        file.read_exact(&mut head[..8])?;
        let number = |bytes: &[u8]| bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte));
        let (mut begins, mut length) = (8, number(&head[..4]));
        if length == 1 {
            file.read_exact(&mut head[8..])?;
            (begins, length) = (16, number(&head[8..]));
        }
        match &head[4..8] {
            b"moov" => is_indexed = true,
            b"mdat" if is_indexed => return Ok(at.saturating_add(begins)),
            b"mdat" => {
                return Err(io::Error::other(
                    "its index comes last, so that nobody could play the beginning alone: \
                     write it anew with `ffmpeg -i old.mp4 -c copy -movflags +faststart new.mp4`",
                ));
            }
            _ => {}
        }
        if length < begins {
            break;
        }
        at = at.saturating_add(length);
    }
    Err(io::Error::other("it has no sound"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::storefront::tests::wav;

    fn read(name: &str, bytes: &[u8]) -> Result<Stream, String> {
        let root = tempfile::tempdir().unwrap();
        std::fs::write(root.path().join(name), bytes).unwrap();
        Stream::read(&Folder::open(root.path()).unwrap(), name)
    }

    /// A box of an MP4 file.
    fn boxed(name: &[u8; 4], inside: &[u8]) -> Vec<u8> {
        let length = u32::try_from(inside.len() + 8).unwrap();
        [&length.to_be_bytes()[..], name, inside].concat()
    }

    fn opening_of(bytes: &[u8], media_type: &str) -> Result<u64, String> {
        let mut file = tempfile::tempfile().unwrap();
        io::Write::write_all(&mut file, bytes).unwrap();
        file.seek(SeekFrom::Start(0)).unwrap();
        opening(&mut file, media_type)
    }

    #[test]
    fn a_file_of_sound_says_how_long_it_is_and_where_it_begins() {
        let plain = read("a.wav", &wav(12, b"")).unwrap();
        assert_eq!((plain.seconds, plain.opening, plain.bytes), (12, 44, 44 + 96_000));
        // A note of an odd length, and the byte that makes it even.
        let noted = read("a.WAV", &wav(3, b"note\x03\0\0\0abc\0")).unwrap();
        assert_eq!((noted.seconds, noted.opening, noted.media_type), (3, 44 + 12, "audio/wav"));
    }

    #[test]
    fn tags_and_indexes_are_before_the_sound() {
        let tagged = [b"ID3\x04\0\0\0\0\x02\x01".as_slice(), &[0; 300]].concat();
        assert_eq!(opening_of(&tagged, "audio/mpeg"), Ok(10 + 257));
        assert_eq!(opening_of(&[0xFF; 20], "audio/mpeg"), Ok(0));
        let film = |first: &[u8; 4], second: &[u8; 4]| {
            [boxed(b"ftyp", b"isom"), boxed(first, &[0; 20]), boxed(second, &[0; 30])].concat()
        };
        assert_eq!(opening_of(&film(b"moov", b"mdat"), "video/mp4"), Ok(12 + 28 + 8));
        assert!(opening_of(&film(b"mdat", b"moov"), "video/mp4").unwrap_err().contains("+faststart"));
        let long = [boxed(b"moov", b""), b"\0\0\0\x01mdat\0\0\0\0\0\0\0\x18".to_vec(), vec![0; 8]].concat();
        assert_eq!(opening_of(&long, "audio/mp4"), Ok(8 + 16));
    }

    #[test]
    fn what_is_no_sound_says_so() {
        for (name, bytes, word) in [
            ("a.ogg", wav(1, b""), ".mp3, .m4a, .wav or .mp4"),
            ("a.wav", wav(0, b""), "a.wav"),
            ("a.wav", b"RIFF".to_vec(), "a.wav"),
            ("a.mp4", boxed(b"ftyp", b"isom"), "a.mp4"),
            ("a.mp4", [0; 64].to_vec(), "no sound"),
            ("a.mp3", b"<html>no sound at all</html>".to_vec(), "a.mp3"),
            ("a.mp3", Vec::new(), "a.mp3"),
        ] {
            let why = read(name, &bytes).unwrap_err();
            assert!(why.contains(word), "{why}");
        }
        let root = tempfile::tempdir().unwrap();
        let missing = Stream::read(&Folder::open(root.path()).unwrap(), "../a.wav").unwrap_err();
        assert!(missing.contains("cannot be read"), "{missing}");
    }

    proptest! {
        #[test]
        fn all_parts_together_are_the_sound_each_byte_once(
            opening in 0_u64..100_000,
            sound in 1_u64..1 << 40,
            seconds in 1_u32..100_000,
            each in 1_u32..4_000,
            most in 1_usize..5_000,
        ) {
            let bytes = opening + sound;
            let stream = Stream { file: "a.wav".into(), media_type: "audio/wav", bytes, opening, seconds };
            let count = stream.parts(each, most);
            prop_assert!((1..=most).contains(&count));
            let (mut byte, mut second) = (opening, 0);
            for number in 1..=count {
                let (share, times) = (stream.share(number, count), stream.times(number, count));
                prop_assert_eq!((share.start, times.start), (byte, second));
                prop_assert!(share.end >= share.start && times.end >= times.start);
                (byte, second) = (share.end, times.end);
            }
            prop_assert_eq!((byte, second), (bytes, u64::from(seconds)));
        }

        #[test]
        fn nothing_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200), name in "a\\.(mp3|m4a|wav|mp4)") {
            let _ = read(&name, &bytes);
        }
    }
}
