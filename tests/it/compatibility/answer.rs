//! The rows about answers, held against every kind of answer.

use codexway::simulator::Script;
use serde_json::{Value, json};

use super::{
    field::Field,
    request::{Endpoint, filled},
    table::{Faults, Row, rows},
};
use crate::support::{TestServer, with};

/// One kind of answer: what the tables call it, and the objects in it that they describe.
pub(super) struct Sample {
    pub(super) name: &'static str,
    pub(super) objects: Vec<Value>,
    /// The types of its events, where it is a stream of them.
    pub(super) events: Vec<String>,
}

/// What brings the kinds of answers about: the script and the request.
fn scenes(endpoint: Endpoint) -> Vec<(&'static str, Script, Value)> {
    let is_chat = endpoint.input.0 == "messages";
    let call = || Script::new().tool_call("look", r#"{"at":"sun"}"#);
    let function = json!({"name": "look", "parameters": {"type": "object", "properties": {}}});
    let none = json!({});
    let custom = match is_chat {
        true => json!({"tools": [{"type": "custom", "custom": {"name": "note"}}]}),
        false => none.clone(),
    };
    let mut scenes = vec![
        ("plain", Script::text("hello"), none.clone()),
        ("with reasoning", Script::new().reasoning("hm").message("hello"), none.clone()),
        ("with a call", call(), none.clone()),
        ("with a custom call", Script::new().custom_tool_call("note", "x"), custom),
        ("with a refusal", Script::new().refusal("no"), none.clone()),
        ("with a cut", Script::text("hel").incomplete("max_output_tokens"), none.clone()),
        ("with a web search", Script::new().web_search().message("found"), none.clone()),
        ("with an image", Script::new().image_generation().message("there"), none),
    ];
    if is_chat {
        scenes.push(("with functions", call(), json!({"functions": [function]})));
        let usage = json!({"stream_options": {"include_usage": true}});
        scenes.push(("with usage", Script::text("hello"), usage));
    } else {
        let include = json!({"include": ["reasoning.encrypted_content"]});
        let sealed = Script::new().reasoning("hm").message("hello");
        scenes.push(("with sealed reasoning", sealed, include));
    }
    scenes
}

/// Whole answers.
pub(super) async fn whole(server: &TestServer, endpoint: Endpoint) -> Vec<Sample> {
    let mut samples = Vec::new();
    for (name, script, more) in scenes(endpoint) {
        server.simulator.script(script);
        let answer = server.post(endpoint.path, &with(endpoint.request(), more)).await.ok();
        samples.push(Sample { name, objects: vec![answer.json()], events: Vec::new() });
    }
    samples
}

/// Streams: chunks, or the responses that the events tell of.
pub(super) async fn streamed(server: &TestServer, endpoint: Endpoint) -> Vec<Sample> {
    let mut scenes = scenes(endpoint);
    if endpoint.input.0 == "input" {
        let failure = Script::text("hel").failed_after_text("server_error", "it broke");
        scenes.push(("with a failure", failure, json!({})));
    }
    let mut samples = Vec::new();
    for (name, script, more) in scenes {
        server.simulator.script(script);
        let request = with(with(endpoint.request(), more), json!({"stream": true}));
        let frames = server.post(endpoint.path, &request).await.ok().frames();
        let frames: Vec<Value> =
            frames.iter().filter(|frame| !frame.is_done()).map(|frame| frame.json()).collect();
        let kind = |frame: &Value| frame["type"].as_str().map(str::to_owned);
        let events = frames.iter().filter_map(kind).collect();
        let described = |frame: Value| match frame.get("response") {
            Some(response) => Some(response.clone()),
            None => frame["type"].is_null().then_some(frame),
        };
        let objects = frames.into_iter().filter_map(described).collect();
        samples.push(Sample { name, objects, events });
    }
    samples
}

/// Holds the rows against the answers, and the answers against the rows.
pub(super) fn prove(rows: &[Row], samples: &[Sample]) -> Faults {
    let mut faults = Faults::default();
    for row in rows {
        if let Err(fault) = stands_where_it_is_said_to(row, samples) {
            faults.push(row.fault(fault));
        }
    }
    let listed: Vec<Field> = rows.iter().map(|row| row.field().of_any_shape()).collect();
    let told = samples.iter().flat_map(|sample| &sample.objects).flat_map(Field::all_in);
    let untold = told.filter(|field| !listed.iter().any(|row| row.tells_of(field)));
    let mut untold: Vec<String> =
        untold.map(|field| format!("no row tells of `{field}`")).collect();
    untold.sort();
    untold.dedup();
    untold.into_iter().for_each(|fault| faults.push(fault));
    faults
}

fn stands_where_it_is_said_to(row: &Row, samples: &[Sample]) -> Result<(), String> {
    let field = row.field();
    let counted = |sample: &Sample| {
        let add = |(objects, having), value| {
            let (more, have) = field.counted(value);
            (objects + more, having + have)
        };
        sample.objects.iter().fold((0, 0), add)
    };
    let all: Vec<_> = samples.iter().map(|sample| (sample.name, counted(sample))).collect();
    let having = |name: &str| {
        let found = all.iter().find(|(sample, _)| *sample == name);
        found.map(|(_, (_, having))| *having).ok_or_else(|| format!("there is no answer {name}"))
    };
    match row.get("present").ok_or("it does not say where it is present")? {
        "always" => {
            for (name, (objects, having)) in &all {
                if objects != having {
                    return Err(format!("missing in {} answers {name}", objects - having));
                }
            }
            if all.iter().all(|(_, (objects, _))| *objects == 0) {
                return Err("nothing has what it stands in".to_owned());
            }
        }
        "never" => {
            if let Some((name, _)) = all.iter().find(|(_, (_, having))| *having > 0) {
                return Err(format!("it is in the answer {name}"));
            }
        }
        "sometimes" => {}
        with => {
            if having(with)? == 0 {
                return Err(format!("it is not in the answer {with}"));
            }
            if having("plain")? > 0 {
                return Err("it is in the plain answer too".to_owned());
            }
        }
    }
    let Some(value) = row.get("value") else { return Ok(()) };
    let value: Value = serde_json::from_str(value).map_err(|error| error.to_string())?;
    let constant = row.get("from") == Some("constant");
    let told = samples.iter().filter(|sample| constant || sample.name == "plain");
    for told in told.flat_map(|sample| &sample.objects).flat_map(|object| field.values(object)) {
        if *told != value {
            return Err(format!("it is {told}"));
        }
    }
    Ok(())
}

/// What was asked for is told again: each echo, with the example that the request's table has.
pub(super) async fn prove_echoes(
    server: &TestServer,
    endpoint: Endpoint,
    answers: &[Row],
    requests: &'static str,
) -> Faults {
    let mut faults = Faults::default();
    for row in answers.iter().filter(|row| row.get("from") == Some("echo")) {
        let field = row.field();
        for asked in rows(requests).iter().filter(|asked| asked.field() == field) {
            let Some(example) = asked.get("example") else { continue };
            let request = endpoint.with(&field, &filled(server, example).await);
            let answer = server.post(endpoint.path, &request).await;
            let told = answer.json();
            let (asked, told) = (field.values(&request), field.values(&told));
            if answer.status != 200 || asked != told {
                faults.push(row.fault(format!("asked for {asked:?}, told {told:?}")));
            }
        }
    }
    faults
}
