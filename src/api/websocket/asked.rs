//! What a message asks for.

use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::value::RawValue;

use super::memory::{Draft, Memory, items};
use crate::{
    api::{Error, fields},
    protocol::{Item, Object, raw},
};

/// What begins the name of a header that stands in the metadata, since a message has none.
const HEADER: &str = "ws_request_header_";

pub(super) enum Asked {
    /// A turn: the body of a POST, the headers that it brings, and what is remembered of it so far.
    Turn(Vec<u8>, HeaderMap, Draft),
    /// Nothing is to be said yet; this is what will be gone on from.
    WarmUp { model: String, items: Vec<Item> },
    /// A message that wants no answer.
    Nothing,
}

impl Asked {
    /// Reads a message of a client whose connection remembers `memory`.
    ///
    /// # Errors
    /// When it is no message that is known.
    pub(super) fn read(message: &[u8], memory: Option<&Memory>) -> Result<Self, Error> {
        let mut asked = fields::object(message)?;
        match asked.str("type").as_deref() {
            Some("response.create") => {}
            Some("response.processed") => return Ok(Self::Nothing),
            Some(other) => {
                let message = format!("'{other}'. Supported values are: 'response.create'");
                return Err(Error::wrong_value("type", message));
            }
            None => return Err(Error::missing("type")),
        }
        asked.remove("type");
        let is_warm_up = asked.remove("generate").is_some_and(|value| value.get() == "false");
        let known = memory
            .filter(|memory| asked.str("previous_response_id").as_deref() == Some(&memory.id));
        let told = asked.get("input").and_then(items);
        let mut input = known.map_or_else(Vec::new, |memory| memory.items.clone());
        let is_told = told.is_some();
        if known.is_some() && is_told {
            asked.remove("previous_response_id");
        }
        input.extend(told.into_iter().flatten());
        if is_warm_up {
            let model = asked.str("model").ok_or_else(|| Error::missing("model"))?.into_owned();
            return Ok(Self::WarmUp { model, items: input });
        }
        let is_stored = asked.get("store").is_none_or(|store| store.get() != "false");
        if known.is_some() && is_told {
            asked.set("input", raw(&input));
        }
        asked.set("stream", raw(&true));
        let headers = headers(&mut asked);
        let body =
            serde_json::to_vec(&*asked).map_err(|error| Error::invalid(error.to_string()))?;
        // What the store knows of the response need not be remembered here too.
        let items = if is_stored { Vec::new() } else { input };
        Ok(Self::Turn(body, headers, Draft { items, is_stored }))
    }
}

/// Takes the headers out of the metadata.
fn headers(asked: &mut Object<'_>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let metadata = asked.get("client_metadata").map(RawValue::get).unwrap_or_default();
    if !metadata.contains(HEADER) {
        return headers;
    }
    let Ok(metadata) = serde_json::from_str::<Object<'_>>(metadata) else { return headers };
    let mut rest = Object::default();
    for (name, value) in metadata.iter() {
        let Some(header) = name.strip_prefix(HEADER) else {
            rest.add(name, value.to_owned());
            continue;
        };
        let header = header.replace('_', "-");
        // What says who asks was settled when the connection was made.
        let header = header.starts_with("x-").then(|| header.parse::<HeaderName>().ok());
        let value =
            crate::protocol::raw_str(value).and_then(|text| text.parse::<HeaderValue>().ok());
        if let (Some(Some(header)), Some(value)) = (header, value) {
            headers.insert(header, value);
        }
    }
    let rest = raw(&rest);
    asked.set("client_metadata", rest);
    headers
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn turn(message: &Value, memory: Option<&Memory>) -> (Value, HeaderMap, Draft) {
        match Asked::read(message.to_string().as_bytes(), memory).unwrap() {
            Asked::Turn(body, headers, draft) => {
                (serde_json::from_slice(&body).unwrap(), headers, draft)
            }
            Asked::WarmUp { .. } | Asked::Nothing => panic!("it is a turn"),
        }
    }

    #[test]
    fn what_is_remembered_comes_before_what_is_new() {
        let item = |text: &str| json!({"role": "user", "content": text});
        let memory = Memory { id: "resp_1".to_owned(), items: vec![Item::new(&item("one"))] };
        let asked = |previous: &str| {
            json!({"type": "response.create", "model": "m", "store": false, "input": [item("two")],
                "previous_response_id": previous})
        };
        let (body, _, draft) = turn(&asked("resp_1"), Some(&memory));
        let joined = json!([item("one"), item("two")]);
        assert_eq!(body, json!({"model": "m", "store": false, "input": joined, "stream": true}));
        assert_eq!(draft.items.len(), 2);
        // Another response is looked for where responses are kept.
        let (body, _, _) = turn(&asked("resp_2"), Some(&memory));
        assert_eq!(
            (&body["previous_response_id"], &body["input"]),
            (&json!("resp_2"), &json!([item("two")]))
        );
    }

    #[test]
    fn headers_stand_in_the_metadata_and_say_nothing_of_who_asks() {
        let metadata = json!({"a": "b", "ws_request_header_x_openai_subagent": "review",
            "ws_request_header_authorization": "Bearer stolen"});
        let asked = json!({"type": "response.create", "input": "hi", "client_metadata": metadata});
        let (body, headers, _) = turn(&asked, None);
        assert_eq!(body["client_metadata"], json!({"a": "b"}));
        assert_eq!(
            (headers.len(), &headers["x-openai-subagent"]),
            (1, &HeaderValue::from_static("review"))
        );
    }
}
