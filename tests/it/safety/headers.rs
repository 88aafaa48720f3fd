use codexway::simulator::Script;
use pretty_assertions::assert_eq;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use super::told;
use crate::support::{Setup, TestServer, ask, with};

/// What clients, browsers and the proxies before them send, and none of the backend's business.
const ODD: [(&str, &str); 40] = [
    ("authorization", "Bearer sk-client-secret"),
    ("x-api-key", "sk-client-secret"),
    ("api-key", "sk-client-secret"),
    ("cookie", "session=client-secret"),
    ("proxy-authorization", "Basic client-secret"),
    ("x-forwarded-for", "203.0.113.7"),
    ("x-forwarded-host", "evil.example"),
    ("x-forwarded-proto", "http"),
    ("forwarded", "for=203.0.113.7"),
    ("x-real-ip", "203.0.113.7"),
    ("cf-connecting-ip", "203.0.113.7"),
    ("true-client-ip", "203.0.113.7"),
    ("via", "1.1 somewhere"),
    ("referer", "http://localhost/secret"),
    ("user-agent", "OpenAI/Python 2.9.0"),
    ("originator", "codex_cli_rs"),
    ("version", "99.0.0"),
    ("chatgpt-account-id", "somebody-else"),
    ("x-openai-fedramp", "true"),
    ("x-openai-internal-codex-responses-lite", "true"),
    ("openai-organization", "org-client"),
    ("openai-project", "proj-client"),
    ("openai-beta", "responses=experimental"),
    ("x-stainless-lang", "python"),
    ("x-stainless-retry-count", "0"),
    ("idempotency-key", "client-1"),
    ("x-request-id", "client-1"),
    ("x-client-request-id", "client-1"),
    ("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
    ("baggage", "user=client"),
    ("te", "trailers"),
    ("trailer", "x-sum"),
    ("upgrade", "h2c"),
    ("keep-alive", "timeout=5"),
    ("accept", "text/html"),
    ("accept-encoding", "br"),
    ("accept-language", "de"),
    ("range", "bytes=0-1"),
    ("if-none-match", "\"x\""),
    ("expect", "200-maybe"),
];

#[tokio::test]
async fn no_header_of_a_client_reaches_the_upstream_but_those_that_are_named() {
    let server = TestServer::start().await;
    for (path, body) in [
        ("/v1/chat/completions", ask("hi")),
        ("/v1/responses", json!({"model": "gpt-5.5", "input": "hi"})),
    ] {
        let request = server.client.post(format!("{}{path}", server.url)).json(&body);
        let odd = ODD.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        server.send(odd).await.ok();
        let plain = server.client.post(format!("{}{path}", server.url)).json(&body);
        server.send(plain).await.ok();
    }
    let turns = server.turns();
    let mut names: Vec<&str> = turns[0].headers.keys().map(http::HeaderName::as_str).collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "accept",
            "accept-encoding",
            "authorization",
            "chatgpt-account-id",
            "content-length",
            "content-type",
            "host",
            "originator",
            "session-id",
            "thread-id",
            "user-agent",
            "version",
            "x-client-request-id",
        ]
    );
    // With them or without, the backend is told the same.
    for pair in turns.chunks(2) {
        assert_eq!(pair[0].headers, pair[1].headers);
        assert_eq!(pair[0].body, pair[1].body);
    }
}

#[tokio::test]
async fn the_official_client_s_headers_pass_and_end_where_they_end() {
    let server = TestServer::start().await;
    let body = json!({"model": "gpt-5.5", "input": "hi"}).to_string();
    let (length, split) = (body.len(), "a\u{e9}\u{2028}b");
    let request = format!(
        "POST /v1/responses HTTP/1.1\r\nhost: localhost\r\nconnection: close, x-codex-window-id\r\n\
         content-length: {length}\r\nx-codex-turn-metadata: {{\"a\":\"{split}\"}}\r\n\
         x-codex-window-id: w\r\nsession-id: {split}\r\nthread-id: {split}\r\n\r\n{body}"
    );
    let answer = told(&server, request.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    let turn = server.turns().remove(0);
    let metadata = turn.headers["x-codex-turn-metadata"].as_bytes();
    assert_eq!(metadata, format!("{{\"a\":\"{split}\"}}").as_bytes());
    // A name that is no plain text is replaced by one that is.
    for name in ["session-id", "thread-id", "x-client-request-id"] {
        assert_eq!(turn.header(name).len(), 36, "{name}");
    }
}

/// A line break, in the ways that it may be written in JSON, with a header behind it.
const BREAKS: [&str; 4] =
    ["a\r\nx-evil: 1", "a\nx-evil: 1\n\n", "a\u{0}b\u{7f}", "\u{85}\u{2028}\u{1f600}"];

#[tokio::test]
async fn nothing_in_a_body_becomes_a_header_of_its_own() {
    let server = TestServer::start().await;
    for text in BREAKS {
        let names = json!({
            "prompt_cache_key": text,
            "user": text,
            "safety_identifier": text,
            "metadata": {text: text},
        });
        for (path, body) in [
            ("/v1/chat/completions", with(ask("hi"), names.clone())),
            ("/v1/responses", with(json!({"model": "gpt-5.5", "input": "hi"}), names)),
        ] {
            for stream in [false, true] {
                let body =
                    with(body.clone(), json!({"stream": stream, text: 1, "session_id": text}));
                let answer = server.post(path, &body).await;
                assert_eq!(answer.header("x-evil"), None, "{answer:?}");
                let refused = server.post(path, &with(body, json!({"model": text}))).await;
                refused.refused(404, "model_not_found", "model");
                assert_eq!(refused.header("x-evil"), None, "{refused:?}");
            }
        }
        for path in ["models", "responses", "conversations"] {
            let id = text.bytes().map(|byte| format!("%{byte:02x}")).collect::<String>();
            let refused = server.get(&format!("/v1/{path}/{id}")).await;
            assert!(refused.status.is_client_error(), "{refused:?}");
            assert_eq!(refused.header("x-evil"), None);
        }
    }
    let turns = server.turns();
    assert!(!turns.is_empty());
    for turn in turns {
        assert_eq!(turn.header("x-evil"), "");
        assert_eq!(turn.header("session-id").len(), 36);
    }
}

#[tokio::test]
async fn a_request_in_two_minds_about_its_length_is_refused() {
    let server = TestServer::start().await;
    for lengths in [
        "content-length: 5\r\ncontent-length: 6",
        "content-length: +5",
        "content-length: 5, 6",
        "transfer-encoding: chunked, identity",
        "transfer-encoding: xchunked",
    ] {
        let request = format!(
            "POST /v1/responses HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{lengths}\r\n\r\n0\r\n\r\n"
        );
        let answer = told(&server, request.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 400 "), "{lengths}: {answer}");
    }
}

/// An upstream's own headers, whatever they are, once on success and once on refusal.
#[tokio::test]
async fn cookies_and_hop_by_hop_headers_of_the_upstream_stay_here() {
    let headers = [
        ("set-cookie", "session=upstream-secret"),
        ("set-cookie2", "session=upstream-secret"),
        ("cf-ray", "1"),
        ("server", "cloudflare"),
        ("via", "1.1 cloudflare"),
        ("strict-transport-security", "max-age=1"),
        ("location", "https://evil.example/"),
        ("access-control-allow-origin", "*"),
        ("content-security-policy", "x"),
        ("proxy-authenticate", "Basic"),
        ("keep-alive", "timeout=5"),
        ("x-oai-request-id", "1"),
        ("x-codex-primary-used-percent", "42"),
    ];
    let server = TestServer::start().await;
    let done = r#"{"type":"response.completed","response":{"id":"r","output":[]}}"#;
    let stream = format!("event: response.completed\ndata: {done}\n\n");
    for (status, body) in [(200, stream.as_str()), (429, "{}"), (401, "{}"), (302, ""), (500, "")] {
        for stream in [false, true] {
            server.simulator.script_always(Some(Script::new().status(status, &headers, body)));
            let answer = server.chat(&with(ask("hi"), json!({"stream": stream}))).await;
            for (name, _) in &headers[..12] {
                assert_eq!(answer.header(name), None, "{status} {name}");
            }
        }
    }
    server.simulator.script_always(None);
    server.chat(&ask("hi")).await.ok();
    assert!(server.simulator.requests().iter().all(|request| request.header("cookie").is_empty()));
}

/// Neither a login nor a conversation is sent on to where an answer points.
#[tokio::test]
async fn redirects_of_the_upstream_are_not_followed() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let elsewhere = format!("http://{}/", listener.local_addr().unwrap());
    let server = TestServer::with(Setup::default()).await;
    for status in [301, 302, 303, 307, 308] {
        let redirect = Script::new().status(status, &[("location", &elsewhere)], "");
        server.simulator.script_always(Some(redirect));
        server.chat(&ask("hi")).await.error();
    }
    // Whoever had followed one would be in the queue before us.
    let address = listener.local_addr().unwrap();
    let mut own = tokio::net::TcpStream::connect(address).await.unwrap();
    own.write_all(b"own").await.unwrap();
    let mut first = [0; 3];
    listener.accept().await.unwrap().0.read_exact(&mut first).await.unwrap();
    assert_eq!(&first, b"own");
}

#[tokio::test]
async fn what_is_dropped_is_named_in_one_header_whatever_it_is_called() {
    let server = TestServer::start().await;
    let mut body = ask("hi");
    for text in BREAKS {
        body[text] = Value::from(1);
    }
    let answer = server.chat(&body).await.ok();
    let dropped = answer.header("x-codexway-dropped").unwrap();
    assert!(dropped.bytes().all(|byte| byte.is_ascii_graphic()), "{dropped}");
    assert_eq!(dropped.split(',').count(), BREAKS.len());
}
