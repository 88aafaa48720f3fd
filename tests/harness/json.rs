use codexway::protocol::{Object, object_with, quickly};
use serde_json::{Value, value::RawValue};

/// Our own reader reads what the library reads, as the library does.
pub(crate) fn reads_alike(bytes: &[u8]) {
    let Ok(json) = std::str::from_utf8(bytes) else { return };
    let value: Option<Value> = serde_json::from_str(json).ok();
    assert_eq!(quickly::<Value>(json), value);
    let Some(cut) = quickly::<&RawValue>(json) else {
        assert!(value.is_none());
        return;
    };
    let theirs: &RawValue = serde_json::from_str(json).expect("what we cut out is JSON");
    assert_eq!(cut.get(), theirs.get());
    objects_alike(json);
}

/// A body is taken apart, with the list in it, as the library takes them apart one by one.
fn objects_alike(json: &str) {
    let theirs: Option<Object<'_>> = serde_json::from_str(json).ok();
    let ours = object_with(&["messages", "input"], json);
    assert_eq!(ours.as_ref().map(|(object, _)| members(object)), theirs.as_ref().map(members));
    let Some((object, Some(list))) = ours else { return };
    let is_long = |(name, _): &(&str, _)| matches!(*name, "messages" | "input");
    let mut lists = object.iter().filter(is_long).filter(|(_, json)| json.get().starts_with('['));
    let (_, json) = lists.next().expect("the list is one of the members");
    let theirs: Vec<&RawValue> = serde_json::from_str(json.get()).expect("what we cut is JSON");
    let entries = list.entries_of(json).expect("the first list was taken apart");
    assert_eq!(entries.len(), theirs.len());
    for ((json, object), theirs) in entries.iter().zip(theirs) {
        assert_eq!(json.get(), theirs.get());
        let is_object = theirs.get().starts_with('{');
        let theirs: Option<Object<'_>> =
            is_object.then(|| serde_json::from_str(theirs.get()).expect("it is an object"));
        assert_eq!(object.as_ref().map(members), theirs.as_ref().map(members));
    }
}

fn members<'a>(object: &'a Object<'_>) -> Vec<(&'a str, &'a str)> {
    object.iter().map(|(name, json)| (name, json.get())).collect()
}
