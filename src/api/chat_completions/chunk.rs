//! Chunks, written from borrowed pieces: no tree is built for a delta.

use bytes::{BufMut, BytesMut};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::protocol::Usage;

/// What every chunk of a stream begins with, and what it ends with.
#[derive(Debug)]
pub(super) struct Chunks {
    head: Vec<u8>,
    tail: &'static [u8],
}

impl Chunks {
    pub(super) fn new(id: &str, created: u64, model: &str, include_usage: bool) -> Self {
        #[derive(Serialize)]
        struct Head<'a> {
            id: &'a str,
            object: &'a str,
            created: u64,
            model: &'a str,
        }
        let head = Head { id, object: "chat.completion.chunk", created, model };
        let mut head = serde_json::to_vec(&head).expect("strings serialise");
        head.pop(); // The brace: the choices follow.
        Self { head, tail: if include_usage { br#","usage":null}"# } else { b"}" } }
    }

    /// Writes a chunk of that choice; `delta` writes the members of its delta.
    pub(super) fn delta(
        &self,
        out: &mut BytesMut,
        choice: usize,
        delta: impl FnOnce(&mut BytesMut),
    ) {
        self.start(out, choice);
        delta(out);
        out.put_slice(br#"},"logprobs":null,"finish_reason":null}]"#);
        self.end(out);
    }

    pub(super) fn finish(&self, out: &mut BytesMut, choice: usize, reason: &str) {
        self.start(out, choice);
        out.put_slice(br#"},"logprobs":null,"finish_reason":""#);
        out.put_slice(reason.as_bytes());
        out.put_slice(br#""}]"#);
        self.end(out);
    }

    /// The chunk that only tells the usage, and has no choice.
    pub(super) fn usage(&self, out: &mut BytesMut, usage: Usage) {
        self.head(out);
        out.put_slice(br#","choices":[],"usage":"#);
        out.put_slice(&serde_json::to_vec(&ChatUsage::from(usage)).expect("numbers serialise"));
        out.put_slice(b"}\n\n");
    }

    fn head(&self, out: &mut BytesMut) {
        out.reserve(self.head.len() + 256);
        out.put_slice(b"data: ");
        out.put_slice(&self.head);
    }

    /// Up to the members of the delta.
    fn start(&self, out: &mut BytesMut, choice: usize) {
        self.head(out);
        out.put_slice(br#","choices":[{"index":"#);
        match choice {
            0 => out.put_u8(b'0'),
            _ => out.put_slice(choice.to_string().as_bytes()),
        }
        out.put_slice(br#","delta":{"#);
    }

    fn end(&self, out: &mut BytesMut) {
        out.put_slice(self.tail);
        out.put_slice(b"\n\n");
    }
}

/// Writes `"name":value`; `value` is JSON.
pub(super) fn member(out: &mut BytesMut, name: &str, value: &RawValue) {
    out.put_u8(b'"');
    out.put_slice(name.as_bytes());
    out.put_slice(b"\":");
    out.put_slice(value.get().as_bytes());
}

/// Usage in the words of this dialect.
#[derive(Debug, Serialize)]
pub(super) struct ChatUsage {
    prompt_tokens: u64,
    completion_tokens: u64,
    total_tokens: u64,
    prompt_tokens_details: PromptDetails,
    completion_tokens_details: CompletionDetails,
}

#[derive(Debug, Serialize)]
struct PromptDetails {
    cached_tokens: u64,
    cache_write_tokens: u64,
    audio_tokens: u64,
}

#[derive(Debug, Serialize)]
struct CompletionDetails {
    reasoning_tokens: u64,
    audio_tokens: u64,
    accepted_prediction_tokens: u64,
    rejected_prediction_tokens: u64,
}

impl From<Usage> for ChatUsage {
    fn from(usage: Usage) -> Self {
        Self {
            prompt_tokens: usage.input_tokens,
            completion_tokens: usage.output_tokens,
            total_tokens: usage.total_tokens,
            prompt_tokens_details: PromptDetails {
                cached_tokens: usage.input_tokens_details.cached_tokens,
                cache_write_tokens: usage.input_tokens_details.cache_write_tokens,
                audio_tokens: 0,
            },
            completion_tokens_details: CompletionDetails {
                reasoning_tokens: usage.output_tokens_details.reasoning_tokens,
                audio_tokens: 0,
                accepted_prediction_tokens: 0,
                rejected_prediction_tokens: 0,
            },
        }
    }
}
