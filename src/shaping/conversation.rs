//! Which conversation a request belongs to.
//!
//! The backend keeps the prefix of a conversation in the cache of one machine and finds it again
//! by the conversation's name. So a name that changes from turn to turn costs the user's plan,
//! and one that is shared between conversations costs both of them their cache.

use std::sync::atomic::{AtomicU64, Ordering};

use http::{HeaderMap, HeaderName};
use twox_hash::XxHash3_128;
use uuid::Builder;

use crate::protocol::{Conversation, Request};

/// The headers by which clients name a conversation, most exact first.
static HEADERS: [HeaderName; 9] = [
    HeaderName::from_static("session-id"),
    HeaderName::from_static("session_id"),
    HeaderName::from_static("x-session-id"),
    HeaderName::from_static("x-session-affinity"),
    HeaderName::from_static("conversation_id"),
    HeaderName::from_static("conversation-id"),
    HeaderName::from_static("x-litellm-session-id"),
    HeaderName::from_static("x-affinity"),
    HeaderName::from_static("x-claude-code-session-id"),
];

/// The header by which the official client names a thread of it.
static THREAD: HeaderName = HeaderName::from_static("thread-id");

/// The longest `prompt_cache_key` that the backend takes, in characters.
const MAX_LEN: usize = 64;

/// The conversation's name: the client's, else one that follows from what does not change in it.
/// Fills in `prompt_cache_key` with it.
///
/// `hint` is what the body names beside `prompt_cache_key` (`session_id`, `conversation`), and
/// `user` the body's `user`. The account has no part in it.
pub fn conversation(
    request: &mut Request,
    headers: &HeaderMap,
    hint: Option<&str>,
    user: Option<&str>,
) -> Conversation {
    let header = |name: &HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let named = HEADERS.iter().filter_map(header).find(|name| !name.trim().is_empty());
    let key = request.prompt_cache_key.as_deref().filter(|key| !key.trim().is_empty());
    let session = match named.or(hint).or(key) {
        Some(name) => presentable(name),
        None => {
            let hash = derived(request, user);
            let session = as_uuid(hash);
            if !request.has_begun() && is_news(hash) {
                tracing::info!(
                    turn.conversation = session,
                    "the client names no conversation, so this one is named after how it begins"
                );
            }
            session
        }
    };
    let thread = header(&THREAD).map_or_else(|| session.clone(), presentable);
    // A client that sends both means both: a subagent shares its parent's key, not its session.
    request.prompt_cache_key = Some(key.map_or_else(|| session.clone(), presentable));
    Conversation { session, thread }
}

/// The name itself where it may stand in a header and a cache key, else a hash of it.
fn presentable(name: &str) -> String {
    let name = name.trim();
    if name.len() <= MAX_LEN && name.bytes().all(|byte| byte.is_ascii_graphic()) {
        return name.to_owned();
    }
    as_uuid(XxHash3_128::oneshot(name.as_bytes()))
}

/// Whether it has not been said lately that the conversation has no name of its own. A client that
/// asks the same again and again would fill the log with it.
fn is_news(hash: u128) -> bool {
    /// The conversations that it was last said of. Where two share a place it may be said again.
    static SAID: [AtomicU64; 256] = [const { AtomicU64::new(0) }; 256];
    let hash = hash as u64;
    SAID[hash as usize % SAID.len()].swap(hash, Ordering::Relaxed) != hash
}

/// A hash of the conversation's fixed head: model, instructions, tools, everything up to the first
/// message of the user.
fn derived(request: &Request, user: Option<&str>) -> u128 {
    // Nobody gains by finding two with one name, and tools are hashed at each turn.
    let mut hash = XxHash3_128::new();
    let mut add = |text: &str| {
        hash.write(&(text.len() as u64).to_le_bytes());
        hash.write(text.as_bytes());
    };
    add(user.unwrap_or_default());
    add(&request.model);
    add(request.instructions.as_ref().map_or("", |text| text.get()));
    for tool in request.tools.iter().flatten() {
        add(tool.get());
    }
    for item in &request.input {
        add(item.json().get());
        if item.role().as_deref() == Some("user") {
            break;
        }
    }
    hash.finish_128()
}

fn as_uuid(hash: u128) -> String {
    Builder::from_custom_bytes(hash.to_be_bytes()).into_uuid().to_string()
}

#[cfg(test)]
mod tests {
    use serde_json::value::RawValue;

    use super::*;
    use crate::protocol::Item;

    fn request(texts: &[(&str, &str)]) -> Request {
        let item = |(role, text): &(&str, &str)| {
            let text = RawValue::from_string(format!("{text:?}")).unwrap();
            Item::message(role, "input_text", &text)
        };
        Request { model: "m".into(), input: texts.iter().map(item).collect(), ..Request::default() }
    }

    fn name(request: &mut Request, headers: &[(&'static str, &str)]) -> String {
        let headers = headers
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap()));
        conversation(request, &headers.collect(), None, None).session
    }

    #[test]
    fn a_conversation_keeps_its_name_as_it_grows_and_others_have_others() {
        let first = name(&mut request(&[("developer", "be brief"), ("user", "hi")]), &[]);
        let grown =
            [("developer", "be brief"), ("user", "hi"), ("assistant", "ho"), ("user", "more")];
        assert_eq!(name(&mut request(&grown), &[]), first);
        assert_ne!(name(&mut request(&[("developer", "be long"), ("user", "hi")]), &[]), first);
        assert_ne!(name(&mut request(&[("developer", "be brief"), ("user", "hello")]), &[]), first);
        let mut asked = request(&[("developer", "be brief"), ("user", "hi")]);
        let of_ada = conversation(&mut asked, &HeaderMap::new(), None, Some("ada"));
        assert_ne!(of_ada.session, first);
        assert_eq!(asked.prompt_cache_key.as_deref(), Some(&*of_ada.session));
    }

    #[test]
    fn that_a_conversation_has_no_name_is_said_once() {
        let hash = derived(&request(&[("user", "is this news?")]), None);
        assert!(is_news(hash));
        assert!(!is_news(hash));
        assert!(is_news(hash + 1));
        assert!(!is_news(hash));
    }

    #[test]
    fn the_client_s_own_name_wins_and_is_made_presentable() {
        let mut asked = request(&[]);
        assert_eq!(name(&mut asked, &[("x-session-id", "s-1")]), "s-1");
        assert_eq!(asked.prompt_cache_key.as_deref(), Some("s-1"));

        let mut asked = Request { prompt_cache_key: Some("parent".into()), ..request(&[]) };
        assert_eq!(name(&mut asked, &[("session-id", "child")]), "child");
        assert_eq!(asked.prompt_cache_key.as_deref(), Some("parent"));

        let long = "x".repeat(80);
        assert_eq!(name(&mut request(&[]), &[("session_id", &long)]).len(), 36);
    }
}
