use super::*;

/// What an agent sends in 30 turns, in bytes on the wire and before they were compressed, with
/// prose for instructions and tools of the usual size.
async fn sent(vars: &[(&'static str, &str)]) -> (u64, usize) {
    let server = TestServer::with_vars(vars).await;
    let arguments = json!({"path": "src/main.rs"}).to_string();
    let script =
        Script::new().reasoning("I should look at the next file.").tool_call("read", &arguments);
    server.simulator.script_always(Some(script));
    let mut agent = Agent::new("Find out why the tests fail");
    agent.body["messages"][0]["content"] = json!(prose(1500, 1));
    let tool = agent.body["tools"][0].clone();
    for n in 0..12 {
        let mut tool = tool.clone();
        tool["function"]["name"] = json!(format!("tool_{n}"));
        tool["function"]["description"] = json!(prose(80, n));
        agent.body["tools"].as_array_mut().unwrap().push(tool);
    }
    for n in 0..30 {
        agent.step(&server).await;
        let last = agent.body["messages"].as_array_mut().unwrap().last_mut().unwrap();
        last["content"] = json!(prose(250, 100 + n));
    }
    let requests = server.simulator.requests();
    let said =
        requests.iter().map(|request| request.message.as_ref().unwrap_or(&request.body).len());
    (requests.iter().map(|request| request.wire_len).sum(), said.sum())
}

/// Words that are no more alike than those of people.
fn prose(n_words: u64, seed: u64) -> String {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut word = || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let rank = (state >> 33) % 2000;
        // Frequent words are frequent.
        rank * rank / 2000
    };
    let letters = |n: u64| -> String {
        let letter = |at: u32| char::from(b'a' + ((n * 7 + 3) * 31_u64.pow(at) / 13 % 26) as u8);
        (0..3 + (n % 6) as u32).map(letter).collect()
    };
    (0..n_words).map(|_| letters(word())).collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn a_long_conversation_costs_a_fraction_of_what_http_sends() {
    let off = ("CODEXWAY__UPSTREAMS__CODEX__COMPRESSION", "off");
    let (plain, _) = sent(&[(TRANSPORT, "http"), off]).await;
    let (zstd, _) = sent(&[(TRANSPORT, "http")]).await;
    let (socket, unpacked) = sent(&[(TRANSPORT, "websocket")]).await;
    println!("plain {plain}, zstd {zstd}, websocket {socket}, without deflate {unpacked}");
    assert!(socket * 20 <= plain, "{socket} {plain}");
    assert!(zstd * 2 <= plain, "{zstd} {plain}");
}
