//! Everything that can go wrong behind codexway, one entry a fault.

use std::{fs, time::Duration};

use codexway::simulator::{Script, TokenScript};
use serde_json::json;

use crate::support::{Setup, TestServer};

/// Something that goes wrong, and what is left of the login when it is over.
pub(super) struct Fault {
    pub(super) name: &'static str,
    pub(super) setup: fn() -> Setup,
    pub(super) arm: Box<dyn Fn(&TestServer)>,
    /// What a person has to do before the next turn, where there is something.
    pub(super) remedy: Option<Remedy>,
}

/// What a person does, in words and in deed.
#[derive(Clone, Copy)]
pub(super) struct Remedy {
    pub(super) when: &'static str,
    pub(super) act: fn(&TestServer),
}

impl Fault {
    fn new(name: &'static str, arm: impl Fn(&TestServer) + 'static) -> Self {
        Self { name, setup: Setup::default, arm: Box::new(arm), remedy: None }
    }

    /// Every try of the turn meets this.
    fn always(name: &'static str, script: Script) -> Self {
        Self::new(name, move |server| server.simulator.script_always(Some(script.clone())))
    }

    /// The first try of the turn meets this.
    fn once(name: &'static str, script: Script) -> Self {
        Self::new(name, move |server| server.simulator.script(script.clone()))
    }

    /// The access token has to be refreshed, and the refresh meets this.
    fn refresh(name: &'static str, script: impl Fn() -> TokenScript + 'static) -> Self {
        Self::new(name, move |server| {
            server.simulator.expire_access_tokens();
            server.simulator.token_script(script());
        })
    }

    const fn with(mut self, setup: fn() -> Setup) -> Self {
        self.setup = setup;
        self
    }

    /// The login is dead at its issuer.
    fn dead(self) -> Self {
        let remedy = Some(Remedy { when: "after `codexway login`", act: log_in });
        Self { remedy, ..self }
    }
}

fn log_in(server: &TestServer) {
    fs::write(server.auth_file(), server.simulator.auth_json()).unwrap();
}

fn impatient() -> Setup {
    let vars = vec![("CODEXWAY__SERVER__IDLE_TIMEOUT", "300ms".to_owned())];
    Setup { vars, ..Setup::default() }
}

/// Nobody listens on the port of the address that is only given out.
fn nowhere() -> Setup {
    let url = "http://127.0.0.1:9/backend-api".to_owned();
    Setup { vars: vec![("CODEXWAY__UPSTREAMS__CODEX__BASE_URL", url)], ..Setup::default() }
}

fn unresolved() -> Setup {
    let url = "http://upstream.invalid/backend-api".to_owned();
    Setup { vars: vec![("CODEXWAY__UPSTREAMS__CODEX__BASE_URL", url)], ..Setup::default() }
}

fn refusal(code: &str) -> TokenScript {
    TokenScript::status(401, &json!({"error": {"code": code, "message": "no"}}).to_string())
}

/// The turn fails before its first word, and says `error` of that.
fn failed(error: &serde_json::Value) -> Script {
    let response = json!({"id": "resp_1", "status": "failed", "error": error});
    event(&json!({"type": "response.failed", "response": response}).to_string())
}

fn event(data: &str) -> Script {
    let created = r#"{"type":"response.created","response":{"id":"resp_1"}}"#;
    Script::new().raw(format!("event: response.created\ndata: {created}\n\ndata: {data}\n\n"))
}

pub(super) fn all() -> Vec<Fault> {
    let mut all = overloads();
    all.extend(refusals());
    all.extend(cuts());
    all.extend(bytes());
    all.extend(logins());
    all.extend(files());
    all
}

fn overloads() -> Vec<Fault> {
    vec![
        Fault::once("503 overloaded, once", Script::overloaded_503()),
        Fault::always("503 overloaded", Script::overloaded_503()),
        Fault::once("overload inside a 200, once", Script::overloaded_in_stream()),
        Fault::always("overload inside a 200", Script::overloaded_in_stream()),
        Fault::always(
            "overload as a bare `error` event",
            Script::new().error_event_only("server_is_overloaded", "busy"),
        ),
        Fault::always("failure inside a 200, without a reason", failed(&json!(null))),
        Fault::always("failure inside a 200, by an unknown name", {
            failed(&json!({"code": "novel_failure", "message": "no"}))
        }),
        Fault::always(
            "overload after the first words",
            Script::text("hello").failed_after_text("server_is_overloaded", "busy"),
        ),
        Fault::always("503 as plain text of a gateway", Script::envoy_503()),
        Fault::always("500 with a detail", Script::detail_500()),
        Fault::always("502", Script::new().status(502, &[], "")),
        Fault::always("502 with a gateway's page", {
            Script::new().status(502, &[("content-type", "text/html")], "<html>Bad gateway</html>")
        }),
        Fault::always("504", Script::new().status(504, &[], "")),
        Fault::always(
            "503 that asks for a minute",
            Script::new().status(503, &[("retry-after", "60")], "busy"),
        ),
    ]
}

fn refusals() -> Vec<Fault> {
    vec![
        Fault::always("plan used up", Script::usage_limit_reached(3032)),
        Fault::always("plan without Codex", Script::usage_not_included()),
        Fault::always("rate limit inside a 200", Script::rate_limited_in_stream()),
        Fault::always("context length exceeded", Script::context_length_exceeded()),
        Fault::always("policy refusal inside a 200", Script::cyber_policy()),
        Fault::always("policy refusal as a 400", Script::cyber_policy_400()),
        Fault::always("400 with a detail", Script::detail_400("Unsupported parameter: foo")),
        Fault::always("Cloudflare's page", Script::cloudflare_challenge()),
        Fault::always("empty 404", Script::empty_404()),
        Fault::always("deactivated workspace", Script::deactivated_workspace()),
        Fault::always("deactivated account", Script::unauthorized("account_deactivated")),
        Fault::always("reasoning that cannot be read", Script::invalid_encrypted_content()),
        Fault::always(
            "redirect",
            Script::new().status(302, &[("location", "https://chatgpt.com/auth")], ""),
        ),
        Fault::always("answer cut by the content filter", {
            Script::text("hello").incomplete("content_filter")
        }),
        Fault::always("answer cut at its longest", {
            Script::text("hello").incomplete("max_output_tokens")
        }),
    ]
}

fn cuts() -> Vec<Fault> {
    let words = || Script::text("hello");
    vec![
        Fault::once("cut before the answer, once", words().cut_before_headers()),
        Fault::always("cut before the answer", words().cut_before_headers()),
        Fault::once("cut before the first word, once", words().cut_after(2)),
        Fault::always("cut before the first word", words().cut_after(2)),
        Fault::always("cut after the first words", words().cut_after(6)),
        Fault::always("cut inside an event", words().cut_in_mid_event()),
        Fault::always("clean end without a last event", words().ends_without_terminal_event()),
        Fault::always("silence before the first word", Script::new().stall()).with(impatient),
        Fault::always("silence after the first words", words().stall_after_items()).with(impatient),
        Fault::always("no answer at all", words().delay_before_headers(Duration::from_secs(60)))
            .with(impatient),
        Fault::new("nobody listens", |_| {}).with(nowhere),
        Fault::new("name that does not resolve", |_| {}).with(unresolved),
    ]
}

fn bytes() -> Vec<Fault> {
    let words = || Script::text("hello");
    let large = || "x".repeat(17 << 20);
    vec![
        Fault::always("one byte at a time", words().split_every(1)),
        Fault::always("CR LF, byte order mark, comments", words().crlf().bom().comments()),
        Fault::always("data over several lines", words().multi_line_data()),
        Fault::always("compressed without being asked", words().gzip_body()),
        Fault::always("content type there again", words().with_content_type()),
        Fault::always("output in the last event, ids null", words().full_output_without_ids()),
        Fault::always("unknown event", words().unknown_event("response.novelty", json!({"x": 1}))),
        Fault::always("200 with no body", Script::new().raw("")),
        Fault::always("event that is no JSON", event("{")),
        Fault::always("event without a type", event("{}")),
        Fault::always("event of 17 MiB", event(&large())),
        Fault::always("200 with a web page", {
            Script::new().status(200, &[("content-type", "text/html")], "<html>Sign in</html>")
        }),
        Fault::always("200 with JSON", Script::new().raw(r#"{"ok":true}"#)),
    ]
}

fn logins() -> Vec<Fault> {
    vec![
        Fault::new("access token expired", |server| server.simulator.expire_access_tokens()),
        Fault::new("access token revoked", |server| server.simulator.revoke_access_tokens()),
        Fault::refresh("refresh answered with 503", || TokenScript::status(503, "busy")),
        Fault::refresh("refresh cut", TokenScript::cut),
        Fault::refresh("refresh answered with a page", || TokenScript::page(403)),
        Fault::refresh("refresh slow", || TokenScript::new().delay(Duration::from_millis(300))),
        Fault::refresh("refresh token expired", || refusal("refresh_token_expired")).dead(),
        Fault::refresh("refresh token reused", || refusal("refresh_token_reused")).dead(),
        Fault::refresh("refresh token invalidated", || refusal("refresh_token_invalidated")).dead(),
        Fault::new("logged out everywhere", |server| server.simulator.revoke_all()).dead(),
        Fault::always("every token refused", Script::unauthorized("token_expired")),
    ]
}

fn files() -> Vec<Fault> {
    let change = |name, text: fn(&TestServer) -> String| {
        Fault::new(name, move |server: &TestServer| {
            fs::write(server.auth_file(), text(server)).unwrap();
            server.simulator.expire_access_tokens();
        })
    };
    vec![
        change("login file replaced by another login", |server| server.simulator.auth_json()),
        change("login file cut in half", |server| {
            let text = server.simulator.auth_json();
            text[..text.len() / 2].to_owned()
        })
        .dead(),
        Fault::new("login file deleted", |server| {
            fs::remove_file(server.auth_file()).unwrap();
            server.simulator.expire_access_tokens();
        })
        .dead(),
    ]
}
