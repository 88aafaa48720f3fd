use super::super::TokenScript;
use super::*;

const CLIENT_ID: &str = "app_EMoamEEZ73f0CkXaXp7hrann";

impl Client {
    async fn refresh(&self, token: &str) -> Answer {
        let body = json!({
            "client_id": CLIENT_ID,
            "grant_type": "refresh_token",
            "refresh_token": token,
        });
        Answer::of(self.refresh_request(&body)).await
    }

    fn refresh_request(&self, body: &Value) -> reqwest::RequestBuilder {
        self.http
            .post(format!("{}/oauth/token", self.sim.auth_url()))
            .header("content-type", "application/json")
            .body(body.to_string())
    }
}

fn error(answer: &Answer) -> (u16, String) {
    let code = answer.json()["error"]["code"].as_str().unwrap_or_default().to_owned();
    (answer.status, code)
}

#[tokio::test]
async fn auth_json_reads_like_the_real_file() {
    use base64::Engine as _;

    let client = client().await;
    let file: Value = serde_json::from_str(&client.sim.auth_json()).unwrap();
    assert_eq!(file["auth_mode"], "chatgpt");
    assert!(file["last_refresh"].as_str().unwrap().ends_with('Z'));
    for name in ["id_token", "access_token"] {
        let token = file["tokens"][name].as_str().unwrap();
        let payload = token.split('.').nth(1).unwrap();
        let claims = base64::prelude::BASE64_URL_SAFE_NO_PAD.decode(payload).unwrap();
        let claims: Value = serde_json::from_slice(&claims).unwrap();
        let auth = &claims["https://api.openai.com/auth"];
        assert_eq!(auth["chatgpt_account_id"], file["tokens"]["account_id"]);
        assert_eq!(auth["chatgpt_plan_type"], "plus");
        let lives = claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap();
        assert_eq!(lives, 10 * 24 * 3600);
    }
    // The same person in another family.
    assert_eq!(file["tokens"]["account_id"], client.account);
    assert_ne!(file["tokens"]["refresh_token"], client.refresh);
}

#[tokio::test]
async fn each_kind_of_bad_token_has_its_body() {
    let client = client().await;
    let url = format!("{}/codex/responses", client.sim.base_url());
    let ask = |bearer: Option<&str>, account: Option<&str>| {
        let mut request = client.http.post(&url).json(&body()).header("version", VERSION);
        if let Some(bearer) = bearer {
            request = request.bearer_auth(bearer);
        }
        if let Some(account) = account {
            request = request.header("chatgpt-account-id", account);
        }
        Answer::of(request)
    };
    let unauthorized = r#"{"detail":"Unauthorized"}"#;
    let own = Some(client.account.as_str());
    for answer in [
        ask(None, own).await,
        ask(Some("garbled"), own).await,
        ask(Some(&client.access), None).await,
    ] {
        assert_eq!((answer.status, answer.text.as_str()), (401, unauthorized));
    }
    let foreign = ask(Some(&client.access), Some("someone-else")).await;
    assert_eq!((foreign.status, foreign.text.as_str()), (403, r#"{"detail":"Forbidden"}"#));
    let unknown = ask(Some("a.b.c"), own).await.json();
    assert_eq!(
        unknown["error"]["message"],
        "Could not parse your authentication token. Please try signing in again."
    );
}

#[tokio::test]
async fn expired_and_revoked_tokens_are_told_apart() {
    let client = client().await;
    let auth = client.sim.auth_json_expiring(Duration::ZERO);
    let expired = Client::new(client.sim.clone(), &auth).ask(&body()).await;
    assert_eq!(
        expired.json(),
        json!({
            "error": {
                "message": "Provided authentication token is expired. Please try signing in again.",
                "type": "invalid_request_error",
                "code": "token_expired",
                "param": null,
            },
            "status": 401,
        })
    );
    assert_ne!(expired.header("x-error-json"), "");
    client.sim.revoke_access_tokens();
    let revoked = client.ask(&body()).await;
    assert_eq!(
        revoked.json()["error"]["message"],
        "Your authentication token has been invalidated. Please try signing in again."
    );
    assert_eq!(error(&revoked), (401, "token_invalidated".to_owned()));
    assert_eq!(client.refresh(&client.refresh).await.status, 200);
}

#[tokio::test]
async fn a_refresh_token_is_good_for_once_and_a_second_time_ends_its_family() {
    let client = client().await;
    let first = client.refresh(&client.refresh).await.json();
    assert_eq!(first["expires_in"], 10 * 24 * 3600);
    let second = client.refresh(first["refresh_token"].as_str().unwrap()).await.json();
    assert_eq!((client.sim.refreshes(), client.sim.reuses()), (2, 0));
    let other = Client::new(client.sim.clone(), &client.sim.auth_json());
    let reused = client.refresh(&client.refresh).await;
    assert_eq!(reused.status, 401);
    assert_eq!(
        reused.json(),
        json!({ "error": {
        "message": "Your refresh token has already been used to generate a new access token. \
                    Please try signing in again.",
        "type": "invalid_request_error",
        "param": null,
        "code": "refresh_token_reused",
    } })
    );
    assert_eq!(client.sim.reuses(), 1);
    let newest = client.refresh(second["refresh_token"].as_str().unwrap()).await;
    assert_eq!(error(&newest), (401, "refresh_token_invalidated".to_owned()));
    // Access tokens live to their end, and another login of the same person is not touched.
    assert_eq!(client.ask(&body()).await.status, 200);
    assert_eq!(other.refresh(&other.refresh).await.status, 200);
    assert_eq!((client.sim.refreshes(), client.sim.reuses()), (3, 1));
}

#[tokio::test]
async fn a_family_can_be_ended() {
    let client = client().await;
    client.sim.expire_refresh_tokens();
    let expired = client.refresh(&client.refresh).await;
    assert_eq!(error(&expired), (401, "refresh_token_expired".to_owned()));
    client.sim.revoke_all();
    let revoked = client.refresh(&client.refresh).await;
    assert_eq!(error(&revoked), (401, "refresh_token_invalidated".to_owned()));
    assert_eq!(error(&client.refresh("rt_unknown").await).0, 401);

    let auth = client.sim.auth_json();
    let other = Client::new(client.sim.clone(), &auth);
    let url = format!("{}/oauth/revoke", client.sim.auth_url());
    let revoke = json!({ "token": other.refresh, "token_type_hint": "refresh_token" });
    assert_eq!(Answer::of(client.http.post(url).json(&revoke)).await.status, 200);
    assert_eq!(error(&other.ask(&body()).await), (401, "token_invalidated".to_owned()));
    assert_eq!(client.sim.refreshes(), 0);
}

#[tokio::test]
async fn the_token_endpoint_follows_its_own_scripts() {
    let client = client().await;
    let body = json!({
        "client_id": CLIENT_ID,
        "grant_type": "refresh_token",
        "refresh_token": client.refresh,
    });
    client.sim.token_script(TokenScript::status(500, "oops"));
    let broken = Answer::of(client.refresh_request(&body)).await;
    assert_eq!((broken.status, broken.text.as_str()), (500, "oops"));
    client.sim.token_script(TokenScript::cut());
    assert!(client.refresh_request(&body).send().await.is_err());
    assert_eq!(client.sim.refreshes(), 0);
    client.sim.token_script(TokenScript::cut_after_spending());
    assert!(client.refresh_request(&body).send().await.is_err());
    assert_eq!(client.sim.refreshes(), 1);
    client.sim.token_script(TokenScript::new().delay(Duration::from_millis(5)));
    let reused = Answer::of(client.refresh_request(&body)).await;
    assert_eq!(error(&reused), (401, "refresh_token_reused".to_owned()));
}

#[tokio::test]
async fn a_personal_access_token_works_and_knows_its_owner() {
    let client = client().await;
    let pat = client.sim.personal_access_token();
    let url = format!("{}/api/accounts/v1/user-auth-credential/whoami", client.sim.auth_url());
    let who = Answer::of(client.http.get(url).bearer_auth(&pat)).await.json();
    assert_eq!(who["chatgpt_account_id"], client.account);
    assert_eq!(who["chatgpt_plan_type"], "plus");
    let holder = Client { access: pat, ..client };
    assert_eq!(holder.ask(&body()).await.status, 200);
}
