//! The simulator seen as a client sees it: plain HTTP, whole bodies compared.

mod answers;
mod engine;
mod faults;
mod gate;
mod login;
mod pages;
mod platform;
mod schemas;
mod stream;
mod tokens;
mod websocket;

use std::time::Duration;

use serde_json::{Value, json};

use super::{Options, Script, Simulator};

const VERSION: &str = "0.169.0";

/// A client that is logged in.
struct Client {
    sim: Simulator,
    http: reqwest::Client,
    access: String,
    account: String,
    refresh: String,
}

/// What came back.
struct Answer {
    status: u16,
    headers: http::HeaderMap,
    text: String,
    /// The body ended as a body should.
    whole: bool,
}

async fn client() -> Client {
    client_with(Options::default()).await
}

async fn client_with(options: Options) -> Client {
    let sim = Simulator::start(options).await.unwrap();
    let auth = sim.auth_json();
    Client::new(sim, &auth)
}

impl Client {
    fn new(sim: Simulator, auth_json: &str) -> Self {
        let auth: Value = serde_json::from_str(auth_json).unwrap();
        let text = |name: &str| auth["tokens"][name].as_str().unwrap().to_owned();
        let http = reqwest::Client::builder()
            .no_proxy()
            .no_gzip()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(Duration::from_secs(20))
            .build()
            .unwrap();
        Self {
            sim,
            http,
            access: text("access_token"),
            account: text("account_id"),
            refresh: text("refresh_token"),
        }
    }

    /// A request with the account's headers.
    fn request(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        let url = format!("{}{path}", self.sim.auth_url());
        self.http
            .request(method.parse().unwrap(), url)
            .bearer_auth(&self.access)
            .header("chatgpt-account-id", &self.account)
            .header("version", VERSION)
    }

    fn turn(&self) -> reqwest::RequestBuilder {
        self.request("POST", "/backend-api/codex/responses")
            .header("content-type", "application/json")
    }

    async fn ask(&self, body: &Value) -> Answer {
        Answer::of(self.turn().body(body.to_string())).await
    }

    /// The answer to a short question, with a script for it.
    async fn scripted(&self, script: Script) -> Answer {
        self.sim.script(script);
        self.ask(&body()).await
    }

    /// The items of the answer to `text`, with more fields in the body.
    async fn answer_to(&self, text: &str, more: Value) -> Vec<Value> {
        let mut body = body();
        body["input"] = json!([user(text)]);
        let answer = self.ask(&with(body, more)).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.items()
    }
}

impl Answer {
    async fn of(request: reqwest::RequestBuilder) -> Self {
        let mut response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let mut bytes = Vec::new();
        let whole = loop {
            match response.chunk().await {
                Ok(Some(chunk)) => bytes.extend(chunk),
                Ok(None) => break true,
                Err(_) => break false,
            }
        };
        let text = String::from_utf8_lossy(&bytes).into_owned();
        Self { status, headers, text, whole }
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {}", self.text))
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The events, by a reader that knows the strict framing only.
    fn events(&self) -> Vec<Value> {
        let frames = self.text.split("\n\n").filter(|frame| !frame.is_empty());
        frames
            .map(|frame| {
                let (name, data) = frame.split_once('\n').unwrap();
                let json: Value =
                    serde_json::from_str(data.strip_prefix("data: ").unwrap()).unwrap();
                assert_eq!(json["type"], name.strip_prefix("event: ").unwrap());
                json
            })
            .collect()
    }

    fn names(&self) -> Vec<String> {
        let events = self.events();
        events.iter().map(|event| event["type"].as_str().unwrap().to_owned()).collect()
    }

    /// The items, from `output_item.done`.
    fn items(&self) -> Vec<Value> {
        let done = |event: &Value| event["type"] == "response.output_item.done";
        self.events().into_iter().filter(done).map(|mut event| event["item"].take()).collect()
    }

    /// The text of the only message.
    fn said(&self) -> String {
        let items = self.items();
        let mut texts = items.iter().filter_map(|item| item["content"][0]["text"].as_str());
        let said = texts.next().unwrap().to_owned();
        assert_eq!(texts.next(), None);
        said
    }

    fn last(&self) -> Value {
        self.events().pop().unwrap()
    }
}

/// The smallest turn that passes.
fn body() -> Value {
    json!({
        "model": "gpt-5.5",
        "stream": true,
        "store": false,
        "instructions": "Be brief.",
        "input": [user("Hello there")],
    })
}

/// The body with these fields set; `null` takes a field out.
fn with(mut body: Value, fields: Value) -> Value {
    let body_fields = body.as_object_mut().unwrap();
    for (name, value) in fields.as_object().unwrap() {
        match value {
            Value::Null => drop(body_fields.shift_remove(name)),
            value => drop(body_fields.insert(name.clone(), value.clone())),
        }
    }
    body
}

fn user(text: &str) -> Value {
    json!({
        "type": "message",
        "role": "user",
        "content": [{ "type": "input_text", "text": text }],
    })
}

fn function(name: &str, parameters: Value) -> Value {
    json!({ "type": "function", "name": name, "strict": false, "parameters": parameters })
}
