//! Pictures beside articles and campaigns (T28).

use actix_web::HttpResponse;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName};
use actix_web::web::{Data, Path};

use super::StorefrontApi;
use crate::http::error::ApiError;

/// Bytes of a picture.
const PICTURE_BYTES_MAX: u64 = 20 * 1024 * 1024;
/// Pages of wallets show pictures of shops.
const CORP: (HeaderName, &str) = (HeaderName::from_static("cross-origin-resource-policy"), "cross-origin");
/// A picture opened alone may do nothing, whatever an SVG says.
const SANDBOX: (HeaderName, &str) =
    (CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox; frame-ancestors 'none'");

pub(super) async fn picture(
    api: Data<StorefrontApi>,
    path: Path<(String, String, String)>,
) -> Result<HttpResponse, ApiError> {
    let (root, seal, file) = path.into_inner();
    let shop = api.shop.clone();
    let read = tokio::task::spawn_blocking(move || {
        let (file, media_type) = shop.picture(&root, &seal, &file)?;
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut std::io::Read::take(file, PICTURE_BYTES_MAX), &mut bytes).ok()?;
        Some((bytes, media_type))
    });
    let (bytes, media_type) = read.await.map_err(ApiError::fault)?.ok_or_else(ApiError::not_found)?;
    Ok(HttpResponse::Ok()
        .content_type(media_type)
        .insert_header(SANDBOX)
        .insert_header(CORP)
        .insert_header((CACHE_CONTROL, "public, max-age=3600"))
        .body(bytes))
}
