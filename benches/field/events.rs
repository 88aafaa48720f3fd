//! What the backend answers, made once and sent as often as needed.

use bytes::{BufMut, Bytes, BytesMut};
use serde_json::{Value, json};

/// The head of every streamed answer.
pub(crate) const HEAD: &[u8] =
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";

/// What ends it.
pub(crate) const END: &[u8] = b"0\r\n\r\n";

/// The first word of every answer: who reads it has the first content.
pub(crate) const FIRST: &[u8] = b"lighthouse";

/// What a moment looks like within a delta: a letter and so many digits.
pub(crate) const STAMP: &[u8] = b"\"t0000000000000000\"";

/// A whole answer, head and all, with `n` deltas; each event is a chunk of its own.
pub(crate) fn answer(n: usize) -> Bytes {
    let mut out = BytesMut::from(HEAD);
    out.extend_from_slice(&beginning());
    for _ in 1..n {
        out.extend_from_slice(&delta(" further"));
    }
    out.extend_from_slice(&ending());
    out.freeze()
}

/// The events up to the first content.
pub(crate) fn beginning() -> Bytes {
    let first = std::str::from_utf8(FIRST).expect("it is text");
    let item = json!({"id": MESSAGE, "type": "message", "status": "in_progress", "content": [], "phase": "final_answer", "role": "assistant"});
    let part = json!({"type": "output_text", "annotations": [], "logprobs": [], "text": ""});
    let mut out = BytesMut::new();
    for event in [
        json!({"type": "response.created", "response": response("in_progress"), "sequence_number": 0}),
        json!({"type": "response.in_progress", "response": response("in_progress"), "sequence_number": 1}),
        json!({"type": "response.output_item.added", "item": item, "output_index": 0, "sequence_number": 2}),
        json!({"type": "response.content_part.added", "content_index": 0, "item_id": MESSAGE, "output_index": 0, "part": part, "sequence_number": 3}),
    ] {
        out.extend_from_slice(&chunk(&event));
    }
    out.extend_from_slice(&delta(first));
    out.freeze()
}

/// One delta.
pub(crate) fn delta(text: &str) -> Bytes {
    chunk(&json!({
        "type": "response.output_text.delta", "content_index": 0, "delta": text,
        "item_id": MESSAGE, "logprobs": [], "obfuscation": "aZ3kQ9xW1mTb7", "output_index": 0,
        "sequence_number": 4,
    }))
}

/// The events behind the last content, and the end of the body.
pub(crate) fn ending() -> Bytes {
    let part = json!({"type": "output_text", "annotations": [], "logprobs": [], "text": "said"});
    let item = json!({"id": MESSAGE, "type": "message", "status": "completed", "content": [part], "phase": "final_answer", "role": "assistant"});
    let mut out = BytesMut::new();
    for event in [
        json!({"type": "response.output_text.done", "content_index": 0, "item_id": MESSAGE, "logprobs": [], "output_index": 0, "text": "said", "sequence_number": 5}),
        json!({"type": "response.content_part.done", "content_index": 0, "item_id": MESSAGE, "output_index": 0, "part": part, "sequence_number": 6}),
        json!({"type": "response.output_item.done", "item": item, "output_index": 0, "sequence_number": 7}),
        json!({"type": "response.completed", "response": response("completed"), "sequence_number": 8}),
    ] {
        out.extend_from_slice(&chunk(&event));
    }
    out.extend_from_slice(END);
    out.freeze()
}

const MESSAGE: &str = "msg_982d9e3eb996f559016ab13b80a5134a639ad2837e45578392";

fn response(status: &str) -> Value {
    let completed = status == "completed";
    let usage = json!({"input_tokens": 812, "input_tokens_details": {"cached_tokens": 768}, "output_tokens": 21, "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": 833});
    json!({
        "id": "resp_982d9e3eb996f559016ab13b80982d9e3eb996f559e633f4d1", "object": "response",
        "created_at": 1_790_000_000, "status": status, "background": false,
        "completed_at": completed.then_some(1_790_000_003), "error": null,
        "incomplete_details": null, "instructions": "", "max_output_tokens": null,
        "model": "gpt-5.5", "output": [], "parallel_tool_calls": true, "previous_response_id": null,
        "prompt_cache_key": "0f2d6f2e-2f0c-8c3a-9d5b-1d3f5a7b9c0e",
        "reasoning": {"effort": "medium", "summary": "auto"}, "service_tier": "auto",
        "store": false, "temperature": 1.0, "text": {"format": {"type": "text"}, "verbosity": "medium"},
        "tool_choice": "auto", "tools": [], "top_p": 0.98, "truncation": "disabled",
        "usage": completed.then_some(usage), "user": null, "metadata": {},
    })
}

/// One event as server-sent text, in one chunk of HTTP.
fn chunk(event: &Value) -> Bytes {
    let name = event["type"].as_str().unwrap_or_default();
    let text = format!("event: {name}\ndata: {event}\n\n");
    let mut out = BytesMut::with_capacity(text.len() + 16);
    out.put_slice(format!("{:x}\r\n{text}\r\n", text.len()).as_bytes());
    out.freeze()
}
