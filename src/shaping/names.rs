//! Tool names that the backend would refuse, made acceptable, and back again.

use std::{borrow::Cow, collections::HashMap};

use sha2::{Digest, Sha256};

const MAX_LEN: usize = 64;

/// What the names of tools begin with that an MCP server has.
const MCP: &str = "mcp__";

/// The names that had to be changed in one request. Usually none.
#[derive(Clone, Debug, Default)]
pub struct Names {
    /// From the backend's to the client's.
    back: HashMap<String, String>,
}

impl Names {
    /// The name to send for the client's `name`: itself where it has at most 64 characters out of
    /// `[a-zA-Z0-9_-]`, else a short one that is the same in every turn.
    pub fn send<'a>(&mut self, name: &'a str) -> Cow<'a, str> {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
        if name.len() <= MAX_LEN && name.bytes().all(fits) {
            return Cow::Borrowed(name);
        }
        // The end tells most: `mcp__server__what_it_does`. The beginning says whose tool it is.
        let plain: String =
            name.chars().map(|c| if c.is_ascii() && fits(c as u8) { c } else { '_' }).collect();
        let hash = &hex(name)[..8];
        let (head, rest) = plain.split_at(if plain.starts_with(MCP) { MCP.len() } else { 0 });
        let room = MAX_LEN - head.len() - hash.len() - 1;
        let kept = &rest[rest.len().saturating_sub(room)..];
        let sent = format!("{head}{kept}_{hash}");
        self.back.insert(sent.clone(), name.to_owned());
        Cow::Owned(sent)
    }

    /// The client's name for what the backend calls `name`.
    #[must_use]
    pub fn back<'a>(&'a self, name: &'a str) -> &'a str {
        self.back.get(name).map_or(name, String::as_str)
    }
}

/// A call's id as the backend takes it: at most 64 characters, the same in every turn.
#[must_use]
pub fn call_id(id: &str) -> Cow<'_, str> {
    if id.len() <= MAX_LEN {
        return Cow::Borrowed(id);
    }
    Cow::Owned(format!("call_{}", &hex(id)[..32]))
}

fn hex(text: &str) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_or_odd_name_is_changed_alike_each_time_and_comes_back() {
        let mut names = Names::default();
        assert_eq!(names.send("get-weather_1"), "get-weather_1");
        for name in ["files.read", &"mcp__a_server_with_a_long_name__".repeat(4), "wetter_für_köln"]
        {
            let sent = names.send(name).into_owned();
            assert!(sent.len() <= MAX_LEN && sent.is_ascii(), "{sent}");
            assert_eq!(sent.starts_with(MCP), name.starts_with(MCP), "{sent}");
            assert_eq!(names.clone().send(name), sent);
            assert_eq!(names.back(&sent), name);
        }
        assert_ne!(names.send("a.b").into_owned(), names.send("a_b").into_owned());
    }

    #[test]
    fn a_long_call_id_is_shortened_alike_each_time() {
        assert_eq!(call_id("call_1"), "call_1");
        let long = "x".repeat(80);
        assert_eq!(call_id(&long), call_id(&long));
        assert!(call_id(&long).len() <= MAX_LEN);
    }
}
