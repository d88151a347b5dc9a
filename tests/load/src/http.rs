//! One connection that stays open, and just enough HTTP/1.1 to post JSON on it: the generator shares the machine with
//! what it measures, so that each of its microseconds would be missing there.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr};

use anyhow::{Context, Result, bail};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// The longest answer that is read, head included.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// A connection to a program of this machine.
pub struct Connection {
    stream: TcpStream,
    port: u16,
    out: Vec<u8>,
    input: Vec<u8>,
}

impl Connection {
    /// Connects to `port` on the loopback.
    ///
    /// # Errors
    /// If nobody listens.
    pub async fn open(port: u16) -> Result<Self> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let stream = TcpStream::connect(address).await.with_context(|| format!("connecting to {address}"))?;
        stream.set_nodelay(true)?;
        Ok(Connection { stream, port, out: Vec::with_capacity(4_096), input: vec![0; ANSWER_BYTES_MAX] })
    }

    /// Posts `body`, and gives the answer's body.
    ///
    /// # Errors
    /// If the connection breaks, or the answer is no 200.
    pub async fn post(&mut self, path: &str, body: &[u8]) -> Result<&[u8]> {
        self.out.clear();
        let (port, length) = (self.port, body.len());
        write!(
            self.out,
            "POST {path} HTTP/1.1\r\nhost: localhost:{port}\r\ncontent-type: application/json\r\n\
             content-length: {length}\r\n\r\n"
        )?;
        self.out.extend_from_slice(body);
        self.stream.write_all(&self.out).await?;
        self.answer().await
    }

    async fn answer(&mut self) -> Result<&[u8]> {
        let mut filled = 0;
        loop {
            let count = self.stream.read(&mut self.input[filled..]).await?;
            if count == 0 {
                bail!("the connection was closed, or the answer is too long");
            }
            filled += count;
            let Some(head) = Head::of(&self.input[..filled])? else { continue };
            if head.body + head.length > filled {
                continue;
            }
            let body = &self.input[head.body..head.body + head.length];
            if head.status != 200 {
                bail!("{}: {}", head.status, String::from_utf8_lossy(body));
            }
            return Ok(body);
        }
    }
}

/// The body of the answer to a GET, on a connection of its own.
///
/// # Errors
/// If the connection breaks, or the answer is no 200.
pub fn get_once(port: u16, path: &str) -> Result<String> {
    let mut stream = std::net::TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    write!(stream, "GET {path} HTTP/1.1\r\nhost: localhost:{port}\r\nconnection: close\r\n\r\n")?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let head = Head::of(&answer)?.context("an answer without a head")?;
    let body = String::from_utf8_lossy(answer.get(head.body..).unwrap_or_default()).into_owned();
    if head.status != 200 {
        bail!("{}: {body}", head.status);
    }
    Ok(body)
}

/// What the head of an answer says.
struct Head {
    status: u16,
    /// Where the body begins.
    body: usize,
    length: usize,
}

impl Head {
    /// Absent until the whole head is there.
    fn of(bytes: &[u8]) -> Result<Option<Self>> {
        let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else { return Ok(None) };
        let head = std::str::from_utf8(&bytes[..end]).context("an answer's head is no text")?;
        let mut lines = head.split("\r\n");
        let status = lines.next().and_then(|line| line.get(9..12)).and_then(|status| status.parse().ok());
        let length = lines.find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())?
        });
        match (status, length) {
            (Some(status), Some(length)) => Ok(Some(Head { status, body: end + 4, length })),
            _ => bail!("an answer without status or length: {head}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_read_when_it_is_whole() {
        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nx: y\r\n\r\n{}";
        assert!(Head::of(&answer[..30]).unwrap().is_none());
        let head = Head::of(answer).unwrap().unwrap();
        assert_eq!((head.status, head.body, head.length), (200, answer.len() - 2, 2));
        assert!(Head::of(b"HTTP/1.1 200 OK\r\n\r\n").is_err());
    }
}
