//! The platform's list of models as a catalogue.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::upstream::Error;

/// Words in the names of models that answer in something other than text, or to something other
/// than a conversation. They can be asked for all the same; they are not offered.
const OTHERS: [&str; 13] = [
    "audio",
    "babbage",
    "dall-e",
    "davinci",
    "embedding",
    "image",
    "instruct",
    "moderation",
    "realtime",
    "sora",
    "transcribe",
    "tts",
    "whisper",
];

/// The list in the shape of the backend's catalogue, newest first. The platform tells names and
/// dates alone; what each model accepts is known elsewhere, if at all.
///
/// # Errors
/// When it is not the list that it should be.
pub(super) fn catalog(list: &[u8]) -> Result<Bytes, Error> {
    #[derive(Deserialize)]
    struct List {
        data: Vec<Listed>,
    }
    #[derive(Deserialize)]
    struct Listed {
        id: String,
        #[serde(default)]
        created: i64,
    }
    #[derive(Serialize)]
    struct Catalog {
        models: Vec<Entry>,
    }
    #[derive(Serialize)]
    struct Entry {
        slug: String,
        visibility: &'static str,
        /// The lower, the better.
        priority: i64,
    }
    let List { data } = serde_json::from_slice(list).map_err(|error| {
        Error::Garbled(format!("the platform's list of models cannot be read: {error}"))
    })?;
    let entry = |Listed { id, created }: Listed| {
        let other = OTHERS.iter().any(|word| id.contains(word));
        Entry { slug: id, visibility: if other { "hide" } else { "list" }, priority: -created }
    };
    let catalog = Catalog { models: data.into_iter().map(entry).collect() };
    Ok(serde_json::to_vec(&catalog).expect("plain data serialises").into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_model_comes_first_and_what_does_not_talk_is_not_offered() {
        let list = br#"{"object":"list","data":[{"id":"gpt-4o","object":"model","created":7,"owned_by":"system"},{"id":"text-embedding-3-small","object":"model","created":9}]}"#;
        let expected = r#"{"models":[{"slug":"gpt-4o","visibility":"list","priority":-7},{"slug":"text-embedding-3-small","visibility":"hide","priority":-9}]}"#;
        assert_eq!(catalog(list).unwrap(), expected);
        assert!(catalog(b"<html>").is_err());
    }
}
