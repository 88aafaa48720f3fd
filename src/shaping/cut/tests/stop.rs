use pretty_assertions::assert_eq;

use super::*;

#[test]
fn a_turn_ends_before_a_stop_sequence() {
    let events = turn([message(0, &["One, ", "two, ", "three"])]);
    let told = cut(&stop(&["two"]), &events);
    assert_eq!(deltas(&told), ["One, "]);
    assert_eq!(last(&told)["status"], "completed");
}

#[test]
fn a_stop_sequence_is_found_across_deltas() {
    let events = turn([message(0, &["a STO", "", "P", "b"])]);
    for sequence in ["STOP", " STOP", "a STOP", "TOP", "OPb", "Pb"] {
        let told = cut(&stop(&[sequence]), &events);
        assert_eq!(said(&told), "a STOPb".split_once(sequence).unwrap().0, "{sequence}");
    }
}

#[test]
fn text_that_may_begin_a_stop_sequence_waits_and_nothing_else_does() {
    let events = turn([message(0, &["ab", "c<", "e", "<<", "!", "<"])]);
    let told = whole(&stop(&["<<end>>"]), &events);
    assert_eq!(deltas(&told), ["ab", "c", "<e", "<<!", "<"]);
    let at = |name: &str, told: &[Value]| told.iter().position(|event| event["type"] == name);
    assert_eq!(at("response.output_text.done", &told), Some(8));
}

#[test]
fn a_delta_in_other_words_keeps_what_still_fits() {
    let mut events = turn([message(0, &["a<", "b"])]);
    events[3]["logprobs"] = json!([{"token": "a<"}]);
    events[3]["new"] = json!({"to": "us"});
    let told = whole(&stop(&["<>"]), &events);
    assert_eq!(
        told[3],
        json!({"type": "response.output_text.delta", "content_index": 0, "item_id": "msg_0", "output_index": 0, "delta": "a", "logprobs": [], "new": {"to": "us"}, "sequence_number": 3})
    );
    assert_eq!(told[4]["delta"], "<b");
    assert_eq!(told[5..], events[5..]);
}

#[test]
fn a_turn_without_a_stop_sequence_passes_as_it_came() {
    let turn = turn([
        reasoning(0, "STOP? No."),
        message(1, &["Grüße, ", "", "世界 ", "😀 \u{1}\"\\ ", "end"]),
        refusal(2, &["I ST", "OP here"]),
        call(3, "function_call", &["{\"a\":\"ST", "OP\"}"]),
        call(4, "custom_tool_call", &["STOP"]),
    ]);
    untouched(&stop(&["STOP", ""]), &turn);
}

#[test]
fn sequences_in_any_script_are_found() {
    for (text, sequence) in [
        (["Caf", "é, ja", "!"], "é"),
        (["è", "é", "e\u{301}"], "é"),
        (["👩‍👩", "\u{200d}👧", "."], "\u{200d}👧"),
        (["漢", "字", "か"], "字か"),
        (["a\n", "\n", "b"], "\n\n"),
        (["\"\\", "u0041", "\u{0}"], "\\u0041\u{0}"),
    ] {
        let told = cut(&stop(&[sequence]), &turn([message(0, &text)]));
        assert_eq!(said(&told), text.concat().split_once(sequence).unwrap().0, "{sequence}");
    }
}

#[test]
fn the_sequence_that_begins_first_wins() {
    for (pieces, sequences, expected) in [
        (["one b", "cd", ""], ["bcd", "cd"], "one "),
        (["xab", "c", "d"], ["bc", "abcd"], "x"),
        (["xab", "c", "e"], ["bc", "abcd"], "xa"),
        (["aaab", "", ""], ["ab", "aab"], "a"),
        (["aabaabaa", "c", ""], ["aabaac", "none"], "aab"),
    ] {
        let told = cut(&stop(&sequences), &turn([message(0, &pieces)]));
        assert_eq!(said(&told), expected, "{pieces:?}");
    }
}

#[test]
fn a_sequence_that_has_waited_for_a_longer_one_counts_when_the_text_ends() {
    let events = turn([message(0, &["xab", "c"])]);
    assert_eq!(said(&cut(&stop(&["bc", "abcd"]), &events)), "xa");
    // Also when the upstream breaks off there.
    let mut stage = Stage::new(&stop(&["bc", "abcd"]));
    let mut out = Vec::new();
    for json in &events[..5] {
        assert_eq!(stage.event(event(json), &mut out), Flow::On);
    }
    assert!(matches!(stage.end(&mut out), Flow::Cut(_)));
}

#[test]
fn each_text_is_searched_alone() {
    let turn = turn([message(0, &["a ST"]), message(1, &["OP b"])]);
    let told = whole(&stop(&["STOP"]), &turn);
    assert_eq!(deltas(&told), ["a ", "ST", "OP b"]);
}

#[test]
fn a_stop_in_a_second_message_leaves_the_first_alone() {
    let events = turn([reasoning(0, "hm"), message(1, &["STAR"]), message(2, &["a", "STOP"])]);
    let told = cut(&stop(&["STOP"]), &events);
    assert_eq!(told[..9], events[..9]);
    let texts = json!([[text_part("STAR")], [text_part("a")]]);
    let output = last(&told)["output"].as_array().unwrap();
    assert_eq!(output.len(), 3);
    assert_eq!(json!([output[1]["content"], output[2]["content"]]), texts);
}

#[test]
fn a_text_without_deltas_is_cut_as_well() {
    // Told by its own last event, by its part's, or by its item's.
    for (without, announced) in [
        (&["response.output_text.delta"][..], true),
        (&["response.output_text.delta", "response.output_text.done"], true),
        (
            &[
                "response.output_text.delta",
                "response.output_text.done",
                "response.content_part.added",
                "response.content_part.done",
                "response.output_item.added",
            ],
            false,
        ),
    ] {
        let mut events = turn([message(0, &["One, ", "two"])]);
        events.retain(|event| !without.iter().any(|name| event["type"] == **name));
        let told = cut(&stop(&["two"]), &events);
        assert_eq!(last(&told)["output"][0]["content"], json!([text_part("One, ")]));
        if announced {
            assert_eq!(said(&told), "One, ");
            assert_eq!(of(&told, "response.output_text.done")[0]["text"], "One, ");
        } else {
            assert_eq!(
                types(&told),
                ["created", "output_item.done", "completed"],
                "an item that is told whole is told whole when it is cut"
            );
        }
        untouched(&stop(&["four"]), &events);
    }
}

#[test]
fn an_item_that_only_the_last_event_lists_is_cut_as_well() {
    let mut events = turn([]);
    let items = [
        message_item(0, "completed", &[text_part("a")]),
        message_item(1, "completed", &[text_part("One, two")]),
    ];
    events[1]["response"]["output"] = json!(items);
    let told = cut(&stop(&["two"]), &events);
    let output = json!([items[0], message_item(1, "completed", &[text_part("One, ")])]);
    assert_eq!(last(&told)["output"], output);
    untouched(&stop(&["four"]), &events);
}
