//! One origin: its pages and API behind the same limits, headers and logs.

use std::io;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::middleware::from_fn;
use actix_web::web::{self, ServiceConfig};
use actix_web::{App, HttpServer};

use crate::http::error::ApiError;
use crate::http::message::{self, BodyTime};
use crate::http::metrics::Metrics;
use crate::http::middleware::gate::InFlight;
use crate::http::middleware::headers::{self, SecurityHeaders};
use crate::http::middleware::observe::observe;

/// How much one origin takes on (T22).
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Threads that serve requests.
    pub workers: usize,
    /// Connections that are open at once, for each worker.
    pub connections_max: usize,
    /// Requests that are worked on at once.
    pub in_flight_max: usize,
    /// The longest that a request's head may take to arrive: a second or more, since actix's clock for it ticks
    /// twice a second.
    pub head_time_max: Duration,
    /// The longest that a request's body may take to arrive.
    pub body_time_max: Duration,
    /// How long an idle connection stays open.
    pub keep_alive: Duration,
    /// The longest that running requests are waited for when the origin stops.
    pub shutdown_time_max: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            workers: std::thread::available_parallelism().map_or(2, usize::from),
            connections_max: 10_000,
            in_flight_max: 4_096,
            head_time_max: Duration::from_secs(5),
            body_time_max: message::BODY_TIME_MAX,
            keep_alive: Duration::from_secs(30),
            shutdown_time_max: Duration::from_secs(10),
        }
    }
}

/// What an origin serves: called once for each worker.
pub type Configure = Arc<dyn Fn(&mut ServiceConfig) + Send + Sync>;

/// One origin.
pub struct Site {
    /// What browsers are told about its answers.
    pub headers: SecurityHeaders,
    /// What it counts; `/metrics` is a route that `configure` adds.
    pub metrics: web::Data<Metrics>,
    /// Its routes and their data.
    pub configure: Configure,
}

impl Site {
    /// Serves the origin on `listener` until the returned server is stopped. Whoever awaits it must run in an
    /// actix system; signals are left to the program.
    ///
    /// # Errors
    /// If the listener cannot be used.
    pub fn serve(self, listener: TcpListener, limits: Limits) -> io::Result<Server> {
        let in_flight = web::Data::new(InFlight::new(limits.in_flight_max));
        let Site { headers, metrics, configure } = self;
        let server = HttpServer::new(move || {
            let headers = headers.clone();
            let configure = configure.clone();
            App::new()
                .app_data(in_flight.clone())
                .app_data(BodyTime(limits.body_time_max))
                .app_data(metrics.clone())
                .configure(refusals)
                .configure(move |config| configure(config))
                .wrap(from_fn(observe))
                .wrap(from_fn(move |request, next| headers::add(headers.clone(), request, next)))
        });
        Ok(server
            .workers(limits.workers)
            .max_connections(limits.connections_max)
            .client_request_timeout(limits.head_time_max)
            .keep_alive(limits.keep_alive)
            .shutdown_timeout(limits.shutdown_time_max.as_secs())
            .disable_signals()
            .listen(listener)?
            .run())
    }
}

/// What actix refuses by itself becomes an [`ApiError`] too; unknown addresses unless `configure` says otherwise.
fn refusals(config: &mut ServiceConfig) {
    let malformed = |error: String| ApiError::new(tuppence_protocol::ErrorCode::Malformed, error);
    config
        .app_data(web::PathConfig::default().error_handler(|_, _| ApiError::not_found().into()))
        .app_data(
            web::QueryConfig::default().error_handler(move |error, _| {
                malformed(format!("The query does not parse: {error}.")).into()
            }),
        )
        .app_data(
            web::FormConfig::default().limit(64 * 1024).error_handler(move |error, _| {
                malformed(format!("The form does not parse: {error}.")).into()
            }),
        )
        .default_service(web::to(async || Err::<&'static str, _>(ApiError::not_found())));
}
