//! The rows about requests, proved one by one.

use serde_json::{Value, json};

use super::{
    field::Field,
    table::{Faults, Row},
};
use crate::support::{Answer, TestServer, with};

/// Which endpoint a table is about.
#[derive(Clone, Copy)]
pub(super) struct Endpoint {
    pub(super) path: &'static str,
    /// The field with the conversation, and a conversation.
    pub(super) input: (&'static str, &'static str),
}

pub(super) const CHAT: Endpoint = Endpoint {
    path: "/v1/chat/completions",
    input: ("messages", r#"[{"role":"user","content":"hi"}]"#),
};

pub(super) const RESPONSES: Endpoint =
    Endpoint { path: "/v1/responses", input: ("input", r#""hi""#) };

impl Endpoint {
    pub(super) fn request(self) -> Value {
        let (field, input) = self.input;
        let input: Value = serde_json::from_str(input).unwrap();
        json!({"model": "gpt-5.5", field: input})
    }

    /// A request with `example` as the field's value, or in its place among others.
    #[track_caller]
    pub(super) fn with(self, field: &Field, example: &str) -> Value {
        let example: Value =
            serde_json::from_str(example).unwrap_or_else(|error| panic!("{example}: {error}"));
        let more = match example.get(field.first()) {
            Some(_) => example,
            None => json!({field.first(): example}),
        };
        with(self.request(), more)
    }
}

/// What a row says, held against a server that drops and one that would rather refuse.
pub(super) struct Proof<'a> {
    pub(super) endpoint: Endpoint,
    pub(super) lenient: &'a TestServer,
    pub(super) strict: &'a TestServer,
}

impl Proof<'_> {
    pub(super) async fn rows(&self, rows: &[Row]) -> Faults {
        let mut faults = Faults::default();
        let mut note = |row: &Row, proved: Result<(), String>| {
            proved.unwrap_or_else(|fault| faults.push(row.fault(fault)));
        };
        for row in rows {
            match (row.get("policy"), row.get("example")) {
                (Some("reject"), None) if row.get("refused").is_some() => {}
                (
                    Some(policy @ ("forward" | "translate" | "emulate" | "local" | "drop")),
                    Some(example),
                ) => note(row, self.example(row, policy, example).await),
                (policy, _) => note(row, Err(format!("no row of policy {policy:?} is like this"))),
            }
            if row.get("refused").is_some() {
                note(row, self.refused(row).await);
            }
        }
        faults
    }

    async fn example(&self, row: &Row, policy: &str, example: &str) -> Result<(), String> {
        let field = row.field();
        let request = self.endpoint.with(&field, &filled(self.lenient, example).await);
        let answer = self.lenient.post(self.endpoint.path, &request).await;
        if answer.status != 200 {
            return Err(format!("{} for {request}: {}", answer.status, answer.body));
        }
        let label = field.label();
        let expected = |named: bool| named.then_some(label.as_str());
        for (header, expected) in [
            ("x-codexway-dropped", expected(policy == "drop")),
            ("x-codexway-emulated", expected(policy == "emulate")),
        ] {
            if answer.header(header) != expected {
                return Err(format!("{header}: {:?}, not {expected:?}", answer.header(header)));
            }
        }
        let sent = sent(self.lenient, &request, &answer).await;
        let place = row.get("upstream").map(|upstream| found(upstream, &sent)).transpose()?;
        match (policy, place) {
            ("forward" | "translate", None) => {
                return Err("it does not say where it is found upstream".to_owned());
            }
            ("forward", Some(place)) if place != field.first() => {
                return Err(format!("it is not forwarded but sent as `{place}`"));
            }
            _ => self.leaves_the_rest_alone(&field, &request, &sent, place).await?,
        }
        // The server that refuses has other ids, and another seal.
        let request = self.endpoint.with(&field, &filled(self.strict, example).await);
        let answer = self.strict.post(self.endpoint.path, &request).await;
        match policy {
            "drop" => refusal(&answer, Some("unsupported_parameter"), &label),
            _ if answer.status == 200 => Ok(()),
            _ => Err(format!("with strict parameters it is {}: {}", answer.status, answer.body)),
        }
    }

    /// Without the field the backend is asked the same, but for the field's place.
    async fn leaves_the_rest_alone(
        &self,
        field: &Field,
        request: &Value,
        sent: &Value,
        place: Option<&str>,
    ) -> Result<(), String> {
        let mut without = request.clone();
        field.remove_from(&mut without);
        let answer = self.lenient.post(self.endpoint.path, &without).await;
        if answer.status != 200 {
            return Ok(()); // A field that has to be there.
        }
        let plain = self::sent(self.lenient, &without, &answer).await;
        let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        // In the conversation's name many fields have a part, and tools are never sent alone.
        let own: &[&str] = match place {
            Some("tools") => &["prompt_cache_key", "tools", "tool_choice", "parallel_tool_calls"],
            place => &["prompt_cache_key", place.unwrap_or_default()],
        };
        let both = keys(sent).into_iter().chain(keys(&plain));
        match both.filter(|key| !own.contains(&&**key)).find(|key| sent.get(key) != plain.get(key))
        {
            Some(key) => Err(format!("it changes `{key}` upstream: {sent} for {plain}")),
            None => Ok(()),
        }
    }

    async fn refused(&self, row: &Row) -> Result<(), String> {
        let field = row.field();
        let (value, told) = row.whole("refused").split_once(" → ").ok_or("no arrow")?;
        let (code, param) = match told.split_once(" at ") {
            Some((code, param)) => (code, param.trim_matches('`').to_owned()),
            None => (told, field.label()),
        };
        let code = Some(code.trim_matches('`')).filter(|code| *code != "–");
        let request = self.endpoint.with(&field, value.trim_matches('`'));
        let answer = self.lenient.post(self.endpoint.path, &request).await;
        refusal(&answer, code, &param).map_err(|fault| format!("{request}: {fault}"))
    }
}

fn refusal(answer: &Answer, code: Option<&str>, param: &str) -> Result<(), String> {
    if answer.status != 400 {
        return Err(format!("{} instead of 400 {code:?}: {:.300}", answer.status, answer.body));
    }
    let (_, error) = answer.error();
    match (error["code"].as_str(), error["param"].as_str()) == (code, Some(param)) {
        true => Ok(()),
        false => Err(format!("refused with {error} instead of {code:?} at `{param}`")),
    }
}

/// What the backend was asked for this answer; in the background that may take a moment.
async fn sent(server: &TestServer, request: &Value, answer: &Answer) -> Value {
    if request["background"] == true {
        let id = answer.json()["id"].as_str().unwrap().to_owned();
        while ["queued", "in_progress"].contains(&&*status(server, &id).await) {}
    }
    server.last_turn()
}

async fn status(server: &TestServer, id: &str) -> String {
    let response = server.get(&format!("/v1/responses/{id}")).await.ok().json();
    response["status"].as_str().unwrap().to_owned()
}

/// Looks `path = value` up in what the backend was sent; returns the outermost field of the path.
fn found<'a>(upstream: &'a str, sent: &Value) -> Result<&'a str, String> {
    let (path, value) = upstream.split_once(" = ").ok_or("`upstream` is `path = value`")?;
    let value: Value = serde_json::from_str(value).map_err(|error| format!("{value}: {error}"))?;
    let pointer = path.replace(']', "").replace(['.', '['], "/");
    let found = sent.pointer(&format!("/{pointer}")).unwrap_or(&Value::Null);
    match *found == value {
        true => Ok(path.split(['.', '[']).next().unwrap_or(path)),
        false => Err(format!("`{path}` is {found} upstream, not {value}, in {sent}")),
    }
}

/// An example with the ids in it that only a running server has.
pub(super) async fn filled(server: &TestServer, example: &str) -> String {
    let said = |input: Value, more: Value| {
        let request = with(json!({"model": "gpt-5.5", "input": input}), more);
        async move { server.responses(&request).await.ok().json() }
    };
    let (name, found) = if example.contains("$response") {
        ("$response", said(json!("hi"), json!({})).await["id"].take())
    } else if example.contains("$item") {
        (
            "$item",
            said(json!("hi"), json!({})).await["output"].as_array().unwrap().last().unwrap()["id"]
                .clone(),
        )
    } else if example.contains("$sealed") {
        let more = json!({
            "reasoning": {"summary": "auto"}, "include": ["reasoning.encrypted_content"],
        });
        ("$sealed", said(json!("hi"), more).await["output"][0]["encrypted_content"].take())
    } else if example.contains("$compaction") {
        let input = json!([{"role": "user", "content": "hi"}, {"type": "compaction_trigger"}]);
        ("$compaction", said(input, json!({})).await["output"][0]["encrypted_content"].take())
    } else if example.contains("$conversation") {
        let items = json!({"items": [{"type": "message", "role": "user", "content": "before"}]});
        ("$conversation", server.post("/v1/conversations", &items).await.json()["id"].take())
    } else {
        return example.to_owned();
    };
    example.replace(name, found.as_str().unwrap_or("none"))
}
