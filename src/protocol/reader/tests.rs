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

#[test]
fn a_body_is_taken_apart_with_the_list_in_it() {
    const LISTS: [&str; 2] = ["messages", "input"];
    let json =
        r#" {"messages": 1, "input" : [ {"x" : [1]}, "s", {"y\u0041":null} ] ,"messages":[{}]} "#;
    let (object, list) = object_with(&LISTS, json).unwrap();
    let entries = list.unwrap().entries_of(object.get("input").unwrap()).unwrap();
    let told: Vec<_> = entries
        .iter()
        .map(|(json, members)| {
            let member = members.as_ref().and_then(|members| members.iter().next());
            (json.get(), member.map(|(name, value)| (name, value.get())))
        })
        .collect();
    assert_eq!(
        told,
        [
            (r#"{"x" : [1]}"#, Some(("x", "[1]"))),
            ("\"s\"", None),
            (r#"{"y\u0041":null}"#, Some(("yA", "null"))),
        ]
    );
    // A list that only reads the same has other members to borrow from.
    let (_, list) = object_with(&LISTS, json).unwrap();
    assert!(list.unwrap().entries_of(&object.get("input").unwrap().to_owned()).is_none());
    for broken in ["[]", r#"{"input":[1,]}"#, r#"{"input":[{"a"}]}"#, r#"{"input":[]} 1"#] {
        assert!(object_with(&LISTS, broken).is_none(), "{broken}");
    }
    let many = format!(r#"{{"input":[{}{{}}]}}"#, "{},".repeat(20_000));
    let (object, list) = object_with(&LISTS, &many).unwrap();
    let entries = list.unwrap().entries_of(object.get("input").unwrap()).unwrap();
    assert_eq!(entries.len(), 20_001);
    assert_eq!(entries.iter().filter(|(_, members)| members.is_some()).count(), 10_000);
    let nested = |depth| format!(r#"{{"input":{}{}}}"#, "[".repeat(depth), "]".repeat(depth));
    assert!(object_with(&LISTS, &nested(MAX_DEPTH - 1)).is_some());
    assert!(object_with(&LISTS, &nested(MAX_DEPTH)).is_none());
}

#[test]
fn members_are_read_like_the_object_that_they_are_of() {
    #[derive(Debug, Deserialize, PartialEq)]
    struct Some<'a> {
        name: std::borrow::Cow<'a, str>,
        #[serde(default)]
        list: Option<Vec<u8>>,
        #[serde(borrow, default, deserialize_with = "text_of")]
        cut: Option<&'a str>,
        #[serde(default)]
        any: Option<IgnoredAny>,
    }
    fn text_of<'de, D: serde::Deserializer<'de>>(json: D) -> Result<Option<&'de str>, D::Error> {
        Ok(Option::<&RawValue>::deserialize(json)?.map(RawValue::get))
    }
    for json in [
        r#"{"name":"a\n","list":[1, 2],"cut":{"b" : 1},"any":[{}],"more":{}}"#,
        r#"{"name":"a","list":null,"cut":null}"#,
        r#"{"name":"a","list":{}}"#,
        r#"{"name":"a","name":"b"}"#,
        r#"{"name":1}"#,
        "{}",
    ] {
        let (members, _) = object_with(&[], json).unwrap();
        assert_eq!(from_object::<Some<'_>>(members), serde_json::from_str(json).ok(), "{json}");
    }
}
