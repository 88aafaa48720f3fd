use codexway::{
    config::ToolTextFormat,
    protocol::Event,
    shaping::{self, Calls, Limits},
    upstream::{Error, Events},
};
use futures_util::{FutureExt, StreamExt, stream};
use serde_json::value::RawValue;

use super::upstream::read;

/// Whatever is done to a stream on its way, it ends once, in a last event or in an error, and what
/// leaves is JSON where what came was.
pub(crate) fn shape(bytes: &[u8]) {
    for (stop, max_tokens, shown, mended) in [
        (vec!["e".to_owned(), "\n\n".to_owned()], None, ToolTextFormat::Markdown, true),
        (vec!["hello world".to_owned()], Some(3), ToolTextFormat::CodexXml, true),
        (Vec::new(), Some(1), ToolTextFormat::Summary, false),
    ] {
        let tools = vec!["get_weather".to_owned(), "shell".to_owned()];
        let events = read(bytes);
        let sound = events.iter().flatten().all(is_json);
        let events = events.into_iter().map(|event| event.map_err(Error::from));
        let events: Events = stream::iter(events.collect::<Vec<_>>()).boxed();
        let cut = shaping::cut(events, &Limits { stop, max_tokens }, || 1);
        let shaped = shaping::calls(cut, Calls { shown, mended, tools });
        let said: Vec<_> = shaped.collect().now_or_never().expect("everything is there");
        let ends = |said: &Result<Event, Error>| {
            said.as_ref().map_or(true, |event| event.kind.is_terminal())
        };
        if let Some((_, before)) = said.split_last() {
            assert!(!before.iter().any(ends), "it goes on behind its end: {said:?}");
        }
        assert!(!sound || said.iter().flatten().all(is_json), "{said:?}");
    }
}

fn is_json(event: &Event) -> bool {
    serde_json::from_slice::<&RawValue>(&event.json).is_ok()
}
