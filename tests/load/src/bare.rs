//! What the web server alone can do: an endpoint that takes a body and returns another of the same sizes as a
//! payment's, with as many workers as the program has, and nothing else.

use std::net::Ipv4Addr;

use actix_web::http::header::ContentType;
use actix_web::web::{self, Bytes, Data};
use actix_web::{App, HttpResponse, HttpServer};
use anyhow::Result;

/// Where it takes bodies.
pub const PATH: &str = "/take";

/// Serves on `port` until a signal ends it; an answer has `answer_bytes`.
///
/// # Errors
/// If the port is taken.
pub fn serve(port: u16, answer_bytes: usize) -> Result<()> {
    let answer = Bytes::from(vec![b'x'; answer_bytes]);
    actix_web::rt::System::new().block_on(async move {
        HttpServer::new(move || {
            App::new()
                .app_data(Data::new(answer.clone()))
                .route(PATH, web::post().to(take))
                .route("/health", web::get().to(async || HttpResponse::Ok().body("{}")))
        })
        .workers(std::thread::available_parallelism().map_or(2, usize::from))
        .bind((Ipv4Addr::LOCALHOST, port))?
        .run()
        .await
    })?;
    Ok(())
}

async fn take(body: Bytes, answer: Data<Bytes>) -> HttpResponse {
    // The body was read to its end, which is all that is asked of it.
    drop(body);
    HttpResponse::Ok().content_type(ContentType::json()).body(Bytes::clone(&answer))
}
