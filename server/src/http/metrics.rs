//! `/metrics` in the OpenMetrics text format.

use std::fmt;
use std::sync::Mutex;
use std::time::Duration;

use actix_web::http::header::CONTENT_TYPE;
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpResponse, web};
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{EncodeLabel, EncodeLabelSet, LabelSetEncoder};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use crate::http::error::ApiError;

const TEXT: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Bounds of the time histogram, in seconds.
const SECONDS: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0];

/// What one origin counts.
pub struct Metrics {
    registry: Mutex<Registry>,
    requests: Family<Request, Counter>,
    seconds: Family<Route, Histogram>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Request {
    route: Route,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Route {
    method: &'static str,
    route: String,
}

impl Metrics {
    /// Metrics with the requests' families and what `register` adds.
    pub fn new(register: impl FnOnce(&mut Registry)) -> Self {
        let mut registry = Registry::with_prefix("tuppence");
        let requests = Family::default();
        let seconds = Family::new_with_constructor((|| Histogram::new(SECONDS)) as fn() -> Histogram);
        registry.register("http_requests", "Requests answered", requests.clone());
        registry.register("http_request_seconds", "Time until the answer", seconds.clone());
        register(&mut registry);
        Metrics { registry: Mutex::new(registry), requests, seconds }
    }

    /// Counts a request.
    pub fn answered(&self, method: &Method, route: String, status: StatusCode, took: Duration) {
        // Methods are any token that a client sends; only the known ones become a label.
        let method = match *method {
            Method::GET => "GET",
            Method::POST => "POST",
            Method::HEAD => "HEAD",
            Method::OPTIONS => "OPTIONS",
            _ => "(other)",
        };
        let route = Route { method, route };
        self.seconds.get_or_create(&route).observe(took.as_secs_f64());
        self.requests.get_or_create(&Request { route, status: status.as_u16() }).inc();
    }

    fn text(&self) -> Result<String, ApiError> {
        let registry = self.registry.lock().map_err(ApiError::fault)?;
        let mut text = String::new();
        encode(&mut text, &registry).map_err(ApiError::fault)?;
        Ok(text)
    }
}

/// Answers with everything counted so far.
///
/// # Errors
/// A fault, if a counter cannot be written.
pub async fn show(metrics: web::Data<Metrics>) -> Result<HttpResponse, ApiError> {
    Ok(HttpResponse::Ok().insert_header((CONTENT_TYPE, TEXT)).body(metrics.text()?))
}

impl EncodeLabelSet for Route {
    fn encode(&self, encoder: &mut LabelSetEncoder<'_>) -> fmt::Result {
        ("method", self.method).encode(encoder.encode_label())?;
        ("route", self.route.as_str()).encode(encoder.encode_label())
    }
}

impl EncodeLabelSet for Request {
    fn encode(&self, encoder: &mut LabelSetEncoder<'_>) -> fmt::Result {
        self.route.encode(encoder)?;
        ("status", self.status).encode(encoder.encode_label())
    }
}
