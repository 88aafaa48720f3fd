use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::protocol::{Item, Request, raw};

/// Text that comes near everything the encoding's rules speak of.
fn text() -> impl Strategy<Value = String> {
    let tricky = prop::sample::select(vec![
        " ",
        "  ",
        "\t",
        "\n",
        "\r\n",
        "\u{3000}",
        "\u{a0}",
        "a",
        "B",
        "é",
        "ß",
        "ǅ",
        "ʰ",
        "'",
        "'s",
        "'LL",
        "'re",
        "l",
        "L",
        "1",
        "23",
        "4567",
        "½",
        "٣",
        "/",
        "//",
        ".",
        "...",
        "{\"",
        "\":",
        "_",
        "漢",
        "字",
        "か",
        "ー",
        "・",
        "한",
        "。",
        "，",
        "「",
        "」",
        "\u{301}",
        "\u{200d}",
        "😀",
        "👩‍👧",
        "the",
        "Word",
        "internationalisation",
    ]);
    prop_oneof![
        prop::collection::vec(tricky, 0..40).prop_map(|pieces| pieces.concat()),
        any::<String>(),
    ]
}

#[test]
fn texts_have_the_tokens_that_openai_counts() {
    // Counted by OpenAI's own `tiktoken` 0.14, with `o200k_base`.
    for (text, expected) in [
        ("", 0),
        ("Tell me a joke.", 5),
        ("hello world, it's we'lL", 7),
        ("    let x = 1;\r\n\r\n\t}\n", 9),
        ("Größe, 漢字かな混じり文。 ", 13),
        ("<|endoftext|>", 7),
        ("👩‍👩‍👧 0123456789", 13),
        (".\n/", 1),
    ] {
        assert_eq!(count(text), expected, "{text:?}");
    }
}

#[test]
fn a_megabyte_without_a_seam_is_counted_too() {
    for piece in ["a", " ", "\n", "😀", "1", "=", "e\u{301}", "字"] {
        let text = piece.repeat((1 << 20) / piece.len());
        let tokens = count(&text);
        assert!((8192..=1 << 20).contains(&tokens), "{piece:?}: {tokens}");
        assert!(prefix(&text, 100).len() < 100 * 130, "{piece:?}");
    }
}

#[test]
fn text_without_a_seam_is_counted_alike_however_it_grows() {
    for piece in ["a", " ", "😀", "1", "=-", "字", "abcdefghijklmnopqrstuvwxyz", "Ж", "ก็"]
    {
        let text = piece.repeat(40_000 / piece.len());
        let mut counter = Counter::new();
        let mut asked = 0;
        for (index, c) in text.char_indices() {
            counter.push(&text[index..index + c.len_utf8()]);
            if index % 1000 < 3 {
                asked = counter.count();
            }
        }
        let whole = encoding().count(&text) as u64;
        assert!(asked > 0 && counter.count().abs_diff(whole) <= 1, "{piece:?}");
        assert!(count(&text).abs_diff(encoding().count(&text)) <= 1, "{piece:?}");
    }
}

#[test]
fn a_prefix_ends_with_a_whole_character() {
    assert_eq!(prefix("Tell me a joke.", 3), "Tell me a");
    assert_eq!(prefix("Tell me a joke.", 5), "Tell me a joke.");
    assert_eq!(prefix("Tell me a joke.", 0), "");
    let rare = "\u{1f9ff}\u{1f9ff}";
    assert!(count(rare) > 2);
    for max in 0..=count(rare) {
        assert!(count(prefix(rare, max)) <= max);
    }
}

proptest! {
    #[test]
    fn a_text_can_be_cut_at_a_seam_without_changing_its_tokens(left in text(), right in text()) {
        let text = format!("{left}{right}");
        let whole = encoding().encode(&text);
        let mut end = text.len();
        while let Some(seam) = last_seam(&text[..end]) {
            let (before, after) = text.split_at(seam);
            let parts = [encoding().encode(before), encoding().encode(after)].concat();
            prop_assert_eq!(&parts, &whole, "{:?} | {:?}", before, after);
            end = seam;
        }
    }

    #[test]
    fn a_growing_text_is_counted_as_the_whole_is(pieces in prop::collection::vec(text(), 0..12)) {
        let mut counter = Counter::new();
        let mut whole = String::new();
        for piece in &pieces {
            counter.push(piece);
            whole.push_str(piece);
            if piece.len() % 2 == 0 {
                prop_assert!(counter.count() <= counter.at_most());
            }
        }
        prop_assert_eq!(counter.count(), count(&whole) as u64);
    }

    #[test]
    fn a_prefix_is_no_more_than_was_asked_for_and_whole_if_that_fits(text in text(), max in 0_usize..60) {
        let fits = prefix(&text, max);
        prop_assert!(text.starts_with(fits));
        prop_assert!(count(fits) <= max);
        if count(&text) <= max {
            prop_assert_eq!(fits, text.as_str());
        }
    }

    #[test]
    fn what_fits_behind_a_growing_text_is_what_fits_in_the_whole(
        text in text(), more in text(), max in 0_u64..60,
    ) {
        let mut counter = Counter::new();
        counter.push(&text);
        let fits = counter.prefix(&more, max);
        prop_assert!(more.starts_with(fits));
        if !fits.is_empty() {
            let together = count(&format!("{text}{fits}")) as u64;
            prop_assert!(together <= max, "{} of {}", together, max);
        }
        if count(&format!("{text}{more}")) as u64 <= max {
            prop_assert_eq!(fits, more.as_str());
        }
    }
}

fn request(items: &[serde_json::Value]) -> Request {
    Request { input: items.iter().map(Item::new).collect(), ..Request::default() }
}

fn user(content: serde_json::Value) -> serde_json::Value {
    json!({"type": "message", "role": "user", "content": content})
}

#[test]
fn a_request_is_its_text_and_what_stands_around_it() {
    // What OpenAI's reference says of this request.
    assert_eq!(estimate(&request(&[user(json!("Tell me a joke."))])), 11);
    let parts = user(json!([{"type": "input_text", "text": "Tell me a joke."}]));
    assert_eq!(estimate(&request(&[parts])), 11);
    let instructed =
        Request { instructions: Some(raw("Tell me a joke.")), ..request(&[user(json!("Hi"))]) };
    assert_eq!(estimate(&instructed), 9 + 7);
}

#[test]
fn calls_their_outputs_and_tools_are_counted() {
    let call = json!({"type": "function_call", "call_id": "call_1", "name": "get_weather", "arguments": "{\"city\":\"Paris\"}", "id": "fc_1"});
    let output = json!({"type": "function_call_output", "call_id": "call_1", "output": "Sunny."});
    let tokens = count("get_weather") + count("{\"city\":\"Paris\"}") + count("Sunny.") + 8 + 2;
    assert_eq!(estimate(&request(&[call, output])), tokens as u64);
    let tool = json!({"type": "function", "name": "f", "parameters": {}});
    let inside = json!({"type": "additional_tools", "role": "developer", "tools": [tool]});
    let tools = Some(vec![raw(&tool)]);
    let tokens = count(&tool.to_string()) as u64 + 2;
    assert_eq!(estimate(&Request { tools, ..Request::default() }), tokens);
    assert_eq!(estimate(&request(&[inside])), count(&json!([tool]).to_string()) as u64 + 6);
}

#[test]
fn images_and_files_are_not_read_as_text() {
    let data = "QUJD".repeat(100_000);
    let image = format!("data:image/png;base64,{data}");
    let part = |mut part: serde_json::Value, more: serde_json::Value| {
        part.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
        estimate(&request(&[user(json!([part]))])) - 6
    };
    let input = json!({"type": "input_image"});
    assert_eq!(part(input.clone(), json!({"image_url": image, "detail": "low"})), 85);
    assert_eq!(part(input.clone(), json!({"detail": "low", "image_url": image})), 85);
    assert_eq!(part(input.clone(), json!({"image_url": image})), 765);
    assert_eq!(part(input, json!({"file_id": "file_1", "detail": "high"})), 765);
    let file = json!({"type": "input_file", "filename": "a", "file_data": data});
    assert_eq!(part(file, json!({})), 1 + 80_000);
    let output = json!({"type": "function_call_output", "call_id": "c", "output": image});
    assert_eq!(estimate(&request(&[output])), 765 + 6);
    let thought = json!({"type": "reasoning", "summary": [], "encrypted_content": data});
    assert_eq!(estimate(&request(&[thought])), 80_000 + 6);
}

#[test]
fn what_no_model_could_read_is_not_counted_to_the_end() {
    let text = "word ".repeat(2 << 20);
    let tokens = estimate(&request(&[user(json!(text))]));
    assert!(tokens.abs_diff(2 << 20) < 100, "{tokens}");
}

#[test]
fn an_item_of_unknown_shape_is_estimated_too() {
    let odd =
        json!({"type": "news", "words": [["Tell me"], {"x": {"y": " a joke."}}, 1, null, true]});
    assert_eq!(estimate(&request(&[odd])), 5 + 2 + 6);
    let half = Item::from(
        serde_json::value::RawValue::from_string(r#"{"text":"\ud83d and more"}"#.to_owned())
            .unwrap(),
    );
    assert!(estimate(&Request { input: vec![half], ..Request::default() }) > 6);
}
