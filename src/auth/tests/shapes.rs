use pretty_assertions::assert_eq;

use super::*;

#[tokio::test]
async fn the_account_is_the_access_tokens_then_the_files_then_the_id_tokens() {
    let world = World::new().await;
    let without = unsigned(&json!({ "exp": 2_000_000_000 }));
    for (access, filed, id, expected) in [
        (jwt(DAY, "claim"), Some("filed"), jwt(DAY, "id"), "claim"),
        (without.clone(), Some("filed"), jwt(DAY, "id"), "filed"),
        (without.clone(), None, jwt(DAY, "id"), "id"),
        ("opaque".to_owned(), Some("filed"), "opaque".to_owned(), "filed"),
    ] {
        world.write(&json!({ "tokens": { "id_token": id, "access_token": access, "refresh_token": "rt", "account_id": filed } }));
        assert_eq!(world.manager().access().await.unwrap().account_id, expected);
    }
}

#[tokio::test]
async fn plan_and_fedramp_come_from_the_claims() {
    let world = World::new().await;
    let access = unsigned(&json!({
        "exp": 2_000_000_000,
        "https://api.openai.com/auth": { "chatgpt_account_id": "acc", "chatgpt_account_is_fedramp": true },
    }));
    let id = unsigned(&json!({ "https://api.openai.com/auth": { "chatgpt_plan_type": "plus" } }));
    world.write(&json!({ "OPENAI_API_KEY": "sk-exchanged", "tokens": { "id_token": id, "access_token": access, "refresh_token": "rt" } }));
    let access = world.manager().access().await.unwrap();
    assert_eq!((access.fedramp, access.plan.as_deref()), (true, Some("plus")));
}

#[tokio::test]
async fn files_without_a_usable_login_say_what_to_do() {
    let world = World::new().await;
    let lacks = unsigned(&json!({ "exp": 2_000_000_000 }));
    let api_key = "`{file}` holds an API key, and the `codex` upstream needs a ChatGPT login; run `codexway login`, or use the `openai` upstream with the key";
    let mode = |mode| {
        format!(
            "`{{file}}` holds a login of the kind `{mode}`, which codexway cannot use; run `codexway login`"
        )
    };
    let nothing = "there is no ChatGPT login in `{dir}`; run `codexway login`";
    for (file, expected) in [
        (json!({ "OPENAI_API_KEY": "sk-1" }), api_key.to_owned()),
        (json!({ "auth_mode": "apikey", "OPENAI_API_KEY": "sk-1" }), api_key.to_owned()),
        (json!({ "auth_mode": "chatgptAuthTokens" }), mode("chatgptAuthTokens")),
        (json!({ "auth_mode": "headers" }), mode("headers")),
        (json!({ "OPENAI_API_KEY": null, "agent_identity": "ey.." }), mode("agentIdentity")),
        (json!({ "auth_mode": "bedrockApiKey", "bedrock_api_key": "b" }), mode("bedrockApiKey")),
        (json!({}), nothing.to_owned()),
        (json!({ "auth_mode": "chatgpt", "OPENAI_API_KEY": "sk-1" }), nothing.to_owned()),
        (
            json!({ "tokens": { "access_token": "opaque" } }),
            "the account is unknown: the access token is malformed, so it does not show the claim `https://api.openai.com/auth.chatgpt_account_id`, and `{file}` names no `account_id` either; run `codexway login`".to_owned(),
        ),
        (
            json!({ "tokens": { "access_token": lacks } }),
            "the account is unknown: the access token lacks the claim `https://api.openai.com/auth.chatgpt_account_id`, and `{file}` names no `account_id` either; run `codexway login`".to_owned(),
        ),
        (
            json!({ "tokens": { "access_token": jwt(-10, "acc") } }),
            "the access token in `{file}` has expired or was refused, and there is no refresh token beside it; run `codexway login`".to_owned(),
        ),
    ] {
        world.write(&file);
        let error = world.manager().access().await.unwrap_err();
        assert_eq!(error.to_string(), world.said(&expected), "{file}");
        assert!(error.needs_login(), "{error}");
    }
    assert_eq!(world.asked().len(), 0);
}

#[tokio::test]
async fn an_unreadable_file_is_named_and_kept() {
    let world = World::new().await;
    for (bytes, why) in [
        (
            &b"{\"OPENAI_API_KEY\": \"sk-secret"[..],
            "EOF while parsing a string at line 1 column 29",
        ),
        (b"\"sk-secret\"", "it is not a JSON object"),
        (b"", "EOF while parsing a value at line 1 column 0"),
    ] {
        fs::write(world.file(), bytes).unwrap();
        let error = world.manager().access().await.unwrap_err();
        assert_eq!(
            error.to_string(),
            world.said(&format!("cannot read `{{file}}`: {why}; it was left as it is: repair it, or move it away and run `codexway login`"))
        );
        assert_eq!(fs::read(world.file()).unwrap(), bytes);
    }
}

#[tokio::test]
async fn a_personal_access_token_is_looked_up_once_and_never_refreshed() {
    let world = World::new().await;
    world.write(&json!({ "OPENAI_API_KEY": null, "personal_access_token": "at-1" }));
    let manager = world.manager();
    let summary = manager.snapshot().await.unwrap();
    assert_eq!((summary.kind, summary.account_id), (Kind::PersonalAccessToken, None));
    for _ in 0..3 {
        let access = manager.access().await.unwrap();
        assert_eq!((token(&access).as_str(), access.account_id.as_str()), ("at-1", "pat-acc"));
        assert_eq!((access.fedramp, access.plan.as_deref()), (true, Some("business")));
    }
    assert_eq!(world.asked(), [json!("Bearer at-1")]);
    let refused = manager.access().await.unwrap();
    let error = manager.instead_of(&refused).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        world.said(
            "the personal access token in `{file}` was refused; replace it, or run `codexway login`"
        )
    );
    world.write(&json!({ "personal_access_token": "at-2" }));
    assert_eq!(token(&manager.instead_of(&refused).await.unwrap()), "at-2");
    assert_eq!(world.asked().len(), 2);
}
