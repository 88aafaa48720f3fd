use codexway::simulator::Script;
use http::StatusCode;
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use super::{Open, state};
use crate::support::{Setup, TestServer, ask, binary, is_alone, with};

#[tokio::test]
async fn an_account_is_shown_with_its_plan_and_costs_it_nothing() {
    let server = TestServer::start().await;
    let told = state(&server).await;
    let account = &told["accounts"][0];
    for (member, value) in [
        ("name", "default"),
        ("upstream", "codex"),
        ("kind", "codex"),
        ("state", "ready"),
        ("plan", "plus"),
    ] {
        assert_eq!(account[member], value, "{account}");
    }
    let windows: Vec<_> = account["windows"].as_array().unwrap().iter().collect();
    let lengths = windows.iter().map(|window| (&window["minutes"], &window["used_percent"]));
    let expected = [(json!(300), json!(31.0)), (json!(10_080), json!(12.0))];
    assert!(lengths.eq(expected.iter().map(|(minutes, used)| (minutes, used))), "{windows:?}");
    assert!(windows.iter().all(|window| window["resets_at"].is_u64()));
    assert_eq!(told["profiles"][0]["name"], "codex");
    assert_eq!(told["profiles"][0]["models"][0]["id"], "gpt-6.1-sol");
    assert!(told["profiles"][0]["models"][0]["context_window"].is_u64());

    // However often it is asked, the backend is asked once.
    for _ in 0..5 {
        state(&server).await;
    }
    assert!(server.turns().is_empty());
    assert_eq!(server.simulator.refreshes(), 0);
    let asked = server.simulator.requests();
    let usage = asked.iter().filter(|request| request.path.ends_with("/wham/usage"));
    assert_eq!(usage.count(), 1);
}

#[tokio::test]
async fn who_is_not_logged_in_is_told_how_for_the_account_that_it_is_about() {
    let vars = [
        ("CODEXWAY__ACCOUNTS__WORK__KIND", "codex".to_owned()),
        ("CODEXWAY__ACCOUNTS__WORK__SOURCE", "own".to_owned()),
        ("CODEXWAY__PROFILES__SECOND__ACCOUNT", "work".to_owned()),
    ];
    let nobody = Some(String::from("{}"));
    let server =
        TestServer::with(Setup { vars: vars.to_vec(), auth_json: nobody, ..Setup::default() })
            .await;
    let told = state(&server).await;
    let accounts = told["accounts"].as_array().unwrap();
    for (name, command) in
        [("default", "`codexway login`"), ("work", "`codexway login --account work`")]
    {
        let account = accounts.iter().find(|account| account["name"] == name).unwrap();
        assert_eq!(account["state"], "login_needed", "{account}");
        let problem = account["problem"].as_str().unwrap();
        assert!(problem.contains(command), "{problem}");
    }
    assert!(server.simulator.requests().is_empty(), "nobody is asked about nobody");
}

#[tokio::test]
async fn a_plan_that_is_used_up_says_when_it_comes_back() {
    let server = TestServer::start().await;
    server.simulator.use_up_plan(Some(5400));
    server.chat(&ask("hi")).await.refused(429, "usage_limit_reached", Value::Null);
    let told = state(&server).await;
    let account = &told["accounts"][0];
    assert_eq!(
        (&account["state"], &account["windows"][0]["used_percent"]),
        (&json!("used_up"), &json!(100.0))
    );
    assert!(account["windows"][0]["resets_at"].is_u64());
    let error = &told["errors"][0];
    assert_eq!(
        (&error["status"], &error["code"], &error["dialect"], &error["model"], &error["profile"]),
        (
            &json!(429),
            &json!("usage_limit_reached"),
            &json!("chat"),
            &json!("gpt-5.5"),
            &json!("codex")
        )
    );
    assert!(error["at"].is_u64());
    assert!(error["message"].as_str().unwrap().contains("limit has been reached"), "{error}");
    assert!(error["hint"].as_str().unwrap().starts_with("wait for the reset"), "{error}");
}

#[tokio::test]
async fn of_what_is_said_in_turns_the_page_tells_nothing() {
    const SAID: [&str; 7] = [
        "word-of-the-user",
        "word-of-the-system",
        "word-of-the-model",
        "thought-of-the-model",
        "argument-of-a-call",
        "result-of-a-call",
        "name-of-the-user",
    ];
    let server = TestServer::start().await;
    let mut page = Open::on(&server).await;
    let answer = || {
        Script::new()
            .reasoning("thought-of-the-model")
            .message("word-of-the-model")
            .tool_call("look", r#"{"for":"argument-of-a-call"}"#)
    };
    let tool = json!({"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {}}}});
    let chat = json!({"model": "gpt-5.5", "user": "name-of-the-user", "tools": [tool], "messages": [
        {"role": "system", "content": "word-of-the-system"},
        {"role": "user", "content": "word-of-the-user"},
        {"role": "assistant", "content": null, "tool_calls": [{"id": "call_1", "type": "function",
            "function": {"name": "look", "arguments": "{\"for\":\"argument-of-a-call\"}"}}]},
        {"role": "tool", "tool_call_id": "call_1", "content": "result-of-a-call"},
    ]});
    for stream in [true, false] {
        server.simulator.script(answer());
        server.chat(&with(chat.clone(), json!({"stream": stream}))).await.ok();
        server.simulator.script(answer());
        let input = json!({"model": "gpt-5.5", "stream": stream, "input": "word-of-the-user"});
        server.responses(&input).await.ok();
    }
    // One that fails half-way, and one in which a conversation stands where a word is expected.
    server.simulator.script(answer().failed_after_text("server_error", "It broke."));
    server.chat(&with(ask("word-of-the-user"), json!({"stream": true}))).await;
    let long = "word-of-the-user, at length ".repeat(9);
    let wrong = json!({"model": "gpt-5.5", "messages": [{"role": long, "content": "hi"}]});
    assert_eq!(server.chat(&wrong).await.status, 400);
    server.simulator.script(Script::new().stall_after_items().message("word-of-the-model"));
    let stalled = with(ask("word-of-the-user"), json!({"stream": true}));
    let mut stalled = std::pin::pin!(server.chat(&stalled));
    let seen = tokio::select! {
        _ = &mut stalled => panic!("it stalls"),
        seen = page.until("live", |live| live["turns"][0]["events"].as_u64() > Some(1)) => seen.clone(),
    };
    assert_eq!(seen["turns"][0]["model"], "gpt-5.5");
    page.until("errors", |errors| errors.as_array().unwrap().len() == 2).await;

    let told = [page.all, state(&server).await.to_string(), server.get("/").await.body];
    for said in SAID {
        for told in &told {
            assert!(!told.contains(said), "`{said}` is told: {told}");
        }
    }
}

#[tokio::test]
async fn a_secret_that_an_upstream_repeats_is_masked_on_the_page() {
    let server = TestServer::start().await;
    let secret = "sk-proj-0123456789abcdef0123456789abcdef";
    let body = json!({"error": {"message": format!("no such key {secret}"), "code": "odd"}});
    server.simulator.script(Script::new().status(
        400,
        &[("content-type", "application/json")],
        &body.to_string(),
    ));
    assert_eq!(server.chat(&ask("hi")).await.status, StatusCode::BAD_REQUEST);
    let errors = state(&server).await["errors"].clone();
    assert_eq!(errors[0]["message"], "no such key ***");
}

#[tokio::test]
async fn of_many_failures_the_last_twenty_are_told_in_short_words() {
    let server = TestServer::start().await;
    for n in 0..30 {
        let model = format!("{n}{}", "-no-such-model".repeat(500));
        let wrong = with(ask("hi"), json!({"model": model}));
        server.chat(&wrong).await.refused(404, "model_not_found", "model");
    }
    let told = state(&server).await;
    let errors = told["errors"].as_array().unwrap();
    assert_eq!(errors.len(), 20);
    assert!(errors[0]["message"].as_str().unwrap().contains("`29-no"), "{}", errors[0]);
    assert!(told["errors"].to_string().len() < 20 * 1200, "{}", told["errors"]);
    assert_eq!(told["tokens"]["ended"], 30);
    assert!(server.turns().is_empty());
}

#[tokio::test]
async fn the_page_counts_what_the_metrics_count() {
    if !is_alone("page::data::the_page_counts_what_the_metrics_count") {
        return;
    }
    let server = TestServer::start().await;
    let long = "word ".repeat(4000);
    for _ in 0..3 {
        server.chat(&ask(&long)).await.ok();
    }
    let wrong = json!({"model": "no-such-model", "messages": [{"role": "user", "content": "hi"}]});
    server.chat(&wrong).await.refused(404, "model_not_found", "model");
    let told = state(&server).await;
    let sum = |member: &str| {
        let minutes = told["tokens"]["minutes"].as_array().unwrap().iter();
        minutes.map(|minute| minute[member].as_u64().unwrap()).sum::<u64>()
    };
    let metrics = server.get("/metrics").await.ok().body;
    let counted = |line: &str| -> u64 {
        let counted = metrics.lines().filter_map(|metric| metric.strip_prefix(line));
        counted.map(|count| count.rsplit(' ').next().unwrap().parse::<u64>().unwrap()).sum()
    };
    for kind in ["input", "cached", "output", "reasoning"] {
        assert_eq!(
            sum(kind),
            counted(&format!("codexway_tokens_total{{kind=\"{kind}\"}}")),
            "{kind}"
        );
    }
    assert!(sum("cached") > 0 && sum("output") > 0, "{told}");
    assert_eq!((sum("turns"), sum("failed")), (4, 1));
    assert_eq!(counted("codexway_turns_total"), 4);
    assert_eq!(told["tokens"]["ended"], 4);
}

#[tokio::test]
async fn clients_are_told_what_the_command_tells() {
    let home = tempfile::tempdir().unwrap();
    let (_running, info) = binary::start(&home, &["demo"]);
    let url = info["url"].as_str().unwrap();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let told = client.get(format!("{url}/page/state")).send().await.unwrap();
    let told: Value = told.json().await.unwrap();
    assert_eq!(told["server"]["url"], url);
    assert_eq!(told["server"]["demo"], true);
    let guides = told["clients"].as_array().unwrap();
    let list = binary::text(&binary::run(&home, &["connect", "--json"]).stdout);
    let list: Vec<Value> = serde_json::from_str(&list).unwrap();
    assert!(guides.len() > 10);
    assert!(
        guides.iter().map(|guide| &guide["name"]).eq(list.iter().map(|entry| &entry["client"]))
    );
    for name in ["codex", "openai", "opencode"] {
        let guide = guides.iter().find(|guide| guide["name"] == name).unwrap();
        let printed = binary::run(&home, &["connect", name, "--url", url]);
        assert_eq!(guide["settings"], binary::text(&printed.stdout));
    }
}
