//! The prompt cache, as far as clients see it: how many tokens of a prompt were known already.

use std::sync::Mutex;

use indexmap::IndexMap;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::lock;

/// How many conversations are remembered.
const SESSIONS: usize = 256;
const BYTES_PER_TOKEN: usize = 4;
const STEP: usize = 128;
const SHORTEST: usize = 1024;

#[derive(Default)]
pub(super) struct PromptCache {
    sessions: Mutex<IndexMap<String, Session>>,
}

#[derive(Default)]
struct Session {
    prompt: Vec<u8>,
    turns: usize,
}

/// What a prompt cost.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Prompt {
    pub tokens: usize,
    pub cached: usize,
    pub written: usize,
}

impl PromptCache {
    /// Counts a prompt and remembers it.
    ///
    /// `session-id` is what pins a conversation to the machine that has its cache. With a
    /// `prompt_cache_key` alone about every second request meets it: here it is exactly every
    /// second one, so that a test can tell.
    pub(super) fn meet(
        &self,
        account: &str,
        session_id: &str,
        cache_key: Option<&str>,
        body: &Value,
    ) -> Prompt {
        let (key, pinned) = match (session_id, cache_key) {
            ("", None) => return Prompt::new(serialised(body).len(), 0),
            ("", Some(key)) => (format!("{account} key {key}"), false),
            (id, _) => (format!("{account} session {id}"), true),
        };
        let prompt = serialised(body);
        let mut sessions = lock(&self.sessions);
        // Taken out and put back at the end: the front is the one unused for longest.
        let mut session = sessions.shift_remove(&key).unwrap_or_default();
        session.turns += 1;
        let met = pinned || session.turns.is_multiple_of(2);
        let common = session.prompt.iter().zip(&prompt).take_while(|(a, b)| a == b).count();
        let counted = Prompt::new(prompt.len(), if met { common } else { 0 });
        session.prompt = prompt;
        sessions.insert(key, session);
        if sessions.len() > SESSIONS {
            sessions.shift_remove_index(0);
        }
        counted
    }
}

impl Prompt {
    fn new(bytes: usize, known_bytes: usize) -> Self {
        let tokens = bytes.div_ceil(BYTES_PER_TOKEN);
        let known = known_bytes / BYTES_PER_TOKEN / STEP * STEP;
        let cached = if known < SHORTEST { 0 } else { known };
        let written = if tokens < SHORTEST { 0 } else { tokens - cached };
        Self { tokens, cached, written }
    }
}

/// What the text would be in tokens.
pub(super) fn tokens(text: &str) -> usize {
    text.len().div_ceil(BYTES_PER_TOKEN)
}

/// The prompt in the order in which the model reads it.
fn serialised(body: &Value) -> Vec<u8> {
    let mut prompt = body["instructions"].as_str().unwrap_or_default().as_bytes().to_vec();
    let items = body["input"].as_array().into_iter().flatten();
    for part in body["tools"].as_array().into_iter().flatten().chain(items) {
        prompt.push(b'\n');
        write(part, &mut prompt);
    }
    prompt
}

/// JSON, but an image counts for what a model sees in it, not for the length of its base64.
fn write(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                out.extend(name.as_bytes());
                out.push(b':');
                write(value, out);
                out.push(b',');
            }
        }
        Value::Array(values) => values.iter().for_each(|value| {
            write(value, out);
            out.push(b',');
        }),
        Value::String(text) if text.starts_with("data:") => {
            const IMAGE_TOKENS: usize = 765;
            let digest = Sha256::digest(text);
            out.extend(digest.iter().cycle().take(IMAGE_TOKENS * BYTES_PER_TOKEN));
        }
        Value::String(text) => out.extend(text.as_bytes()),
        other => out.extend(other.to_string().as_bytes()),
    }
}
