//! The built-in answers: good enough for a real agent to finish a small task, the same every time,
//! and no language model behind them.

mod call;
mod conversation;
mod instance;
mod listing;
mod offered;
mod pattern;
mod pick;
mod words;

use serde_json::{Value, json};

use super::script::Item;
use super::turn::Turn;

use conversation::Conversation;
use instance::Maker;
use offered::{Choice, Tools};

/// What the turn is answered with.
pub(super) fn items(turn: &Turn<'_>) -> Vec<Item> {
    if turn.input().last().is_some_and(|item| item["type"] == "compaction_trigger") {
        return vec![Item::Compaction];
    }
    let conversation = Conversation::read(turn);
    let tools = Tools::read(turn);
    let mut items = Vec::from_iter(reasoning(turn));
    items.extend(said_or_done(turn, &conversation, &tools));
    items
}

fn said_or_done(turn: &Turn<'_>, conversation: &Conversation, tools: &Tools) -> Vec<Item> {
    let choice = Choice::read(turn.body);
    // One round of calls for each message of the user: that is what keeps agents from looping.
    if conversation.outputs.is_empty() {
        let calls = pick::calls(turn, conversation, tools, &choice);
        if !calls.is_empty() {
            return calls;
        }
    }
    let text = match &turn.body["text"]["format"] {
        format if format["type"] == "json_schema" => {
            let mut maker = Maker::new(&format["schema"], conversation);
            maker.every_property = true;
            maker.make().to_string()
        }
        format if format["type"] == "json_object" => {
            json!({ "answer": plain(conversation), "ok": true }).to_string()
        }
        _ => plain(conversation),
    };
    match pick::finish(conversation, tools, &choice, &text) {
        Some(call) => vec![call],
        None => vec![Item::Message { text, phase: None, deltas: None }],
    }
}

fn reasoning(turn: &Turn<'_>) -> Option<Item> {
    let summary = &turn.body["reasoning"]["summary"];
    let asked = summary.is_string() || turn.wants_encrypted_reasoning();
    if !asked || turn.effort() == "none" {
        return None;
    }
    let parts: &[&str] = match summary.as_str() {
        None => &[],
        Some("detailed") => &[
            "**Reading the request**\n\nThe simulator looks at the last message and the tools.",
            "**Deciding what to do**\n\nA call if the words suggest one, plain text if not.",
        ],
        Some(_) => {
            &["**Reading the request**\n\nThe simulator looks at the last message and the tools."]
        }
    };
    Some(Item::Reasoning { summary: parts.iter().map(|&part| part.to_owned()).collect() })
}

/// The answer in words.
fn plain(conversation: &Conversation) -> String {
    if let Some(exactly) = words::say_exactly(&conversation.words) {
        return exactly;
    }
    if !conversation.outputs.is_empty() {
        return conversation.report();
    }
    if let Some(listing) = listing::listing(conversation) {
        return listing;
    }
    if let Some(numbers) = words::count_to(&conversation.words) {
        return (1..=numbers).map(|number| number.to_string()).collect::<Vec<_>>().join(", ");
    }
    let mut text =
        "Hello from the codexway simulator: this text was put together without a model.".to_owned();
    if !conversation.words.trim().is_empty() {
        text += &format!(" You said: \"{}\"", words::shortened(conversation.words.trim(), 80));
    }
    match conversation.images {
        0 => {}
        1 => text += " There was 1 image with it.",
        images => text += &format!(" There were {images} images with it."),
    }
    text
}

/// The value as an object's fields; nothing if it is none.
fn fields(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}
