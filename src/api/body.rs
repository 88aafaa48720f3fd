//! The body of a request, within its limits.

use std::{io::Read, time::Duration};

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, StatusCode, header};
use http_body_util::BodyExt;

use super::Error;

/// How long a body that is too large is still read, so that the client hears why it failed:
/// most write all of it before they look at the answer.
const DRAIN: Duration = Duration::from_secs(10);

/// The whole body, decompressed.
///
/// # Errors
/// When it is larger than `limit`, compressed in a way that is not known, or breaks off.
pub(super) async fn read(headers: &HeaderMap, body: Body, limit: usize) -> Result<Bytes, Error> {
    let raw = collect(body, limit).await?;
    let encoding = headers.get(header::CONTENT_ENCODING).map(|value| value.to_str().unwrap_or("?"));
    match encoding.map(str::trim) {
        None | Some("" | "identity") => Ok(raw),
        Some("zstd") => {
            let decoder = zstd::Decoder::new(&raw[..]).map_err(|error| damaged("zstd", &error))?;
            decompress("zstd", decoder, limit)
        }
        Some("gzip" | "x-gzip") => {
            decompress("gzip", flate2::read::MultiGzDecoder::new(&raw[..]), limit)
        }
        Some(other) => Err(Error::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "invalid_request_error",
            format!(
                "The content-encoding '{other}' is not supported: send `zstd`, `gzip` or none."
            ),
        )
        .code("unsupported_content_encoding")),
    }
}

async fn collect(mut body: Body, limit: usize) -> Result<Bytes, Error> {
    let mut first: Option<Bytes> = None;
    let mut more = BytesMut::new();
    let mut size = 0;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| {
            Error::invalid(format!("The body broke off: {error}.")).code("incomplete_body")
        })?;
        let Ok(chunk) = frame.into_data() else { continue };
        size += chunk.len();
        if size > limit {
            drop((first, more));
            drain(body).await;
            return Err(too_large(limit));
        }
        match &first {
            None => first = Some(chunk),
            Some(start) => {
                if more.is_empty() {
                    more.extend_from_slice(start);
                }
                more.extend_from_slice(&chunk);
            }
        }
    }
    Ok(if more.is_empty() { first.unwrap_or_default() } else { more.freeze() })
}

async fn drain(mut body: Body) {
    let rest = async { while let Some(Ok(_)) = body.frame().await {} };
    let _ = tokio::time::timeout(DRAIN, rest).await;
}

fn decompress(name: &str, decoder: impl Read, limit: usize) -> Result<Bytes, Error> {
    let mut plain = Vec::new();
    let read = decoder.take(limit as u64 + 1).read_to_end(&mut plain);
    read.map_err(|error| damaged(name, &error))?;
    if plain.len() > limit {
        return Err(too_large(limit));
    }
    Ok(plain.into())
}

fn damaged(name: &str, error: &std::io::Error) -> Error {
    Error::invalid(format!("The body is not the {name} that its content-encoding says: {error}."))
}

fn too_large(limit: usize) -> Error {
    Error::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        "invalid_request_error",
        format!(
            "The body is larger than {limit} bytes; `server.max_body` in the settings is the limit."
        ),
    )
    .code("request_too_large")
}
