//! What must hold whatever comes in: of the bytes of a client, and of the bytes of an upstream.
//!
//! Each function takes bytes and panics where something does not hold. The property tests
//! (`tests/it/properties`) and the fuzz targets (`fuzz/`) run the same ones.

use std::sync::LazyLock;

use codexway::{
    api::{Client, Decoded, Dialect, object},
    config::{self, Profile, Sources},
};
use http::HeaderMap;

mod chat;
mod decode;
mod encode;
mod files;
pub(crate) mod frames;
mod json;
mod responses;
mod shape;
mod sse;
mod upstream;

pub(crate) use decode::{chat_decode, compact_decode, responses_decode};
pub(crate) use encode::{chat_encode, responses_encode};
pub(crate) use files::{auth_json, config};
pub(crate) use shape::shape;
pub(crate) use sse::sse;

/// Reads a request of a client that has no settings of its own.
fn decode<D: Dialect>(body: &[u8]) -> Result<Decoded<D>, codexway::api::Error> {
    static PROFILE: LazyLock<Profile> = LazyLock::new(|| {
        let mut settings = config::load(&Sources::default()).expect("the defaults").settings;
        settings.profiles.remove("codex").expect("the default profile")
    });
    let headers = HeaderMap::new();
    let environment = Vec::new();
    let client = Client { headers: &headers, profile: &PROFILE, platform: false, environment };
    D::decode(object(body)?, &client)
}
