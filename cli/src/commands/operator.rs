//! The operator's way to a running center: its API, with the token from the data folder.

use std::time::Duration;

use actix_web::rt::System;
use reqwest::Method;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tuppence_protocol::ErrorBody;
use tuppence_protocol::scrip::info::CenterInfo;
use tuppence_server::http::center::PREFIX;
use tuppence_server::http::client;

use crate::data::{DataFolder, OperatorAccess};
use crate::failure::Failure;
use crate::settings::Place;

/// The longest that the center may take.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(30);

/// A running center.
pub struct Operator {
    http: reqwest::Client,
    access: OperatorAccess,
}

impl Operator {
    /// The center of the data folder.
    ///
    /// # Errors
    /// If none has run there.
    pub fn of(place: &Place) -> Result<Self, Failure> {
        let access = OperatorAccess::load(&DataFolder::new(&place.data).operator())?;
        Ok(Operator { http: client::client(ANSWER_TIME_MAX).map_err(Failure::new)?, access })
    }

    /// What the center says of itself.
    ///
    /// # Errors
    /// As [`Operator::get`].
    pub fn center(&self) -> Result<CenterInfo, Failure> {
        self.get("/center")
    }

    /// Asks.
    ///
    /// # Errors
    /// What the center refuses, or that it cannot be reached.
    pub fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Failure> {
        self.send(Method::GET, path, None::<&()>)
    }

    /// Changes something.
    ///
    /// # Errors
    /// What the center refuses, or that it cannot be reached.
    pub fn post<B: Serialize, T: DeserializeOwned>(&self, path: &str, body: &B) -> Result<T, Failure> {
        self.send(Method::POST, path, Some(body))
    }

    fn send<B: Serialize, T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<&B>,
    ) -> Result<T, Failure> {
        System::new().block_on(async {
            let url = format!("{}{PREFIX}{path}", self.access.center);
            let mut request = self.http.request(method, url).bearer_auth(&self.access.token);
            if let Some(body) = body {
                request = request.json(body);
            }
            let center = &self.access.center;
            let response = request.send().await.map_err(|_| {
                Failure::new(format!("The center at {center} cannot be reached"))
                    .hint("Start it with `tuppence serve` or `tuppence center`, and name its data folder with --data.")
            })?;
            let refused = !response.status().is_success();
            let bytes = response.bytes().await.map_err(|_| {
                Failure::new(format!("The center at {center} broke off its answer"))
                    .hint("Look whether it has done what you asked before you ask again.")
            })?;
            let strange = |_| Failure::new(format!("What answers at {center} is no center of this version"));
            if refused {
                return Err(Failure::from(serde_json::from_slice::<ErrorBody>(&bytes).map_err(strange)?));
            }
            serde_json::from_slice(&bytes).map_err(strange)
        })
    }
}
