use http::Method;
use pretty_assertions::assert_eq;
use serde_json::Value;

use crate::support::{Answer, TestServer};

const KEYS: (&str, &str) = ("CODEXWAY__SERVER__KEYS", r#"["sk-one"]"#);

/// The files that the page names.
fn files(shell: &str) -> Vec<String> {
    let names = shell.split('"').filter(|text| text.starts_with("/page/"));
    names.map(str::to_owned).collect()
}

async fn ask(server: &TestServer, method: Method, path: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = server.client.request(method, format!("{}{path}", server.url));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    server.send(request).await
}

#[tokio::test]
async fn the_page_and_its_files_may_use_nothing_but_each_other() {
    let server = TestServer::start().await;
    let shell = server.get("/").await.ok();
    assert_eq!(shell.header("content-type"), Some("text/html; charset=utf-8"));
    let files = files(&shell.body);
    assert!(files.len() >= 3, "{files:?}");
    for path in files.iter().map(String::as_str).chain(["/", "/page/state"]) {
        let answer = server.get(path).await.ok();
        let policy = answer.header("content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self';"));
        assert!(
            !policy.contains("unsafe") && policy.contains("frame-ancestors 'none'"),
            "{policy}"
        );
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("x-frame-options", "DENY"),
            ("cross-origin-resource-policy", "same-origin"),
        ] {
            assert_eq!(answer.header(name), Some(value), "{path}");
        }
    }
    assert_eq!(server.get("/page/state").await.header("cache-control"), Some("no-store"));
    server.get("/page/nothing.js").await.refused(404, "unknown_url", Value::Null);
    // It is the server's, not a profile's or the API's.
    for path in ["/v1/page/state", "/profiles/codex/page/state", "/v1/", "/page/"] {
        assert_eq!(server.get(path).await.status, 404, "{path}");
    }
    let header = [("x-codexway-profile", "nobody")];
    ask(&server, Method::GET, "/page/state", &header).await.ok();
}

#[tokio::test]
async fn a_browser_that_has_the_page_is_told_so() {
    let server = TestServer::start().await;
    let first = server.get("/").await.ok();
    for path in files(&first.body).iter().map(String::as_str).chain(["/"]) {
        let answer = server.get(path).await.ok();
        let tag = answer.header("etag").unwrap();
        assert_eq!(answer.header("cache-control"), Some("no-cache"));
        let again = ask(&server, Method::GET, path, &[("if-none-match", tag)]).await;
        assert_eq!((again.status.as_u16(), &*again.body), (304, ""), "{path}");
        let head = ask(&server, Method::HEAD, path, &[]).await;
        assert_eq!((head.status.as_u16(), head.header("etag")), (200, Some(tag)));
        let other = ask(&server, Method::GET, path, &[("if-none-match", "\"other\"")]).await;
        assert_eq!(other.ok().body, answer.body);
    }
}

#[tokio::test]
async fn with_local_keys_the_page_is_empty_until_it_has_one() {
    let server = TestServer::with_vars(&[KEYS]).await;
    let shell = server.get("/").await.ok();
    assert!(shell.body.contains(r#"data-key="yes""#));
    for file in files(&shell.body) {
        server.get(&file).await.ok();
    }
    for path in ["/page/state", "/page/events"] {
        server.get(path).await.refused(401, "invalid_api_key", Value::Null);
        let wrong = [("authorization", "Bearer sk-two")];
        let refused = ask(&server, Method::GET, path, &wrong).await;
        refused.refused(401, "invalid_api_key", Value::Null);
        // A key in an address would be kept by histories and logs, and is none.
        let address = format!("{path}?key=sk-one");
        server.get(&address).await.refused(401, "invalid_api_key", Value::Null);
    }
    for method in [Method::POST, Method::DELETE, Method::OPTIONS] {
        let answer = ask(&server, method, "/", &[]).await;
        answer.refused(401, "invalid_api_key", Value::Null);
    }
    let known = [("authorization", "Bearer sk-one")];
    let told = ask(&server, Method::GET, "/page/state", &known).await.ok().json();
    assert_eq!(told["server"]["keys"], 1);
    assert!(!told.to_string().contains("sk-one"), "{told}");
    ask(&server, Method::POST, "/", &known).await.refused(405, "method_not_supported", Value::Null);
    let open = TestServer::start().await;
    assert!(open.get("/").await.ok().body.contains(r#"data-key="no""#));
}

#[tokio::test]
async fn other_pages_neither_read_nor_frame_nor_borrow_the_page() {
    let server = TestServer::start().await;
    for path in ["/", "/page/main.js", "/page/style.css", "/page/state", "/page/events"] {
        for (name, value, code) in [
            ("origin", "https://evil.example", "origin_not_allowed"),
            ("sec-fetch-site", "cross-site", "origin_not_allowed"),
            ("host", "evil.example", "host_not_allowed"),
        ] {
            let answer = ask(&server, Method::GET, path, &[(name, value)]).await;
            answer.refused(403, code, Value::Null);
        }
    }
    // A link from elsewhere leads to the page, which is the same for everybody and does nothing.
    let link = [("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate")];
    let led = ask(&server, Method::GET, "/", &link).await.ok();
    assert_eq!(led.body, server.get("/").await.body);
    assert!(server.simulator.requests().is_empty());
}
