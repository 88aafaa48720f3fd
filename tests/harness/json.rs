use codexway::protocol::quickly;
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
}
