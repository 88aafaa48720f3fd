use super::*;

#[tokio::test]
async fn what_is_not_persisted_is_not_found() {
    let client = client().await;
    let error = json!({
        "message": "Item with id 'rs_1' not found. Items are not persisted when `store` is set to \
                    false. Try again with `store` set to true, or remove this item from your input.",
        "type": "invalid_request_error",
        "param": "input",
        "code": null,
    });
    for fields in [
        item(json!({ "type": "item_reference", "id": "rs_1" })),
        item(json!({ "type": "reasoning", "id": "rs_1", "summary": [] })),
        item(json!({ "type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "" })),
    ] {
        assert_eq!(refused(&client, &fields).await, (404, error.clone()), "{fields}");
    }
    each_passes([item(json!({ "type": "reasoning", "summary": [] }))]).await;
}

#[tokio::test]
async fn calls_and_outputs_come_in_pairs() {
    let custom = json!({ "type": "custom_tool_call", "call_id": "c", "name": "f", "input": "" });
    each_is_refused([
        (item(call("call_X")), "No tool output found for function call call_X.", "input", ""),
        (
            item(output("call_X", "done".into())),
            "No tool call found for function call output with call_id call_X.",
            "input",
            "",
        ),
        (
            json!({ "input": [output("call_X", "done".into()), call("call_X")] }),
            "No tool call found for function call output with call_id call_X.",
            "input",
            "",
        ),
        (
            json!({ "input": [user("hi"), custom, output("c", "done".into())] }),
            "No tool output found for custom tool call c.",
            "input",
            "",
        ),
    ])
    .await;
    each_passes([json!({ "input": [
        user("hi"),
        call("a"),
        call("b"),
        output("b", "2".into()),
        output("a", json!([{ "type": "input_text", "text": "1" }])),
    ] })])
    .await;
}

/// A conversation that replays sealed reasoning.
fn replay(sealed: &str, id: Value) -> Value {
    let mut item = json!({ "type": "reasoning", "summary": [], "encrypted_content": sealed });
    if id.is_string() {
        item["id"] = id;
    }
    json!({ "input": [user("hi"), item, user("go on")] })
}

#[tokio::test]
async fn replayed_reasoning_is_verified() {
    let client = client().await;
    let asked = with(body(), json!({ "include": ["reasoning.encrypted_content"] }));
    let reasoning = client.ask(&asked).await.items().remove(0);
    let sealed = reasoning["encrypted_content"].as_str().unwrap();
    assert!(sealed.starts_with("gAAAAAB"), "{sealed}");
    for id in [Value::Null, reasoning["id"].clone()] {
        assert_eq!(client.ask(&with(body(), replay(sealed, id))).await.status, 200);
    }

    let mut changed = sealed.to_owned();
    let other = if changed.remove(40) == 'A' { 'B' } else { 'A' };
    changed.insert(40, other);
    let (status, error) = refused(&client, &replay(&changed, Value::Null)).await;
    let ends = format!("{}...{}", &sealed[..4], &sealed[sealed.len() - 4..]);
    assert_eq!(
        (status, error),
        (
            400,
            json!({
                "message": format!("The encrypted content {ends} could not be verified."),
                "type": "invalid_request_error",
                "param": null,
                "code": "invalid_encrypted_content",
            })
        )
    );
    let (_, error) = refused(&client, &replay(&changed, "rs_345678abc".into())).await;
    assert_eq!(
        error["message"],
        "The encrypted content for item rs_345....abc could not be verified. Reason: Encrypted \
         content could not be decrypted or parsed."
    );
}

#[tokio::test]
async fn sealed_reasoning_belongs_to_its_account() {
    let client = client().await;
    let asked = with(body(), json!({ "include": ["reasoning.encrypted_content"] }));
    let reasoning = client.ask(&asked).await.items().remove(0);
    let auth = client.sim.auth_json_of("bob@example.com");
    let other = Client::new(client.sim.clone(), &auth);
    let sealed = reasoning["encrypted_content"].as_str().unwrap();
    let (_, error) = refused(&other, &replay(sealed, "rs_345678abc".into())).await;
    assert_eq!(error["code"], "invalid_encrypted_content");
    assert_eq!(
        error["message"],
        "The encrypted content for item rs_345....abc could not be verified. Reason: Encrypted \
         content organization_id did not match the target organization."
    );
}
