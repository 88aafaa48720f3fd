//! What the backend insists on, whatever was asked.

use std::{
    io,
    sync::{Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use zstd::bulk::Compressor;

use super::Error;
use crate::protocol::{Failure, Request, raw};

/// Below this a request is sent as it is: there is nothing to win.
const WORTH_COMPRESSING: usize = 1024;

/// The level the official client uses too; a higher one costs more time than the upload it saves.
const LEVEL: i32 = 3;

/// The most that is kept of a turn's room for the next, in bytes.
const KEPT: usize = 2 * 1024 * 1024;

/// Compresses the bodies of turns. What has been set aside for one is kept for the next: the system
/// would have to clear it anew.
#[derive(Default)]
pub(super) struct Packer(Mutex<Option<Tools>>);

struct Tools {
    json: Vec<u8>,
    compressor: Compressor<'static>,
}

impl Packer {
    fn pack(&self, request: &Request) -> io::Result<(Bytes, Option<&'static str>)> {
        let kept = self.kept().take();
        let new = || Ok(Tools { json: Vec::new(), compressor: Compressor::new(LEVEL)? });
        let mut tools = kept.map_or_else(new, Ok::<_, io::Error>)?;
        tools.json.clear();
        request.write_to(&mut tools.json)?;
        let packed = match tools.json.len() < WORTH_COMPRESSING {
            true => (Bytes::copy_from_slice(&tools.json), None),
            false => (tools.compressor.compress(&tools.json)?.into(), Some("zstd")),
        };
        if tools.json.capacity() > KEPT {
            tools.json = Vec::new();
        }
        *self.kept() = Some(tools);
        Ok(packed)
    }

    fn kept(&self) -> MutexGuard<'_, Option<Tools>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The body of a turn, and its content-encoding.
pub(super) fn body(
    request: &Request,
    packer: Option<&Packer>,
) -> Result<(Bytes, Option<&'static str>), Error> {
    match packer {
        Some(packer) => packer.pack(request).map_err(|error| unserializable(&error)),
        None => {
            let mut json = Vec::new();
            request.write_to(&mut json).map_err(|error| unserializable(&error))?;
            Ok((json.into(), None))
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
