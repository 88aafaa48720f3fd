use std::collections::HashSet;

use codexway::{
    api::{Chat, Compact, Decoded, Dialect, Error, Responses},
    protocol::{Item, Object, Request},
    shaping::{self, call_id},
};
use http::HeaderMap;
use serde_json::Value;

use super::{decode, json::reads_alike};

/// The fields that the backend takes; it refuses all others.
const ACCEPTED: [&str; 15] = [
    "model",
    "instructions",
    "input",
    "tools",
    "tool_choice",
    "parallel_tool_calls",
    "reasoning",
    "store",
    "stream",
    "include",
    "prompt_cache_key",
    "text",
    "service_tier",
    "client_metadata",
    "stream_options",
];

/// A body that is posted to the chat endpoint is a request that the backend takes, or an error
/// that is the client's.
pub(crate) fn chat_decode(body: &[u8]) {
    let Some(request) = request::<Chat>(body) else { return };
    for item in &request.input {
        let head = item.head();
        if let Some(id) = head.call_id {
            assert!(id.chars().count() <= 64 && call_id(&id) == id, "a long id: {id}");
        }
    }
    for tool in request.tools.iter().flatten() {
        let tool: Object<'_> = serde_json::from_str(tool.get()).expect("a tool is an object");
        if tool.str("type").as_deref() == Some("function") {
            let strict = tool.get("strict").map(|strict| strict.get().to_owned());
            assert!(matches!(strict.as_deref(), Some("true" | "false")), "{strict:?}");
            let name = tool.str("name").expect("a function has a name");
            let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
            assert!((1..=64).contains(&name.len()) && name.chars().all(plain), "{name}");
        }
    }
}

/// The same of the responses endpoint.
pub(crate) fn responses_decode(body: &[u8]) {
    drop(request::<Responses>(body));
}

/// And of the one that makes a conversation shorter.
pub(crate) fn compact_decode(body: &[u8]) {
    drop(request::<Compact>(body));
}

fn request<D: Dialect>(body: &[u8]) -> Option<Request> {
    reads_alike(body);
    match decode::<D>(body) {
        Ok(decoded) => Some(sound(decoded)),
        Err(error) => {
            refused(&error);
            None
        }
    }
}

/// The request as it would be sent.
fn sound<D: Dialect>(decoded: Decoded<D>) -> Request {
    let Decoded { mut dialect, mut request, choices, references, .. } = decoded;
    assert!((1..=128).contains(&choices), "{choices} choices");
    for reference in references {
        assert!(reference.place <= request.input.len(), "{reference:?}");
    }
    dialect.ready(&mut request.input);
    shaping::conversation(&mut request, &HeaderMap::new(), None, decoded.user.as_deref());
    let key = request.prompt_cache_key.as_deref().expect("every conversation has a name");
    assert!((1..=64).contains(&key.len()), "{key}");

    let json = serde_json::to_vec(&request).expect("a request can be written");
    let fields = Object::parse(&json).expect("a request is one object");
    let mut seen = HashSet::new();
    for (name, _) in fields.iter() {
        assert!(ACCEPTED.contains(&name), "the backend does not know `{name}`");
        assert!(seen.insert(name.to_owned()), "`{name}` stands twice");
    }
    request.input.iter().for_each(passes);
    request
}

fn passes(item: &Item) {
    assert!(item.json().get().starts_with('{'), "{}", item.json());
    let head = item.head();
    assert!(head.role.as_deref() != Some("system"), "{}", item.json());
    assert!(head.id.is_none(), "{}", item.json());
}

/// An error is in OpenAI's shape, and says that the client is at fault.
pub(super) fn refused(error: &Error) {
    assert!(error.status.is_client_error(), "{error:?}");
    in_shape(&serde_json::from_slice(&error.json()).expect("an error is JSON"));
}

/// `{"error":{"message","type","param","code"}}`, each of its type.
#[track_caller]
pub(super) fn in_shape(body: &Value) {
    let error = body["error"].as_object().unwrap_or_else(|| panic!("no error: {body}"));
    assert_eq!(body.as_object().map(serde_json::Map::len), Some(1), "{body}");
    let keys: Vec<&str> = error.keys().map(String::as_str).collect();
    assert_eq!(keys, ["message", "type", "param", "code"], "{body}");
    assert!(error["message"].as_str().is_some_and(|message| !message.is_empty()), "{body}");
    assert!(error["type"].is_string(), "{body}");
    for name in ["param", "code"] {
        assert!(error[name].is_string() || error[name].is_null(), "{body}");
    }
}
