use serde_json::{Value, value::RawValue};

use super::*;

/// What is read as `T`, by this reader and by the library.
fn both<'de, T: Deserialize<'de>>(json: &'de str) -> (Option<T>, Option<T>) {
    (quickly(json), serde_json::from_str(json).ok())
}

#[test]
fn it_reads_what_the_library_reads_and_nothing_else() {
    let nested = |depth| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let (deep, deeper) = (nested(MAX_DEPTH), nested(MAX_DEPTH + 1));
    for (json, is_json) in [
        (r#" { "a" : [ 1, -2.5e+3, true, false, null, "x\n\u00e9" ] , "b\t" : { } } "#, true),
        (r#"{"a":1,"a":2}"#, true),
        ("[[],{},\"\",0]", true),
        ("\"\\ud83d\\ude00\"", true),
        ("[0,-0,9,1234567890123456789,12345678901234567890,1e9,0.5]", true),
        ("1e999", false),
        (&*deep, true),
        (&*deeper, false),
        ("", false),
        ("[1,]", false),
        ("[,1]", false),
        ("[1 2]", false),
        (r#"{"a"}"#, false),
        (r#"{"a":1,}"#, false),
        (r#"{a:1}"#, false),
        (r#"{"a":1]"#, false),
        (r#"{"a" "b"}"#, false),
        ("[1", false),
        ("[] []", false),
        ("01", false),
        ("-", false),
        ("1.", false),
        ("nul", false),
        ("nullx", false),
        ("\"a\nb\"", false),
        (r#""\ud83d""#, false),
        ("\u{feff}[]", false),
    ] {
        let (ours, theirs) = both::<Value>(json);
        assert_eq!(ours, theirs, "{json}");
        assert_eq!(ours.is_some(), is_json, "{json}");
    }
}

#[test]
fn values_are_cut_out_as_they_were_written() {
    #[derive(Debug, Deserialize)]
    struct Some<'a> {
        #[serde(borrow)]
        list: Vec<&'a RawValue>,
        #[serde(borrow, default)]
        missing: Option<&'a RawValue>,
        nothing: Option<Box<RawValue>>,
    }
    let json = r#"{"list": [ {"a" : 1}, "\ud800" ,2 ], "other": {"x": [1]}, "nothing": null}"#;
    let (ours, theirs) = both::<Some<'_>>(json);
    // Were it not for the name that the library asks by, it would be left to the library.
    let ours = ours.expect("it is read without the library");
    assert_eq!(format!("{ours:?}"), format!("{:?}", theirs.unwrap()));
    assert_eq!(ours.list.len(), 3);
    assert!(ours.missing.is_none() && ours.nothing.is_none());
}

#[test]
fn what_does_not_fit_is_explained_by_the_library() {
    #[derive(Debug, Deserialize)]
    struct Named {
        #[expect(dead_code, reason = "only whether it can be read is of interest")]
        name: String,
    }
    for json in [r#"{"name":1}"#, r#"{"name":"a","name":"b"}"#, "{}", "[1,2]", "3"] {
        let ours = from_json::<Named>(json).unwrap_err();
        let theirs = serde_json::from_str::<Named>(json).unwrap_err();
        assert_eq!(ours.to_string(), theirs.to_string());
    }
    assert!(from_json::<[u8; 1]>("[1,2]").is_err());
}
