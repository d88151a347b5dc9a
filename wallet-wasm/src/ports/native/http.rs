//! The network, by reqwest: no cookies, and an end.

use async_trait::async_trait;

use crate::ports::{NetworkError, RESPONSE_BYTES_MAX, Request, Response, Transport};

/// An HTTP client as the wallet's transport.
#[derive(Debug, Clone)]
pub struct Http(reqwest::Client);

impl Http {
    /// With this client, which must follow no redirects: a message is for the origin that it was made for.
    pub fn new(client: reqwest::Client) -> Self {
        Http(client)
    }
}

#[async_trait(?Send)]
impl Transport for Http {
    async fn send(&self, request: Request) -> Result<Response, NetworkError> {
        let address = format!("{}{}", request.origin, request.path);
        let ready = match request.body {
            Some(body) => self.0.post(address).header("content-type", "application/json").body(body),
            None => self.0.get(address),
        };
        let timeout = std::time::Duration::from_millis(request.timeout.as_millis());
        let mut response = ready.timeout(timeout).send().await.map_err(|error| network_error(&error))?;
        let status = response.status().as_u16();
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| network_error(&error))? {
            if body.len() + chunk.len() > RESPONSE_BYTES_MAX {
                return Err(NetworkError::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Response { status, body })
    }
}

fn network_error(error: &reqwest::Error) -> NetworkError {
    if error.is_timeout() { NetworkError::Timeout } else { NetworkError::Unreachable }
}
