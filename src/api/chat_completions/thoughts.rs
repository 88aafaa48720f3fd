//! What a message tells of the thoughts that led to it, in the shape that OpenRouter gave this
//! dialect: `reasoning_details`.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::sent::Sent;
use crate::protocol::raw_str;

/// What a client has kept of thoughts.
pub(super) struct Thoughts<'a> {
    /// Those that the backend has sealed, which it can read again.
    pub(super) sealed: Vec<Sent<'a>>,
    /// Whether that is all that was told.
    pub(super) is_all: bool,
}

#[derive(Deserialize)]
struct Detail<'a> {
    #[serde(borrow, default, rename = "type")]
    kind: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    format: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    summary: Option<&'a RawValue>,
    #[serde(borrow, default)]
    data: Option<&'a RawValue>,
}

impl<'a> Thoughts<'a> {
    pub(super) fn read(details: Option<&'a RawValue>) -> Self {
        let mut thoughts = Self { sealed: Vec::new(), is_all: true };
        let Some(details) = details else { return thoughts };
        let Ok(details) = serde_json::from_str::<Vec<Detail<'a>>>(details.get()) else {
            return Self { is_all: false, ..thoughts };
        };
        // A summary stands before what it sums up.
        let mut summaries = Vec::new();
        for detail in details {
            let is_ours = detail.format.is_none_or(|format| format == "openai-responses-v1");
            let text = |json: Option<&'a RawValue>| {
                json.filter(|json| is_ours && raw_str(json).is_some_and(|text| !text.is_empty()))
            };
            match (detail.kind.as_deref(), text(detail.summary), text(detail.data)) {
                (Some("reasoning.summary"), Some(summary), _) => summaries.push(summary),
                (Some("reasoning.encrypted"), _, Some(encrypted_content)) => {
                    let summary = std::mem::take(&mut summaries);
                    thoughts.sealed.push(Sent::Reasoning { summary, encrypted_content });
                }
                _ => thoughts.is_all = false,
            }
        }
        thoughts.is_all &= summaries.is_empty();
        thoughts
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::protocol::raw;

    /// The items that `details` come to, and whether nothing was left out.
    fn read(details: &Value) -> (Vec<Value>, bool) {
        let details = raw(details);
        let Thoughts { sealed, is_all } = Thoughts::read(Some(&details));
        let item = |sent: &Sent<'_>| serde_json::from_str(sent.item().json().get()).unwrap();
        (sealed.iter().map(item).collect(), is_all)
    }

    #[test]
    fn what_is_sealed_goes_back_with_its_summary() {
        let details = json!([
            {"type": "reasoning.summary", "summary": "a", "format": "openai-responses-v1"},
            {"type": "reasoning.encrypted", "data": "gAAA1", "id": "rs_1", "index": 0},
            {"type": "reasoning.encrypted", "data": "gAAA2", "format": null},
        ]);
        let item = |summary: Value, sealed: &str| json!({"type": "reasoning", "summary": summary, "encrypted_content": sealed});
        let summary = json!([{"type": "summary_text", "text": "a"}]);
        assert_eq!(read(&details), (vec![item(summary, "gAAA1"), item(json!([]), "gAAA2")], true));
    }

    #[test]
    fn what_the_backend_cannot_read_is_left_out() {
        for details in [
            json!("thoughts"),
            json!([{"type": "reasoning.text", "text": "t"}]),
            json!([{"type": "reasoning.summary", "summary": "s"}]),
            json!([{"type": "reasoning.encrypted", "data": "d", "format": "anthropic-claude-v1"}]),
            json!([{"type": "reasoning.encrypted", "data": ""}]),
        ] {
            assert_eq!(read(&details), (vec![], false), "{details}");
        }
        assert_eq!(read(&json!([])), (vec![], true));
    }
}
