//! The body of a request, within its limits.

use std::{
    io::{self, Read},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use axum::body::{Body, HttpBody};
use bytes::{Buf, Bytes, BytesMut};
use http::{HeaderMap, StatusCode, header};
use http_body_util::BodyExt;

use super::{App, Error};
use crate::protocol::without_halves;

/// How long a body that is too large is still read, so that the client hears why it failed:
/// most write all of it before they look at the answer.
const DRAIN: Duration = Duration::from_secs(10);

/// How much room is made at once for a body that says how large it is.
const AT_ONCE: usize = 2 * 1024 * 1024;

/// How much of what it has written a zstd decoder has to remember, as a power of two: 8 MiB, the
/// most that RFC 9659 lets a client ask for. The first bytes of a body say how much it is, and as
/// much is set aside at once.
const WINDOW_LOG: u32 = 23;

/// Room for one large body, kept for the next: the system would have to clear it anew.
#[derive(Debug, Default)]
pub(super) struct Room(Mutex<BytesMut>);

impl Room {
    fn take(&self) -> BytesMut {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Lets go of a body. What it took stays here, where it was much, and not too much.
    pub(super) fn give_back(&self, body: Bytes) {
        const LARGE: usize = 64 * 1024;
        let Ok(mut room) = body.try_into_mut() else { return };
        if (LARGE..=AT_ONCE).contains(&room.capacity()) {
            room.clear();
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = room;
        }
    }
}

/// The whole body, decompressed, and in whole characters.
///
/// # Errors
/// When it is larger than the settings let it be, compressed in a way that is not known, or breaks
/// off.
pub(super) async fn read(app: &App, headers: &HeaderMap, body: Body) -> Result<Bytes, Error> {
    decompressed(app, headers, body).await.map(legible)
}

/// The JSON without a mark of its byte order, and with U+FFFD for each half of a character: clients
/// that cut a text by its length in UTF-16 leave such halves, which no text can hold, and then send
/// them with each request of the conversation.
fn legible(mut body: Bytes) -> Bytes {
    const MARK: &[u8] = b"\xef\xbb\xbf";
    if body.starts_with(MARK) {
        body.advance(MARK.len());
    }
    without_halves(&body).map_or(body, Bytes::from)
}

async fn decompressed(app: &App, headers: &HeaderMap, body: Body) -> Result<Bytes, Error> {
    let limit = app.server().max_body;
    let raw = collect(body, limit, app.room()).await?;
    let encoding = headers.get(header::CONTENT_ENCODING);
    let encoding = encoding.map(|value| value.to_str().unwrap_or("?").trim().to_ascii_lowercase());
    match encoding.as_deref() {
        None | Some("" | "identity") => Ok(raw),
        Some("zstd") => {
            let bounded = || {
                let mut decoder = zstd::Decoder::new(&raw[..])?;
                decoder.window_log_max(WINDOW_LOG)?;
                Ok(decoder)
            };
            decompress("zstd", bounded().map_err(|error| damaged("zstd", &error))?, limit)
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

async fn collect(mut body: Body, limit: usize, room: &Room) -> Result<Bytes, Error> {
    let announced = usize::try_from(body.size_hint().lower()).map_or(AT_ONCE, |n| n.min(AT_ONCE));
    let mut first: Option<Bytes> = None;
    let mut more = BytesMut::new();
    let mut size = 0;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| broken(&error))?;
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
                    more = room.take();
                    more.reserve(announced.min(limit));
                    more.extend_from_slice(start);
                }
                more.extend_from_slice(&chunk);
            }
        }
    }
    Ok(if more.is_empty() { first.unwrap_or_default() } else { more.freeze() })
}

fn broken(error: &axum::Error) -> Error {
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        let late = |error: &io::Error| error.kind() == io::ErrorKind::TimedOut;
        if error.downcast_ref().is_some_and(late) {
            return Error::new(
                StatusCode::REQUEST_TIMEOUT,
                "invalid_request_error",
                "The body came too slowly to be waited for any longer; send it again, all at once.",
            )
            .code("request_timeout");
        }
        cause = error.source();
    }
    Error::invalid(format!("The body broke off: {error}.")).code("incomplete_body")
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

fn damaged(name: &str, error: &io::Error) -> Error {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_room_of_a_large_body_is_kept_unless_somebody_still_has_it() {
        let room = Room::default();
        let body = |len: usize| BytesMut::zeroed(len).freeze();
        room.give_back(body(100_000));
        let taken = room.take();
        assert!(taken.is_empty() && taken.capacity() >= 100_000);
        assert_eq!(room.take().capacity(), 0);
        let held = body(100_000);
        room.give_back(held.clone());
        room.give_back(body(1000));
        room.give_back(body(2 * AT_ONCE));
        assert_eq!(room.take().capacity(), 0);
        assert_eq!(held.len(), 100_000);
    }
}
