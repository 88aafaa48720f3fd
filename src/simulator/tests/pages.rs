use super::*;

async fn models(client: &Client, version: &str) -> Answer {
    let path = format!("/backend-api/codex/models?client_version={version}");
    Answer::of(client.request("GET", &path)).await
}

fn slugs(answer: &Answer) -> Vec<String> {
    let models = answer.json()["models"].as_array().unwrap().clone();
    models.iter().map(|model| model["slug"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn the_catalogue_is_filtered_by_version_and_plan() {
    let client = client().await;
    let new = models(&client, VERSION).await;
    assert_eq!(slugs(&new)[0], "gpt-6.1-sol");
    let entry = &new.json()["models"][0];
    assert_eq!(entry["supported_reasoning_levels"][0]["effort"], "low");
    assert_eq!(entry["context_window"], 272_000);
    assert_eq!(entry["use_responses_lite"], true);
    assert_eq!(entry.get("not_in_plans"), None);
    assert_eq!(slugs(&models(&client, "0.128.0").await), ["gpt-5.5", "codex-auto-review"]);

    let free = client_with(Options { plan: "free".to_owned(), ..Options::default() }).await;
    assert_eq!(slugs(&models(&free, "0.128.0").await), ["gpt-5.5"]);
}

#[tokio::test]
async fn the_catalogue_wants_a_version_and_knows_its_etag() {
    let client = client().await;
    let without = Answer::of(client.request("GET", "/backend-api/codex/models")).await;
    assert_eq!(without.status, 400);
    assert_eq!(without.json()["detail"][0]["loc"], json!(["query", "client_version"]));

    let etag = models(&client, VERSION).await.header("etag").to_owned();
    assert_eq!(client.ask(&body()).await.header("x-models-etag"), etag);
    let path = format!("/backend-api/codex/models?client_version={VERSION}");
    let again = client.request("GET", &path).header("if-none-match", &etag);
    assert_eq!(Answer::of(again).await.status, 304);

    let stranger = client.http.get(format!("{}/codex/models", client.sim.base_url()));
    assert_eq!(Answer::of(stranger).await.status, 401);
}

#[tokio::test]
async fn usage_and_accounts_tell_about_the_plan() {
    let client = client().await;
    let usage = Answer::of(client.request("GET", "/backend-api/wham/usage")).await.json();
    assert_eq!(usage["plan_type"], "plus");
    assert_eq!(usage["rate_limit"]["primary_window"]["used_percent"], 31);
    assert_eq!(usage["rate_limit"]["secondary_window"]["limit_window_seconds"], 604_800);
    client.sim.use_up_plan(Some(60));
    let usage = Answer::of(client.request("GET", "/backend-api/wham/usage")).await.json();
    assert_eq!(usage["rate_limit"]["limit_reached"], true);

    let check = Answer::of(client.request("GET", "/backend-api/wham/accounts/check")).await.json();
    assert_eq!(check["accounts"][0]["id"], client.account);
    assert_eq!(check["accounts"][0]["workspace_backend_origin"], "NO_CONSTRAINT");
    assert_eq!(check["default_account_id"], client.account);
}

#[tokio::test]
async fn usage_follows_the_options_and_its_own_scripts() {
    let options = Options {
        windows: [(10_080, 94), (300, 3)],
        credits: Some("12.50".to_owned()),
        clock_ahead: 3600,
        ..Options::default()
    };
    let client = client_with(options).await;
    let ask = || Answer::of(client.request("GET", "/backend-api/wham/usage"));
    client.sim.usage_script(super::super::TokenScript::page(503));
    let page = ask().await;
    assert_eq!((page.status, page.header("cf-mitigated")), (503, "challenge"));
    let usage = ask().await;
    let date = jiff::fmt::rfc2822::parse(usage.header("date")).unwrap().timestamp();
    assert!(date.as_second() > jiff::Timestamp::now().as_second() + 3000);
    let usage = usage.json();
    assert_eq!(usage["rate_limit"]["primary_window"]["limit_window_seconds"], 604_800);
    assert_eq!(usage["rate_limit"]["primary_window"]["used_percent"], 94);
    assert_eq!(usage["credits"]["balance"], "12.50");
}

#[tokio::test]
async fn other_paths_and_methods_are_turned_away() {
    let client = client().await;
    let unknown = Answer::of(client.request("POST", "/backend-api/chat/completions")).await;
    assert_eq!((unknown.status, unknown.text.as_str()), (404, r#"{"detail":"Not Found"}"#));
    let path = "/backend-api/codex/responses";
    assert_eq!(Answer::of(client.request("GET", path)).await.status, 405);
    let socket =
        client.request("GET", path).header("connection", "upgrade").header("upgrade", "websocket");
    assert_eq!(Answer::of(socket).await.status, 426);
}

#[tokio::test]
async fn the_record_shows_what_was_asked_and_hides_secrets() {
    let client = client().await;
    client.ask(&body()).await;
    client.ask(&with(body(), json!({ "store": true }))).await;
    models(&client, VERSION).await;
    let requests = client.sim.requests();
    let statuses: Vec<_> = requests.iter().map(|request| request.status).collect();
    assert_eq!(statuses, [200, 400, 200]);
    assert_eq!(client.sim.turns().len(), 2);
    assert_eq!(requests[0].json(), body());
    assert_eq!(requests[0].header("chatgpt-account-id"), client.account);
    assert_eq!(requests[1].said.as_deref(), Some(r#"{"detail":"Store must be set to false"}"#));
    assert_eq!(requests[2].query, format!("client_version={VERSION}"));
    assert!(!format!("{requests:?}").contains(&client.access));
    client.sim.forget();
    assert!(client.sim.requests().is_empty());
}

#[tokio::test]
async fn the_server_stops_with_its_last_handle() {
    let client = client().await;
    let url = client.sim.auth_url();
    let http = client.http.clone();
    let second = client.sim.clone();
    drop(client);
    assert!(http.get(&url).send().await.is_ok());
    drop(second);
    // The connection is gone and nobody takes a new one.
    while http.get(&url).send().await.is_ok() {
        tokio::task::yield_now().await;
    }
}
