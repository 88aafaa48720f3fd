//! What is known of each client: a file of facts for each, compiled in.

use serde::Deserialize;

use super::merge::Format;

/// Name and facts of every client, in the order of the list.
const FACTS: [(&str, &str); 21] = [
    ("codex", include_str!("clients/codex.toml")),
    ("opencode", include_str!("clients/opencode.toml")),
    ("aider", include_str!("clients/aider.toml")),
    ("cline", include_str!("clients/cline.toml")),
    ("roo", include_str!("clients/roo.toml")),
    ("continue", include_str!("clients/continue.toml")),
    ("zed", include_str!("clients/zed.toml")),
    ("pi", include_str!("clients/pi.toml")),
    ("crush", include_str!("clients/crush.toml")),
    ("qwen", include_str!("clients/qwen.toml")),
    ("openhands", include_str!("clients/openhands.toml")),
    ("llm", include_str!("clients/llm.toml")),
    ("mods", include_str!("clients/mods.toml")),
    ("open-webui", include_str!("clients/open-webui.toml")),
    ("home-assistant", include_str!("clients/home-assistant.toml")),
    ("openai", include_str!("clients/openai.toml")),
    ("openai-agents", include_str!("clients/openai-agents.toml")),
    ("langchain", include_str!("clients/langchain.toml")),
    ("litellm", include_str!("clients/litellm.toml")),
    ("pydantic-ai", include_str!("clients/pydantic-ai.toml")),
    ("ai-sdk", include_str!("clients/ai-sdk.toml")),
];

/// A client, as its file of facts says. Texts may hold the words of [`super::fill()`].
#[derive(Debug, Deserialize)]
pub(super) struct Client {
    #[serde(skip)]
    pub(super) name: &'static str,
    /// What people call it.
    pub(super) title: String,
    #[serde(default)]
    pub(super) aliases: Vec<String>,
    /// Which of our APIs it speaks.
    pub(super) dialect: String,
    /// The version that these settings were tried with; without it they come from its documentation.
    pub(super) tried: Option<String>,
    /// The command that then uses codexway.
    pub(super) run: Option<String>,
    #[serde(default)]
    pub(super) notes: Vec<String>,
    #[serde(flatten)]
    pub(super) way: Way,
}

/// How its settings get to where they belong.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Way {
    File(File),
    ByHand(ByHand),
}

/// A file of the client's, with what is to be in it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub(super) format: Format,
    /// Where it may be: the first that is there, else the first. See [`super::place`].
    pub(super) paths: Vec<String>,
    /// The same on macOS, where it differs.
    #[serde(default)]
    pub(super) macos: Vec<String>,
    /// Keys that stay as the user has them.
    #[serde(default)]
    pub(super) keep: Vec<String>,
    pub(super) text: String,
}

/// What only a person can do.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ByHand {
    /// Why nothing is written.
    pub(super) why: String,
    /// Of the text: sh, python, js or text.
    pub(super) language: String,
    pub(super) text: String,
}

impl Client {
    /// What is to be said or written, before it is filled in.
    pub(super) fn text(&self) -> &str {
        match &self.way {
            Way::File(file) => &file.text,
            Way::ByHand(by_hand) => &by_hand.text,
        }
    }

    /// The language of [`Client::text`].
    pub(super) fn language(&self) -> &str {
        match &self.way {
            Way::File(file) => file.format.as_str(),
            Way::ByHand(by_hand) => &by_hand.language,
        }
    }
}

/// All of them.
pub(super) fn all() -> Vec<Client> {
    let read = |(name, facts): (&'static str, &str)| {
        let client: Client =
            toml_edit::de::from_str(facts).expect("they are compiled in, and a test reads them");
        Client { name, ..client }
    };
    FACTS.into_iter().map(read).collect()
}

/// The client of that name, or else the names most like it.
pub(super) fn find(wanted: &str) -> Result<Client, Vec<&'static str>> {
    let plain = |text: &str| text.to_ascii_lowercase().replace(['_', ' '], "-");
    let wanted = plain(wanted);
    let mut known = all();
    let is = |client: &Client| client.name == wanted || client.aliases.contains(&wanted);
    if let Some(at) = known.iter().position(is) {
        return Ok(known.swap_remove(at));
    }
    let names = known.iter().flat_map(|client| {
        let names = client.aliases.iter().map(String::as_str).chain([client.name]);
        names.map(|name| (name, client.name))
    });
    Err(nearest(&wanted, names))
}

/// The three whose names are most like `wanted`, nearest first; several names may stand for one.
pub(super) fn nearest<'a, 'b>(
    wanted: &str,
    names: impl Iterator<Item = (&'b str, &'a str)>,
) -> Vec<&'a str> {
    let mut near: Vec<(f64, &str)> =
        names.map(|(name, of)| (strsim::jaro_winkler(wanted, name), of)).collect();
    near.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut nearest = Vec::new();
    for (_, name) in near {
        if !nearest.contains(&name) && nearest.len() < 3 {
            nearest.push(name);
        }
    }
    nearest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_client_has_facts_that_can_be_read_and_a_name_of_its_own() {
        let clients = all();
        let mut names: Vec<&str> = clients.iter().map(|client| client.name).collect();
        names.extend(clients.iter().flat_map(|client| client.aliases.iter().map(String::as_str)));
        let n_names = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), n_names);
    }
}
