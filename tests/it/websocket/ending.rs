use pretty_assertions::assert_eq;

use super::{
    client::{Socket, body, upgrade},
    *,
};
use crate::support::with;

/// What it is closed with when what its client does is not wanted.
const POLICY: u16 = 1008;

#[tokio::test]
async fn a_socket_that_is_open_when_its_key_is_taken_away_runs_no_more_turns() {
    const KEYS: &str = "CODEXWAY__SERVER__KEYS";
    let server = TestServer::with_vars(&[(KEYS, r#"["sk-one", "sk-two"]"#)]).await;
    let mut one = Socket::of(upgrade(&server, "/v1/responses").bearer_auth("sk-one")).await;
    let mut two = Socket::of(upgrade(&server, "/v1/responses").bearer_auth("sk-two")).await;
    one.ask(body("hi")).await;
    server.reload(&[(KEYS, r#"["sk-two"]"#.to_owned())]);
    let (status, error) = one.refused(body("hi")).await;
    assert_eq!((status, &error["code"]), (401.into(), &json!("invalid_api_key")));
    assert_eq!(one.closed().await, POLICY);
    assert_eq!(server.turns().len(), 1);
    // Nor does a key help that a message brings instead.
    two.ask(body("hi")).await;
    server.reload(&[(KEYS, r#"["sk-three"]"#.to_owned())]);
    let forged = json!({"client_metadata": {"ws_request_header_x_api_key": "sk-three"}});
    let (status, _) = two.refused(with(body("hi"), forged)).await;
    assert_eq!((status, server.turns().len()), (401.into(), 2));
}

#[tokio::test]
async fn a_socket_of_a_page_that_is_listed_no_more_runs_no_more_turns() {
    const ORIGINS: &str = "CODEXWAY__SERVER__ALLOWED_ORIGINS";
    let server = TestServer::with_vars(&[(ORIGINS, "https://example.com")]).await;
    let asked = upgrade(&server, "/profiles/codex/responses");
    let mut socket = Socket::of(asked.header("origin", "https://example.com")).await;
    socket.ask(body("hi")).await;
    server.reload(&[]);
    let (status, error) = socket.refused(body("hi")).await;
    assert_eq!((status, &error["code"]), (403.into(), &json!("origin_not_allowed")));
    assert_eq!((socket.closed().await, server.turns().len()), (POLICY, 1));
}
