use pretty_assertions::assert_eq;

use super::*;
use crate::tokens::count;

#[test]
fn a_turn_ends_after_so_many_tokens() {
    let events = turn([message(0, &["Tell", " me", " a", " joke", "."])]);
    for (max, expected) in [(0, ""), (1, "Tell"), (2, "Tell me"), (4, "Tell me a joke")] {
        let told = cut(&length(max), &events);
        assert_eq!(said(&told), expected);
        assert_eq!(last(&told)["status"], "incomplete");
        assert_eq!(last(&told)["incomplete_details"], json!({"reason": "max_output_tokens"}));
        assert_eq!(last(&told)["usage"]["output_tokens"], max);
    }
}

#[test]
fn a_turn_that_just_fits_passes_as_it_came() {
    untouched(&length(5), &turn([message(0, &["Tell", " me", " a", " joke", "."])]));
    untouched(&length(1), &turn([message(0, &["Tell"])]));
    untouched(&length(0), &turn([message(0, &["", ""])]));
    untouched(&length(0), &turn([reasoning(0, "many words that nobody counts")]));
}

#[test]
fn a_word_that_comes_in_pieces_is_not_counted_by_the_piece() {
    assert_eq!((count("international"), count("internationalisation")), (1, 2));
    assert_eq!((count("internationalisati"), count("internationa")), (3, 3));
    let pieces = ["internationa", "l", "isati", "on"];
    let told = whole(&length(2), &turn([message(0, &pieces)]));
    assert_eq!(said(&told), "internationalisation");
    // What is then too much is left out, and nothing that was shown is taken back.
    let longer = turn([message(0, &[&pieces[..], &[" ", "is"]].concat())]);
    assert_eq!(said(&cut(&length(2), &longer)), "internationalisation");
}

#[test]
fn a_delta_of_many_tokens_is_cut_where_it_is_full() {
    let told = cut(&length(3), &turn([message(0, &["Tell me a joke."])]));
    assert_eq!(deltas(&told), ["Tell me a"]);
    let told = cut(&length(3), &turn([message(0, &[&"Tell me ".repeat(50_000)])]));
    assert_eq!(deltas(&told), ["Tell me Tell"]);
}

#[test]
fn refusals_and_calls_count_and_reasoning_does_not() {
    let events = turn([
        reasoning(0, "many words that nobody counts"),
        message(1, &["Tell me"]),
        refusal(2, &["a", " joke"]),
        call(3, "function_call", &["Tell", " me"]),
        call(4, "custom_tool_call", &["a", " joke"]),
    ]);
    untouched(&length(8), &events);
    for (max, kind) in [(1, "output_text"), (3, "refusal"), (5, "arguments"), (7, "input")] {
        let told = cut(&length(max), &events);
        assert_eq!(last(&told)["usage"]["output_tokens"], max);
        let item = last(&told)["output"].as_array().unwrap().last().unwrap();
        assert_eq!(item["status"], "incomplete");
        let text = match kind {
            "output_text" => &item["content"][0]["text"],
            "refusal" => &item["content"][0]["refusal"],
            payload => &item[payload],
        };
        assert_eq!(text, if matches!(kind, "output_text" | "arguments") { "Tell" } else { "a" });
    }
}

#[test]
fn calls_that_come_at_once_share_the_tokens() {
    let (a, b) = (
        call(0, "function_call", &["Tell", " me", " a"]),
        call(1, "function_call", &["Tell", " me"]),
    );
    let mixed = [&a[0], &b[0], &a[1], &b[1], &a[2], &b[2], &a[3], &a[4], &a[5], &b[3], &b[4]];
    let events = turn([mixed.into_iter().cloned().collect()]);
    untouched(&length(5), &events);
    let told = cut(&length(3), &events);
    let output = &last(&told)["output"];
    assert_eq!(
        (&output[0]["arguments"], &output[1]["arguments"]),
        (&json!("Tell me"), &json!("Tell"))
    );
    assert_eq!(
        (&output[0]["status"], &output[1]["status"]),
        (&json!("incomplete"), &json!("incomplete"))
    );
}

#[test]
fn what_comes_first_in_the_text_wins() {
    let events = turn([message(0, &["Tell me", " a joke."])]);
    let both = |max, sequence: &str| Limits { max_tokens: Some(max), ..stop(&[sequence]) };
    let told = cut(&both(3, " me"), &events);
    assert_eq!((said(&told).as_str(), &last(&told)["status"]), ("Tell", &json!("completed")));
    let told = cut(&both(3, "joke"), &events);
    assert_eq!((said(&told).as_str(), &last(&told)["status"]), ("Tell me a", &json!("incomplete")));
    // The limit is just met where the stop sequence begins.
    let told = cut(&both(3, " joke"), &events);
    assert_eq!((said(&told).as_str(), &last(&told)["status"]), ("Tell me a", &json!("completed")));
}

#[test]
fn text_without_a_seam_does_not_wait_for_long() {
    let pieces = vec!["ж"; 4000];
    let events = turn([message(0, &pieces)]);
    let mut stage = Stage::new(&length(5));
    let mut out = Vec::new();
    let read = events.iter().position(|json| stage.event(event(json), &mut out) != Flow::On);
    assert!(read.is_some_and(|read| read < 300), "{read:?}");
}

#[test]
fn nothing_is_counted_while_there_are_fewer_bytes_than_tokens() {
    let mut stage = Stage::new(&length(1000));
    let mut out = Vec::new();
    for json in &turn([message(0, &["word "; 199])]) {
        assert_eq!(stage.event(event(json), &mut out), Flow::On);
    }
    assert_eq!(stage.spent, 0);
    assert_eq!(stage.counters[0].at_most(), 995);
}
