use std::io::{Read, Write};

use serde_json::{Value, json};

use super::told;
use crate::support::{TestServer, ask, with};

const CHAT: &str = "/v1/chat/completions";

#[tokio::test]
async fn a_url_that_is_too_long_is_a_414() {
    let server = TestServer::start().await;
    let path = |length: usize| format!("/v1/models?a={}", "x".repeat(length));
    server.get(&path(8 * 1024 - 100)).await.ok();
    server.get(&path(8 * 1024)).await.refused(414, "url_too_long", Value::Null);
    // This long it does not even come into our hands, and still is refused.
    let request = format!("GET {} HTTP/1.1\r\nhost: localhost\r\n\r\n", path(70 * 1024));
    let answer = told(&server, request.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 414 "), "{answer}");
}

#[tokio::test]
async fn a_path_that_is_no_text_is_a_400() {
    let server = TestServer::start().await;
    for path in
        ["/v1/models/%ff", "/v1/responses/%C3%28", "/v1/conversations/%ff/items", "/page/%ff"]
    {
        server.get(path).await.refused(400, "url_not_utf8", Value::Null);
    }
    for path in ["/v1/models/%C3%A4", "/v1/models/100%"] {
        server.get(path).await.refused(404, "model_not_found", "model");
    }
}

#[tokio::test]
async fn too_many_headers_or_too_large_ones_are_a_431() {
    let server = TestServer::start().await;
    let url = format!("{}/v1/models", server.url);
    let get = |count: usize, size: usize| {
        let one = |request: reqwest::RequestBuilder, n| {
            request.header(format!("x-{n}"), "x".repeat(size))
        };
        (0..count).fold(server.client.get(&url), one)
    };
    server.send(get(90, 100)).await.ok();
    for (count, size) in [(110, 1), (1, 70 * 1024), (90, 1024)] {
        let refused = server.send(get(count, size)).await;
        refused.refused(431, "headers_too_large", Value::Null);
    }
    for headers in ["x: y\r\n".repeat(2000), format!("x: {}\r\n", "y".repeat(1 << 20))] {
        let request = format!("GET /v1/models HTTP/1.1\r\nhost: localhost\r\n{headers}\r\n");
        let answer = told(&server, request.as_bytes()).await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431 "), "{answer}");
    }
    server.chat(&ask("hi")).await.ok();
}

/// JSON that is `depth` lists deep.
fn lists(depth: usize) -> String {
    format!("{}{}", "[".repeat(depth), "]".repeat(depth))
}

#[tokio::test]
async fn json_that_is_too_deep_is_a_400_wherever_it_stands() {
    let server = TestServer::start().await;
    let schema = |depth: usize| {
        let (open, close) = (r#"{"type":"object","properties":{"a":"#, "}}");
        format!("{}{{}}{}", open.repeat(depth), close.repeat(depth))
    };
    for depth in [128, 300, 200_000] {
        let (deep, schema) = (lists(depth), schema(depth));
        for (path, body) in [
            (CHAT, format!(r#"{{"model":"gpt-5.5","messages":{deep}}}"#)),
            (
                CHAT,
                format!(r#"{{"model":"gpt-5.5","messages":[{{"role":"user","content":{deep}}}]}}"#),
            ),
            (CHAT, format!(r#"{{"unknown":{deep}}}"#)),
            (CHAT, deep.clone()),
            (
                CHAT,
                format!(
                    r#"{{"messages":[],"tools":[{{"type":"function","function":{{"name":"f","parameters":{schema}}}}}]}}"#
                ),
            ),
            ("/v1/responses", format!(r#"{{"input":{deep}}}"#)),
            ("/v1/responses", format!(r#"{{"input":"hi","metadata":{deep}}}"#)),
            (
                "/v1/responses",
                format!(
                    r#"{{"input":"hi","tools":[{{"type":"function","name":"f","parameters":{schema}}}]}}"#
                ),
            ),
            ("/v1/responses/input_tokens", format!(r#"{{"input":{deep}}}"#)),
            ("/v1/responses/compact", format!(r#"{{"input":{deep}}}"#)),
            ("/v1/conversations", format!(r#"{{"items":{deep}}}"#)),
        ] {
            let request = server.client.post(format!("{}{path}", server.url)).body(body);
            server.send(request).await.refused(400, "json_too_deep", Value::Null);
        }
    }
    assert!(server.turns().is_empty());
    // What only looks deep is none.
    let texts = "[{\"\\\\\\\"[[{".repeat(1000);
    server.chat(&ask(&texts)).await.ok();
    assert_eq!(server.last_turn()["input"][0]["content"][0]["text"], texts);
}

#[tokio::test]
async fn a_body_of_more_fields_than_any_api_has_is_a_400() {
    let server = TestServer::start().await;
    let fields = |count: usize| {
        let fields = (0..count).map(|number| (format!("f{number}"), Value::from(1)));
        with(ask("hi"), Value::Object(fields.collect()))
    };
    server.chat(&fields(900)).await.ok();
    for path in [CHAT, "/v1/responses", "/v1/responses/input_tokens", "/v1/conversations"] {
        let refused = server.post(path, &fields(5000)).await;
        refused.refused(400, "too_many_fields", Value::Null);
    }
}

#[tokio::test]
async fn a_body_of_more_values_than_anybody_could_mean_is_a_400() {
    let server = TestServer::start().await;
    let post = async |path: &str, body: String| {
        server.send(server.client.post(format!("{}{path}", server.url)).body(body)).await
    };
    let list = |count: usize| format!("[{}0]", "0,".repeat(count));
    let ask = |count: usize| {
        let numbers = list(count);
        format!(
            r#"{{"model":"gpt-5.5","messages":[{{"role":"user","content":"hi"}}],"more":{numbers}}}"#
        )
    };
    post(CHAT, ask(990_000)).await.ok();
    for (path, field) in [
        (CHAT, "messages"),
        (CHAT, "stop"),
        ("/v1/responses", "input"),
        ("/v1/responses/input_tokens", "input"),
        ("/v1/responses/compact", "input"),
        ("/v1/conversations", "items"),
    ] {
        let body = format!(r#"{{"{field}":{}}}"#, list(1_000_001));
        post(path, body).await.refused(400, "json_too_many_values", Value::Null);
    }
    let texts = ",".repeat(2_000_000);
    post(CHAT, ask(1).replace("hi", &texts)).await.ok();
}

#[tokio::test]
async fn json_inside_of_texts_may_be_as_deep_as_it_likes() {
    let server = TestServer::start().await;
    let deep = lists(200_000);
    let body = json!({
        "model": "gpt-5.5",
        "messages": [
            {"role": "user", "content": deep},
            {"role": "assistant", "tool_calls": [
                {"id": "a", "type": "function", "function": {"name": "f", "arguments": deep}},
            ]},
            {"role": "tool", "tool_call_id": "a", "content": deep},
        ],
        "tools": [{"type": "function", "function": {"name": "f", "parameters": {}}}],
    });
    for repaired in [json!({}), json!({"codex_capabilities": {"bypass_tool_call_reactor": false}})]
    {
        server.chat(&with(body.clone(), repaired)).await.ok();
    }
}

/// As much compressed nothing.
fn packed(encoding: &str, size: u64) -> Vec<u8> {
    let mut nothing = std::io::repeat(b' ').take(size);
    if encoding == "zstd" {
        return zstd::encode_all(nothing, 1).unwrap();
    }
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::copy(&mut nothing, &mut gzip).unwrap();
    gzip.flush().unwrap();
    gzip.finish().unwrap()
}

#[tokio::test]
async fn a_packed_body_is_unpacked_up_to_the_limit_and_no_further() {
    let server = TestServer::with_vars(&[("CODEXWAY__SERVER__MAX_BODY", "1MiB")]).await;
    let url = format!("{}{CHAT}", server.url);
    for encoding in ["zstd", "gzip"] {
        let bomb = packed(encoding, 64 << 20);
        assert!(bomb.len() < 1 << 20, "it has to get past the limit of what is sent");
        let request = server.client.post(&url).header("content-encoding", encoding).body(bomb);
        server.send(request).await.refused(413, "request_too_large", Value::Null);
        let cut = packed(encoding, 1 << 10);
        let cut = cut[..cut.len() - 4].to_owned();
        let request = server.client.post(&url).header("content-encoding", encoding).body(cut);
        assert_eq!(server.send(request).await.error().0, 400, "{encoding}");
    }
    for encoding in ["gzip, zstd", "deflate", "br", "x\u{e9}"] {
        let request = server.client.post(&url).header("content-encoding", encoding).body("{}");
        let refused = server.send(request).await;
        refused.refused(415, "unsupported_content_encoding", Value::Null);
    }
}

#[tokio::test]
async fn a_packed_body_cannot_ask_for_more_memory_than_clients_have_need_of() {
    let server = TestServer::start().await;
    let url = format!("{}{CHAT}", server.url);
    let with_window = |log: u32| {
        let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
        encoder.window_log(log).unwrap();
        encoder.write_all(ask("Say exactly yes").to_string().as_bytes()).unwrap();
        let body = encoder.finish().unwrap();
        server.client.post(&url).header("content-encoding", "zstd").body(body)
    };
    server.send(with_window(23)).await.ok();
    for log in [24, 27, 31] {
        let (status, error) = server.send(with_window(log)).await.error();
        assert_eq!(status, 400, "{error}");
    }
}

/// As the kernel counts it: fifty bombs at once, which unpacked would be 4 GB.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn many_packed_bodies_at_once_take_little_memory() {
    use crate::support::binary;

    let home = tempfile::tempdir().unwrap();
    let mut command = binary::codexway(&home);
    command.arg("demo").env("CODEXWAY__SERVER__MAX_BODY", "1MiB");
    let (child, info) = binary::listening(&home, command);
    let url = format!("{}{CHAT}", info["url"].as_str().unwrap());
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let bombs = [("zstd", packed("zstd", 128 << 20)), ("gzip", packed("gzip", 32 << 20))];
    let sent = bombs.iter().cycle().take(50).map(|(encoding, bomb)| {
        client.post(&url).header("content-encoding", *encoding).body(bomb.clone()).send()
    });
    for answer in futures_util::future::join_all(sent).await {
        assert_eq!(answer.unwrap().status(), 413);
    }
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.0.id())).unwrap();
    let most = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    let most: u64 = most.trim().trim_end_matches(" kB").parse().unwrap();
    assert!(most < 300 << 10, "{most} KiB");
}
