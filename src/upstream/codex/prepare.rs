//! What the backend insists on, whatever was asked.

use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use zstd::bulk::Compressor;

use super::Error;
use crate::protocol::{Failure, Request, raw};

/// Below this a request is sent as it is: there is nothing to win.
const WORTH_COMPRESSING: usize = 1024;

/// The level the official client uses too; a higher one costs more time than the upload it saves.
const LEVEL: i32 = 3;

/// Compresses the bodies of turns. What the compressor has set aside for one is kept for the next.
#[derive(Default)]
pub(super) struct Packer(Mutex<Option<Compressor<'static>>>);

impl Packer {
    fn pack(&self, json: &[u8]) -> std::io::Result<Vec<u8>> {
        let kept = self.kept().take();
        let mut compressor = kept.map_or_else(|| Compressor::new(LEVEL), Ok)?;
        let packed = compressor.compress(json)?;
        *self.kept() = Some(compressor);
        Ok(packed)
    }

    fn kept(&self) -> MutexGuard<'_, Option<Compressor<'static>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The body of a turn, and its content-encoding.
pub(super) fn body(
    request: &Request,
    packer: Option<&Packer>,
) -> Result<(Bytes, Option<&'static str>), Error> {
    let json = request.to_json().map_err(|error| unserializable(&error))?;
    match packer.filter(|_| json.len() >= WORTH_COMPRESSING) {
        None => Ok((json.into(), None)),
        Some(packer) => {
            let packed = packer.pack(&json).map_err(|error| unserializable(&error))?;
            Ok((packed.into(), Some("zstd")))
        }
    }
}

/// A request that cannot be written.
pub(super) fn unserializable(reason: &dyn ToString) -> Error {
    let message = Some(format!("the request cannot be written: {}", reason.to_string()));
    Error::Invalid(Failure { message, ..Failure::default() })
}

/// Fills in what the backend wants to be told.
pub(super) fn insist(request: &mut Request) {
    request.stream = true; // The backend only streams.
    request.store = false; // It stores nothing for a plan.
    // In some months it refused requests without instructions, never those with empty ones.
    request.instructions.get_or_insert_with(|| raw(""));
    // Without it every tool call would make the model think from the start again.
    const REASONING: &str = "reasoning.encrypted_content";
    if !request.include.iter().any(|name| name == REASONING) {
        request.include.push(REASONING.to_owned());
    }
    if request.tools.as_ref().is_some_and(|tools| !tools.is_empty()) {
        // As the official client has it: nothing about tools is left to a default.
        request.tool_choice.get_or_insert_with(|| raw("auto"));
        request.parallel_tool_calls.get_or_insert(true);
    } else if request.parallel_tool_calls == Some(true) {
        request.parallel_tool_calls = None; // Without tools it is not known to be accepted.
    }
}
