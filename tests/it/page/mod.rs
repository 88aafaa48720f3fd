//! The page for people, as a browser would fetch it.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::support::{TestServer, frames};

/// What it tells, and what it never does.
mod data;
/// What is sent while it is open, and when that ends.
mod events;
/// What is served without a key, and to whom.
mod shell;

/// All that it is told at once.
async fn state(server: &TestServer) -> Value {
    server.get("/page/state").await.ok().json()
}

/// A page that is open.
struct Open {
    response: reqwest::Response,
    text: String,
    /// Everything that has come.
    all: String,
    parts: BTreeMap<String, Value>,
}

impl Open {
    async fn on(server: &TestServer) -> Self {
        let response = server.client.get(format!("{}/page/events", server.url)).send().await;
        let response = response.unwrap().error_for_status().unwrap();
        Self { response, text: String::new(), all: String::new(), parts: BTreeMap::new() }
    }

    /// The names of the parts that come next; `None` when there are no more.
    async fn next(&mut self) -> Option<Vec<String>> {
        loop {
            let chunk = self.response.chunk().await.ok()??;
            self.text.push_str(str::from_utf8(&chunk).unwrap());
            let Some(end) = self.text.rfind("\n\n") else { continue };
            let whole: String = self.text.drain(..end + 2).collect();
            self.all.push_str(&whole);
            let parts: Vec<_> = frames(&whole)
                .iter()
                .map(|frame| (frame.event.clone().unwrap(), frame.json()))
                .collect();
            if !parts.is_empty() {
                let names = parts.iter().map(|(name, _)| name.clone()).collect();
                self.parts.extend(parts);
                return Some(names);
            }
        }
    }

    /// Reads on until a part is as it should be.
    async fn until(&mut self, part: &str, is: impl Fn(&Value) -> bool) -> &Value {
        while !self.parts.get(part).is_some_and(&is) {
            let come = self.next().await;
            assert!(
                come.is_some(),
                "it ended before `{part}` was right: {:?}",
                self.parts.get(part)
            );
        }
        &self.parts[part]
    }
}
