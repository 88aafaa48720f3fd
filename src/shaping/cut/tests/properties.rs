use proptest::prelude::*;

use super::*;
use crate::tokens::count;

/// Text of which stop sequences are likely to be found.
fn likely() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => "[ab]{0,12}",
        1 => "[abé漢😀\n\"\\\\]{0,12}",
        1 => any::<String>(),
    ]
}

/// A text and where it is cut into deltas.
fn pieces() -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec(likely(), 0..8)
}

fn sequences() -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec(prop_oneof![4 => "[ab]{0,5}", 1 => "[abé漢😀\n\"\\\\]{1,3}"], 0..4)
}

/// Words, and what else makes tokens, to be said in pieces.
fn prose() -> impl Strategy<Value = Vec<String>> {
    let word = prop::sample::select(vec![
        "Tell", " me", " a", " joke", ".", "intern", "ation", "al", "isation", " ", "\n", "1",
        "23", "'", "s", "{\"", "\":", "漢", "字", "。", "😀", "é",
    ]);
    prop::collection::vec(word.prop_map(str::to_owned), 0..24)
}

/// The text before the sequence that begins first: all of it if there is none.
fn before_stop<'a>(text: &'a str, sequences: &[String]) -> &'a str {
    let sequences = sequences.iter().filter(|sequence| !sequence.is_empty());
    let end = sequences.filter_map(|sequence| text.find(&**sequence)).min();
    &text[..end.unwrap_or(text.len())]
}

/// What every end of a text says of it, if the deltas of it all say `text`.
fn agrees(told: &[Value], text: &str) -> Result<(), TestCaseError> {
    prop_assert_eq!(said(told), text);
    prop_assert_eq!(&of(told, "response.output_text.done")[0]["text"], text);
    prop_assert_eq!(&of(told, "response.content_part.done")[0]["part"]["text"], text);
    let item = &of(told, "response.output_item.done")[0]["item"];
    prop_assert_eq!(&item["content"][0]["text"], text);
    let numbers: Vec<_> = told.iter().map(|event| event["sequence_number"].as_u64()).collect();
    prop_assert!(numbers.is_sorted() && numbers[0].is_some(), "{:?}", numbers);
    Ok(())
}

fn borrowed(pieces: &[String]) -> Vec<&str> {
    pieces.iter().map(String::as_str).collect()
}

proptest! {
    #[test]
    fn a_text_is_shown_up_to_its_first_stop_however_it_comes(
        pieces in pieces(), sequences in sequences(),
    ) {
        let text = pieces.concat();
        let limits = Limits { stop: sequences, max_tokens: None };
        let (told, cut) = shown(&limits, &turn([message(0, &borrowed(&pieces))]));
        let expected = before_stop(&text, &limits.stop);
        agrees(&told, expected)?;
        prop_assert_eq!(cut, expected.len() < text.len());
    }

    #[test]
    fn a_text_is_shown_as_far_as_its_tokens_fit(pieces in prose(), max in 0_u64..20) {
        let text = pieces.concat();
        let (told, cut) = shown(&length(max), &turn([message(0, &borrowed(&pieces))]));
        let shown = said(&told);
        agrees(&told, &shown)?;
        prop_assert!(text.starts_with(&shown));
        prop_assert!(count(&shown) as u64 <= max, "{:?}", shown);
        prop_assert_eq!(cut, count(&text) as u64 > max);
        prop_assert_eq!(cut, shown.len() < text.len());
    }

    #[test]
    fn both_limits_hold_at_once(pieces in prose(), sequence in "[ a-t]{1,2}", max in 0_u64..20) {
        let text = pieces.concat();
        let limits = Limits { stop: vec![sequence], max_tokens: Some(max) };
        let (told, _) = shown(&limits, &turn([message(0, &borrowed(&pieces))]));
        let shown = said(&told);
        agrees(&told, &shown)?;
        let before = before_stop(&text, &limits.stop);
        prop_assert!(before.starts_with(&shown));
        prop_assert!(count(&shown) as u64 <= max);
        if count(before) as u64 <= max {
            prop_assert_eq!(shown, before);
        }
    }

    #[test]
    fn nothing_is_too_odd_to_be_looked_at(
        events in prop::collection::vec(odd_event(), 0..12), sequences in sequences(), max in 0_u64..4,
    ) {
        let limits = Limits { stop: sequences, max_tokens: Some(max) };
        let mut stage = Stage::new(&limits);
        let mut out = Vec::new();
        let mut flow = Flow::On;
        for json in &events {
            flow = stage.event(event(json), &mut out);
            if flow != Flow::On {
                break;
            }
        }
        if flow == Flow::On {
            flow = stage.end(&mut out);
        }
        if let Flow::Cut(why) = flow {
            out.push(stage.last(why, INPUT, NOW));
        }
        for event in &out {
            prop_assert!(serde_json::from_slice::<Value>(&event.json).is_ok());
        }
    }
}

/// An event of any kind that is looked at, with members that may or may not fit it.
fn odd_event() -> impl Strategy<Value = Value> {
    let names = prop::sample::select(vec![
        "response.created",
        "response.output_item.added",
        "response.content_part.added",
        "response.output_text.delta",
        "response.refusal.delta",
        "response.function_call_arguments.delta",
        "response.custom_tool_call_input.delta",
        "response.output_text.annotation.added",
        "response.output_text.done",
        "response.refusal.done",
        "response.function_call_arguments.done",
        "response.custom_tool_call_input.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.completed",
        "response.incomplete",
        "response.failed",
        "keepalive",
    ]);
    let value = || {
        prop_oneof![
        Just(json!(null)),
        Just(json!({})),
        Just(json!([1, {}])),
        (0_u64..2).prop_map(|number| json!(number)),
        "[ab]{0,4}".prop_map(|text| json!(text)),
        "[ab]{0,4}".prop_map(|text| json!({"type": "output_text", "text": text})),
        "[ab]{0,4}".prop_map(|text| json!({"type": "message", "content": [{"type": "output_text", "text": text}, 1]})),
        "[ab]{0,4}".prop_map(|text| json!({"type": "function_call", "arguments": text})),
        "[ab]{0,4}".prop_map(|text| json!({"output": [{"type": "custom_tool_call", "input": text}, {}, 1]})),
    ]
    };
    let members = prop::sample::select(vec![
        "output_index",
        "content_index",
        "item_id",
        "delta",
        "text",
        "refusal",
        "arguments",
        "input",
        "part",
        "annotation",
        "item",
        "response",
        "sequence_number",
    ]);
    (names, prop::collection::vec((members, value()), 0..6)).prop_map(|(name, members)| {
        let mut event = json!({"type": name});
        for (member, value) in members {
            event[member] = value;
        }
        event
    })
}
