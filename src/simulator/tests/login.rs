use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use super::*;

const CLIENT_ID: &str = "app_EMoamEEZ73f0CkXaXp7hrann";
const VERIFIER: &str = "a-verifier-that-is-long-enough-for-anybody-who-looks";
const CALLBACK: &str = "http://127.0.0.1:1455/auth/callback";

fn query() -> Vec<(&'static str, String)> {
    let scope = "openid profile email offline_access api.connectors.read api.connectors.invoke";
    vec![
        ("response_type", "code".to_owned()),
        ("client_id", CLIENT_ID.to_owned()),
        ("redirect_uri", CALLBACK.to_owned()),
        ("code_challenge", BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER))),
        ("code_challenge_method", "S256".to_owned()),
        ("state", "a state".to_owned()),
        ("scope", scope.to_owned()),
    ]
}

async fn authorize(client: &Client, query: &[(&str, String)]) -> Answer {
    let url = format!("{}/oauth/authorize", client.sim.auth_url());
    let encoded: Vec<_> =
        query.iter().map(|(name, value)| format!("{name}={}", value.replace(' ', "+"))).collect();
    Answer::of(client.http.get(format!("{url}?{}", encoded.join("&")))).await
}

async fn exchange(client: &Client, code: &str, verifier: &str, redirect_uri: &str) -> Answer {
    let url = format!("{}/oauth/token", client.sim.auth_url());
    let form = [
        ("grant_type", "authorization_code"),
        ("client_id", CLIENT_ID),
        ("code", code),
        ("redirect_uri", redirect_uri),
        ("code_verifier", verifier),
    ];
    Answer::of(client.http.post(url).form(&form)).await
}

async fn code(client: &Client) -> String {
    let answer = authorize(client, &query()).await;
    let (target, rest) = answer.header("location").split_once("?code=").unwrap();
    let (code, state) = rest.split_once("&state=").unwrap();
    assert_eq!((answer.status, target, state), (302, CALLBACK, "a%20state"));
    code.to_owned()
}

#[tokio::test]
async fn a_browser_login_ends_in_tokens_and_an_api_key() {
    let client = client().await;
    let code = code(&client).await;
    let tokens = exchange(&client, &code, VERIFIER, CALLBACK).await.json();
    let access = tokens["access_token"].as_str().unwrap().to_owned();
    assert_eq!(
        exchange(&client, &code, VERIFIER, CALLBACK).await.status,
        400,
        "a code is for once"
    );

    let url = format!("{}/oauth/token", client.sim.auth_url());
    let form = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
        ("client_id", CLIENT_ID),
        ("requested_token", "openai-api-key"),
        ("subject_token", tokens["id_token"].as_str().unwrap()),
        ("subject_token_type", "urn:ietf:params:oauth:token-type:id_token"),
    ];
    let key = Answer::of(client.http.post(url).form(&form)).await.json();
    assert!(key["access_token"].as_str().unwrap().starts_with("sk-"));

    let client = Client { access, ..client };
    assert_eq!(client.ask(&body()).await.status, 200);
}

#[tokio::test]
async fn pkce_and_the_redirect_are_checked() {
    let client = client().await;
    let wrong_verifier = exchange(&client, &code(&client).await, "other", CALLBACK).await;
    assert_eq!(wrong_verifier.json()["error"], "invalid_grant");
    let elsewhere = "http://127.0.0.1:1457/auth/callback";
    assert_eq!(exchange(&client, &code(&client).await, VERIFIER, elsewhere).await.status, 400);
}

#[tokio::test]
async fn authorize_takes_only_what_is_registered() {
    let client = client().await;
    for (name, value) in [
        ("client_id", "app_other"),
        ("redirect_uri", "http://127.0.0.1:8080/auth/callback"),
        ("redirect_uri", "https://example.com/auth/callback"),
        ("response_type", "token"),
        ("code_challenge_method", "plain"),
        ("code_challenge", ""),
        ("state", ""),
        ("scope", "openid profile"),
    ] {
        let mut query = query();
        query.retain(|(known, _)| *known != name);
        query.push((name, value.to_owned()));
        assert_eq!(authorize(&client, &query).await.status, 400, "{name}={value}");
    }
    for redirect in ["http://localhost:1455/auth/callback", "http://127.0.0.1:1457/auth/callback"] {
        let mut query = query();
        query[2].1 = redirect.to_owned();
        assert_eq!(authorize(&client, &query).await.status, 302, "{redirect}");
    }
}

async fn usercode(client: &Client) -> Value {
    let url = format!("{}/api/accounts/deviceauth/usercode", client.sim.auth_url());
    let started = Answer::of(client.http.post(url).json(&json!({ "client_id": CLIENT_ID }))).await;
    let started = started.json();
    assert!(started["interval"].is_string());
    started
}

async fn poll(client: &Client, started: &Value) -> Answer {
    let url = format!("{}/api/accounts/deviceauth/token", client.sim.auth_url());
    let poll = json!({
        "device_auth_id": started["device_auth_id"],
        "user_code": started["user_code"],
    });
    Answer::of(client.http.post(url).json(&poll)).await
}

#[tokio::test]
async fn a_device_login_waits_until_it_is_approved() {
    let client = client().await;
    let started = usercode(&client).await;
    assert_eq!(poll(&client, &started).await.status, 403);
    assert!(!client.sim.approve_device("NONE-SUCH"));
    assert!(client.sim.approve_device(started["user_code"].as_str().unwrap()));
    let approved = poll(&client, &started).await.json();
    let text = |name: &str| approved[name].as_str().unwrap().to_owned();
    let callback = format!("{}/deviceauth/callback", client.sim.auth_url());
    let code = text("authorization_code");
    let tokens = exchange(&client, &code, &text("code_verifier"), &callback).await;
    assert_eq!(tokens.status, 200);
    assert_eq!(poll(&client, &started).await.status, 404);
}

#[tokio::test]
async fn a_device_is_approved_on_its_page_or_by_itself() {
    let waiting = client().await;
    let started = usercode(&waiting).await;
    let code = started["user_code"].as_str().unwrap();
    let url = format!("{}/codex/device", waiting.sim.auth_url());
    let page = Answer::of(waiting.http.get(format!("{url}?user_code={code}"))).await;
    assert!(page.text.contains(code) && page.text.contains("<form method=post>"));
    let form = [("user_code", code.to_lowercase())];
    assert_eq!(Answer::of(waiting.http.post(url).form(&form)).await.status, 200);
    assert_eq!(poll(&waiting, &started).await.status, 200);

    let options = Options { device_approved_at_poll: Some(2), ..Options::default() };
    let client = client_with(options).await;
    let started = usercode(&client).await;
    assert_eq!(poll(&client, &started).await.status, 403);
    assert_eq!(poll(&client, &started).await.status, 200);
}

#[tokio::test]
async fn a_person_may_decline_and_another_may_sign_in() {
    let client = client().await;
    client.sim.refuse_logins(Some("no & never"));
    let answer = authorize(&client, &query()).await;
    assert_eq!(
        answer.header("location"),
        format!(
            "{CALLBACK}?error=access_denied&error_description=no%20%26%20never&state=a%20state"
        )
    );
    client.sim.refuse_logins(None);
    client.sim.sign_in_as("grace@example.com");
    let code = code(&client).await;
    let tokens = exchange(&client, &code, VERIFIER, CALLBACK).await.json();
    let url = format!("{}/api/accounts/v1/user-auth-credential/whoami", client.sim.auth_url());
    let who = client.http.get(url).bearer_auth(tokens["access_token"].as_str().unwrap());
    assert_eq!(Answer::of(who).await.json()["email"], "grace@example.com");
}

#[tokio::test]
async fn a_device_may_be_declined_and_codes_may_not_be_offered() {
    let waiting = client().await;
    let started = usercode(&waiting).await;
    assert!(waiting.sim.deny_device(started["user_code"].as_str().unwrap()));
    let denied = poll(&waiting, &started).await;
    assert_eq!((denied.status, denied.json()), (400, json!({ "error": "access_denied" })));
    assert_eq!(poll(&waiting, &started).await.status, 404);

    let without = client_with(Options { device_logins: false, ..Options::default() }).await;
    let url = format!("{}/api/accounts/deviceauth/usercode", without.sim.auth_url());
    let asked = without.http.post(url).json(&json!({ "client_id": CLIENT_ID }));
    assert_eq!(Answer::of(asked).await.status, 404);
}
