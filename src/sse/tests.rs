use proptest::prelude::*;

use super::*;

fn frames(pieces: &[&[u8]]) -> Vec<(String, String)> {
    let mut decoder = Decoder::new(MAX_FRAME);
    let mut found = Vec::new();
    let text = |bytes: Bytes| String::from_utf8(bytes.to_vec()).unwrap();
    for piece in pieces {
        decoder.push(piece);
        while let Some(frame) = decoder.next().unwrap() {
            found.push((text(frame.event), text(frame.data)));
        }
    }
    found.extend(decoder.finish().map(|frame| (text(frame.event), text(frame.data))));
    found
}

fn check(stream: &str, expected: &[(&str, &str)]) {
    let expected: Vec<_> =
        expected.iter().map(|(event, data)| ((*event).to_owned(), (*data).to_owned())).collect();
    assert_eq!(frames(&[stream.as_bytes()]), expected, "whole: {stream:?}");
    let bytes: Vec<&[u8]> = stream.as_bytes().chunks(1).collect();
    assert_eq!(frames(&bytes), expected, "byte by byte: {stream:?}");
}

#[test]
fn the_standard_s_line_ends_comments_and_fields() {
    check("event: a\ndata: 1\n\ndata: 2\n\n", &[("a", "1"), ("", "2")]);
    check("event: a\r\ndata: 1\r\n\r\ndata:2\r\n\r\n", &[("a", "1"), ("", "2")]);
    check("event: a\rdata: 1\r\rdata: 2\r\r", &[("a", "1"), ("", "2")]);
    check("\u{feff}data: 1\n\n", &[("", "1")]);
    check(": ping\n\n: ping\ndata: 1\nid: 7\nretry: 5\n\n", &[("", "1")]);
    check("data: a\ndata: b\ndata\n\n", &[("", "a\nb\n")]);
    check("event: lost\n\ndata: 1\n\n", &[("", "1")]);
    check("data:  two\n\n", &[("", " two")]);
    check("database: 1\n\n", &[]);
    check("data: é漢🦀\n\n", &[("", "é漢🦀")]);
}

#[test]
fn a_last_frame_without_its_blank_line_is_yielded_at_the_end() {
    check("data: 1\n\nevent: b\ndata: 2\n", &[("", "1"), ("b", "2")]);
    check("data: 1\n\ndata: 2", &[("", "1"), ("", "2")]);
    check("data: 1\n\nevent: b", &[("", "1")]);
}

#[test]
fn a_frame_over_the_limit_is_an_error() {
    let mut decoder = Decoder::new(10);
    decoder.push(b"data: 1\n\ndata: 12345678");
    assert!(decoder.next().unwrap().is_some());
    assert_eq!(decoder.next(), Err(TooLarge { limit: 10 }));
}

proptest! {
    #[test]
    fn any_split_gives_the_same_frames(
        stream in "(\u{feff})?((event|data|id|:)?(:)?( )?[a-z\u{e9}\u{1f980}]{0,3}(\n|\r|\r\n)){0,12}",
        cuts in prop::collection::vec(0usize..80, 0..6),
    ) {
        let bytes = stream.as_bytes();
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(bytes.len())).collect();
        cuts.sort_unstable();
        let mut pieces = Vec::new();
        let mut from = 0;
        for cut in cuts {
            pieces.push(&bytes[from..cut]);
            from = cut;
        }
        pieces.push(&bytes[from..]);
        prop_assert_eq!(frames(&pieces), frames(&[bytes]));
    }
}
