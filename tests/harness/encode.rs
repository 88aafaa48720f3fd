use bytes::{Bytes, BytesMut};
use codexway::{
    api::{Chat, Dialect, Responses},
    protocol::{Event, Gather, Response},
    upstream::Error,
};
use serde_json::{Value, json};

use super::{
    chat, decode,
    decode::in_shape,
    frames::frames,
    responses,
    upstream::{Read, is_legible, read},
};

/// What an upstream streams comes to a chat client as a stream, and as a whole answer, that its
/// libraries can read; or as an error.
pub(crate) fn chat_encode(bytes: &[u8]) {
    let events = read(bytes);
    let legible = is_legible(&events);
    let ask = json!({"model": "gpt-5.5", "messages": [{"role": "user", "content": "JSON"}]});
    for (more, choices) in [
        (json!({"stream_options": {"include_usage": true}}), 1),
        (json!({"functions": [{"name": "get_weather"}], "include_reasoning": false}), 1),
        (json!({"response_format": {"type": "json_object"}, "n": 2}), 2),
    ] {
        let body = with(ask.clone(), more);
        let (stream, well) = streamed::<Chat>(&body, &events, choices);
        let answer = whole::<Chat>(&body, &events, choices);
        if legible {
            chat::stream(&frames(text(&stream)), well, &body, choices);
            answer.into_iter().for_each(|answer| chat::whole(&json(&answer), &body, choices));
        }
    }
}

/// The same for a client of the responses endpoint.
pub(crate) fn responses_encode(bytes: &[u8]) {
    let events = read(bytes);
    let legible = is_legible(&events);
    let ask = json!({"model": "gpt-5.5", "input": "JSON"});
    for more in [
        json!({"metadata": {"a": "b"}, "stream_options": {"include_obfuscation": false}}),
        json!({"store": false, "include": ["reasoning.encrypted_content"]}),
    ] {
        let body = with(ask.clone(), more);
        let (stream, _) = streamed::<Responses>(&body, &events, 1);
        let answer = whole::<Responses>(&body, &events, 1);
        if legible {
            responses::stream(&frames(text(&stream)));
            answer.into_iter().for_each(|answer| responses::whole(&json(&answer)));
        }
    }
}

fn with(mut value: Value, more: Value) -> Value {
    for (key, member) in more.as_object().expect("members") {
        value[key] = member.clone();
    }
    value
}

/// What the client is streamed, and whether it ends well.
fn streamed<D: Dialect>(body: &Value, events: &[Read], choices: usize) -> (Bytes, bool) {
    let body = body.to_string();
    let mut dialect = decode::<D>(body.as_bytes()).expect("a sound request").dialect;
    let mut out = BytesMut::new();
    dialect.keep_alive(&mut out);
    let failed = follow(events, choices, |choice, event| {
        dialect.encode(choice, event, &mut out).map(|_| ())
    });
    let failed = failed.err().map(D::told);
    if let Some(error) = &failed {
        dialect.fail(error, &mut out);
    }
    drop(dialect.record());
    (out.freeze(), failed.is_none())
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("text")
}

fn json(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).expect("an answer is JSON")
}

/// The whole answer; an error must be one that can be told.
fn whole<D: Dialect>(body: &Value, events: &[Read], choices: usize) -> Option<Bytes> {
    let body = body.to_string();
    let mut dialect = decode::<D>(body.as_bytes()).expect("a sound request").dialect;
    let mut gathers: Vec<Gather> = std::iter::repeat_with(Gather::new).take(choices).collect();
    let mut responses: Vec<Option<Response>> = vec![None; choices];
    let well = follow(events, choices, |choice, event| {
        responses[choice] = gathers[choice].event(event)?;
        Ok(())
    });
    let answer = well.and_then(|()| dialect.reply(responses.into_iter().flatten().collect()));
    drop(dialect.record());
    match answer {
        Ok(answer) => Some(answer),
        Err(error) => {
            let error = D::told(error);
            in_shape(&json(&error.json()));
            None
        }
    }
}

/// Has every choice take each event, until the last one or an error.
fn follow(
    events: &[Read],
    choices: usize,
    mut take: impl FnMut(usize, &Event) -> Result<(), Error>,
) -> Result<(), Error> {
    for event in events {
        let event = event.as_ref().map_err(|error| Error::Garbled(error.to_string()))?;
        for choice in 0..choices {
            take(choice, event)?;
        }
        if event.kind.is_terminal() {
            return Ok(());
        }
    }
    Err(Error::Truncated)
}
