//! How clients are pointed at this server, which [`crate::api`] is told by whoever knows them.

use serde::Serialize;

use crate::api::{App, Served, app::Now};

/// What clients are to be told of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// Without `/v1`.
    pub url: String,
    pub model: String,
    /// How many tokens the model takes in.
    pub context: u64,
    /// What stands for the local key; `None` where none is wanted.
    pub key: Option<String>,
}

impl Address {
    /// What is taken where nobody knows how much a model takes in: every model of the backend takes
    /// at least that.
    pub const SMALLEST_CONTEXT: u64 = 128_000;
}

/// How one client is pointed at a server.
#[derive(Clone, Debug, Serialize)]
pub struct Guide {
    /// As `codexway connect` takes it.
    pub name: &'static str,
    /// What people call it.
    pub title: String,
    /// Where the settings belong; `None` where only a person can put them in place.
    pub file: Option<String>,
    /// Of the settings: toml, json, yaml, sh, python, js or text.
    pub language: String,
    pub settings: String,
    /// The command that then uses the server.
    pub run: Option<String>,
    pub notes: Vec<String>,
}

/// Tells how each client that is known is pointed at a server.
pub type Guiding = dyn Fn(&Address) -> Vec<Guide> + Send + Sync;

/// The guides as JSON, made anew when they would say something else: that looks at files.
#[derive(Default)]
pub(super) struct Guides(Option<(Address, String)>);

impl Guides {
    pub(super) fn json(&mut self, app: &App, now: &Now, host: &str) -> String {
        let Some(address) = address(now, host) else { return "[]".to_owned() };
        if let Some((_, json)) = self.0.as_ref().filter(|(known, _)| *known == address) {
            return json.clone();
        }
        let json = super::told::text(&app.guides(&address));
        self.0 = Some((address, json.clone()));
        json
    }
}

/// This server, as the browser calls it.
fn address(now: &Now, host: &str) -> Option<Address> {
    let served = now.profiles.get(&now.server.profile)?;
    let (model, context) = model(served)?;
    Some(Address {
        url: format!("http://{host}"),
        model,
        context: context.unwrap_or(Address::SMALLEST_CONTEXT),
        key: now.server.usual_key().map(|key| format!("<local key: {}>", key.name)),
    })
}

/// The profile's own model, or the best, with what it takes in.
fn model(served: &Served) -> Option<(String, Option<u64>)> {
    let catalog = served.models.current();
    let own = &served.profile.model;
    if own.is_empty() {
        return catalog.listed().next().map(|best| (best.slug.clone(), best.context_window));
    }
    let window = catalog.find(own).and_then(|model| model.context_window);
    Some((own.clone(), window))
}
