use codexway::simulator::Script;
use http::Method;
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use super::told;
use crate::support::{TestServer, ask};

const KEYS: (&str, &str) = ("CODEXWAY__SERVER__KEYS", r#"["sk-one"]"#);

/// Everything that is served and has an end.
const PATHS: [&str; 15] = [
    "/",
    "/page/main.js",
    "/page/state",
    "/health",
    "/ready",
    "/usage",
    "/v1/models",
    "/v1/models/gpt-5.5",
    "/v1/chat/completions",
    "/v1/responses",
    "/v1/responses/resp_1",
    "/v1/responses/resp_1/input_items",
    "/v1/conversations/conv_1",
    "/profiles/codex/v1/models",
    "/nothing",
];

#[tokio::test]
async fn a_page_is_refused_at_every_path_and_by_every_method() {
    let server = TestServer::start().await;
    for path in PATHS {
        for method in [Method::GET, Method::HEAD, Method::POST, Method::DELETE, Method::OPTIONS] {
            let to = |name: &str, value: &str| {
                let request =
                    server.client.request(method.clone(), format!("{}{path}", server.url));
                server.send(request.header(name, value))
            };
            for (name, value) in [
                ("origin", "https://evil.example"),
                ("origin", "null"),
                ("origin", "http://localhost:3000"),
                ("host", "evil.example"),
                ("sec-fetch-site", "cross-site"),
                ("sec-fetch-site", "same-site"),
            ] {
                let answer = to(name, value).await;
                assert_eq!(answer.status, 403, "{method} {path} {name}: {value}");
                let shown = answer.headers.keys().any(|name| name.as_str().starts_with("access-"));
                assert!(!shown, "{answer:?}");
            }
        }
    }
    assert!(server.simulator.requests().is_empty());
}

/// A link can be followed from a page; a form cannot be sent from one, in old browsers too, which
/// say less of where it comes from.
#[tokio::test]
async fn a_page_may_lead_here_by_a_link_and_not_by_a_form() {
    let server = TestServer::start().await;
    let navigate = |method: Method, path: &str| {
        let request = server.client.request(method, format!("{}{path}", server.url));
        let request =
            request.header("sec-fetch-site", "cross-site").header("sec-fetch-mode", "navigate");
        server.send(request.body(ask("hi").to_string()))
    };
    navigate(Method::GET, "/health").await.ok();
    for path in ["/v1/chat/completions", "/v1/responses", "/v1/conversations"] {
        navigate(Method::POST, path).await.refused(403, "origin_not_allowed", Value::Null);
    }
    assert!(server.turns().is_empty());
}

#[tokio::test]
async fn a_preflight_tells_nothing_to_who_is_not_listed_and_little_to_who_is() {
    let listed = ("CODEXWAY__SERVER__ALLOWED_ORIGINS", r#"["http://app.example"]"#);
    let server = TestServer::with_vars(&[KEYS, listed]).await;
    let preflight = |path: &str, origin: Option<&str>| {
        let request = server.client.request(Method::OPTIONS, format!("{}{path}", server.url));
        let request = match origin {
            Some(origin) => request.header("origin", origin),
            None => request,
        };
        server.send(request.header("access-control-request-method", "POST"))
    };
    let mut told = Vec::new();
    for path in PATHS {
        let refused = preflight(path, Some("https://evil.example")).await;
        refused.refused(403, "origin_not_allowed", Value::Null);
        let answer = preflight(path, Some("http://app.example")).await;
        assert_eq!((answer.status.as_u16(), &*answer.body), (204, ""));
        let mut headers = answer.headers.clone();
        // The methods of a path stand in the documentation.
        for each in ["date", "x-request-id", "openai-processing-ms", "allow"] {
            headers.remove(each);
        }
        told.push(headers);
        // Without an origin it is none, and needs a key like everything else.
        if !path.ends_with("health") && !path.ends_with("ready") {
            preflight(path, None).await.refused(401, "invalid_api_key", Value::Null);
        }
    }
    // No path is told apart from another.
    assert!(told.windows(2).all(|pair| pair[0] == pair[1]), "{told:?}");
    assert!(!told[0].contains_key("access-control-allow-credentials"));
    // SDKs in a browser send headers of their own.
    let asked = "authorization,content-type,x-stainless-os";
    let request = server.client.request(Method::OPTIONS, format!("{}{}", server.url, PATHS[0]));
    let request = request.header("origin", "http://app.example");
    let answer = server.send(request.header("access-control-request-headers", asked)).await;
    assert_eq!(answer.header("access-control-allow-headers"), Some(asked));
}

#[tokio::test]
async fn nothing_is_changed_by_asking_for_it() {
    let server = TestServer::start().await;
    let kept = server.responses(&json!({"model": "gpt-5.5", "input": "hi"})).await.ok().json();
    let id = kept["id"].as_str().unwrap();
    let conversation = server.post("/v1/conversations", &json!({})).await.ok().json();
    let conversation = conversation["id"].as_str().unwrap();
    server.simulator.forget();
    server.simulator.script_always(Some(Script::text("a turn")));
    let own = [
        format!("/v1/responses/{id}"),
        format!("/v1/responses/{id}/cancel"),
        format!("/v1/responses/{id}/input_items"),
        format!("/v1/conversations/{conversation}"),
        format!("/v1/conversations/{conversation}/items"),
        "/v1/conversations".to_owned(),
        "/v1/responses/compact".to_owned(),
        "/v1/responses/input_tokens".to_owned(),
    ];
    for path in PATHS.into_iter().chain(own.iter().map(String::as_str)) {
        for method in [Method::GET, Method::HEAD] {
            let request = server.client.request(method, format!("{}{path}", server.url));
            // Nor by what some servers take for the method's real name.
            let request = request.header("x-http-method-override", "DELETE").body("{}");
            server.send(request).await;
        }
    }
    assert!(server.turns().is_empty());
    assert_eq!(server.simulator.refreshes(), 0);
    let still = server.get(&format!("/v1/responses/{id}")).await.ok().json();
    assert_eq!(still["status"], "completed");
    server.get(&format!("/v1/conversations/{conversation}")).await.ok();
}

/// Only what has a name can be bound to another address; who asks without one is no browser.
#[tokio::test]
async fn a_host_is_judged_however_it_is_written() {
    let server = TestServer::start().await;
    for (line, status) in [
        ("GET /health HTTP/1.1\r\nhost: LOCALHOST.\r\n", 403),
        ("GET /health HTTP/1.1\r\nhost: LocalHost\r\n", 200),
        ("GET http://evil.example/health HTTP/1.1\r\nhost: evil.example\r\n", 403),
        ("GET http://evil.example/health HTTP/1.0\r\n", 403),
        ("GET /health HTTP/1.1\r\nhost: evil.example\r\nhost: localhost\r\n", 403),
        ("GET /health HTTP/1.1\r\nhost: localhost\r\nhost: evil.example\r\n", 403),
        ("GET /health HTTP/1.1\r\nhost: \r\n", 403),
        ("GET /health HTTP/1.1\r\nhost: evil.example\r\nx-forwarded-host: localhost\r\n", 403),
    ] {
        let answer = told(&server, format!("{line}connection: close\r\n\r\n").as_bytes()).await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} "))
                || answer.starts_with(&format!("HTTP/1.0 {status} ")),
            "{line}{answer}"
        );
    }
}

#[tokio::test]
async fn a_key_is_taken_in_either_header_and_stands_for_its_profile() {
    let server = TestServer::with_vars(&[
        (
            "CODEXWAY__SERVER__KEYS",
            r#"["sk-one", {name = "b", key = "sk-two", profile = "second"}]"#,
        ),
        ("CODEXWAY__PROFILES__SECOND__PROTOCOL", "openai-responses"),
    ])
    .await;
    let url = format!("{}/v1/chat/completions", server.url);
    let request = || server.client.post(&url).json(&ask("hi"));
    server.send(request().bearer_auth("sk-one")).await.ok();
    server.send(request().header("x-api-key", "sk-one")).await.ok();
    server.send(request().header("authorization", "bearer   sk-one ")).await.ok();
    for request in [request().bearer_auth("sk-two"), request().header("x-api-key", "sk-two")] {
        server.send(request).await.refused(400, "unsupported_value", "protocol");
    }
    // A wrong one is not made good by another, nor by a part of it.
    for wrong in ["sk-on", "sk-one2", "sk-one,sk-two", "SK-ONE", "Bearer sk-one"] {
        let refused = server.send(request().bearer_auth(wrong).header("x-api-key", "sk-one")).await;
        refused.refused(401, "invalid_api_key", Value::Null);
    }
    let basic = request().basic_auth("sk-one", Some("sk-one"));
    server.send(basic).await.refused(401, "invalid_api_key", Value::Null);
}
