//! Requests for what is not here: what their clients took codexway for, and what mends it.
//!
//! Paths are told by kind, of which there are few: they are a stranger's words.

/// What a path that is not served says of its client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Astray {
    /// `/v1/v1/…`
    DoubledV1,
    /// `/v1/chat/completions/chat/completions`
    DoubledEndpoint,
    /// `/api/v1/…`, `/openai/v1/…`
    Prefixed,
    /// `/chat`
    HalfEndpoint,
    /// `/codex/responses`, `/backend-api/…`
    Backend,
    /// `/openai/deployments/…`
    Azure,
    /// `/api/chat`, `/api/generate`, …
    Ollama,
    /// `/v1/messages`
    Anthropic,
    /// `/v1beta/…`
    Gemini,
    /// `/v1/completions`
    Completions,
    /// `/v1/embeddings`
    Embeddings,
    /// What else the platform has, and a plan has not.
    Platform,
    /// Nothing that is known.
    Other,
}

/// Endpoints of the platform that no upstream of ours stands behind.
const PLATFORM: [&str; 13] = [
    "audio",
    "images",
    "videos",
    "moderations",
    "files",
    "uploads",
    "batches",
    "fine_tuning",
    "assistants",
    "threads",
    "vector_stores",
    "realtime",
    "evals",
];

impl Astray {
    pub const ALL: [Self; 13] = [
        Self::DoubledV1,
        Self::DoubledEndpoint,
        Self::Prefixed,
        Self::HalfEndpoint,
        Self::Backend,
        Self::Azure,
        Self::Ollama,
        Self::Anthropic,
        Self::Gemini,
        Self::Completions,
        Self::Embeddings,
        Self::Platform,
        Self::Other,
    ];

    /// What a path that is not served says.
    #[must_use]
    pub fn of(path: &str) -> Self {
        let path = match path.strip_prefix("/profiles/") {
            Some(rest) => rest.find('/').map_or("", |at| &rest[at..]),
            None => path,
        };
        let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        let bare = parts.strip_prefix(&["v1"]).unwrap_or(&parts);
        let is_endpoint =
            |part: &&&str| matches!(**part, "completions" | "responses" | "models" | "messages");
        match (parts.as_slice(), bare) {
            (["v1", "v1", ..], _) => Self::DoubledV1,
            (["api", "v1", ..] | ["openai", "v1", ..] | ["api", "openai", ..], _) => Self::Prefixed,
            (["openai", "deployments", ..], _) => Self::Azure,
            (["api", ..], _) => Self::Ollama,
            (["v1beta" | "v1alpha", ..], _) => Self::Gemini,
            (["backend-api" | "codex", ..], _) | (_, ["codex", ..]) => Self::Backend,
            (_, ["messages" | "complete"] | ["messages", "count_tokens" | "batches", ..]) => {
                Self::Anthropic
            }
            (_, ["completions"] | ["engines", _, "completions"]) => Self::Completions,
            (_, ["embeddings"] | ["engines", _, "embeddings"]) => Self::Embeddings,
            (_, ["chat"] | ["completion"] | ["response"] | ["model"]) => Self::HalfEndpoint,
            (_, [first, ..]) if PLATFORM.contains(first) => Self::Platform,
            _ if parts.iter().filter(is_endpoint).count() > 1 => Self::DoubledEndpoint,
            _ => Self::Other,
        }
    }

    /// Its name in `/metrics`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::DoubledV1 => "doubled_v1",
            Self::DoubledEndpoint => "doubled_endpoint",
            Self::Prefixed => "prefixed",
            Self::HalfEndpoint => "half_endpoint",
            Self::Backend => "backend",
            Self::Azure => "azure",
            Self::Ollama => "ollama",
            Self::Anthropic => "anthropic",
            Self::Gemini => "gemini",
            Self::Completions => "completions",
            Self::Embeddings => "embeddings",
            Self::Platform => "platform",
            Self::Other => "other",
        }
    }

    /// A path of this kind.
    #[must_use]
    pub fn example(self) -> &'static str {
        match self {
            Self::DoubledV1 => "/v1/v1/…",
            Self::DoubledEndpoint => "/v1/chat/completions/chat/completions",
            Self::Prefixed => "/api/v1/…",
            Self::HalfEndpoint => "/v1/chat",
            Self::Backend => "/codex/responses",
            Self::Azure => "/openai/deployments/…",
            Self::Ollama => "/api/chat",
            Self::Anthropic => "/v1/messages",
            Self::Gemini => "/v1beta/…",
            Self::Completions => "/v1/completions",
            Self::Embeddings => "/v1/embeddings",
            Self::Platform => "/v1/images/generations",
            Self::Other => "another path",
        }
    }

    /// What mends the client, where that is known.
    #[must_use]
    pub fn mend(self) -> Option<&'static str> {
        Some(match self {
            Self::DoubledV1 => "the client's base URL has one `/v1` too many: take it away",
            Self::DoubledEndpoint => {
                "the client's base URL names an endpoint, and the client adds it again: end it with `/v1`"
            }
            Self::Prefixed => {
                "the client's base URL has something before its `/v1`: it is the server's address and `/v1`, no more"
            }
            Self::HalfEndpoint => {
                "the endpoints are `/v1/chat/completions`, `/v1/responses` and `/v1/models`: end the client's base URL with `/v1`"
            }
            Self::Backend => {
                "this is how the ChatGPT backend is asked, and codexway speaks the API of the platform: set the client to an OpenAI-compatible provider whose base URL ends in `/v1`"
            }
            Self::Azure => {
                "this is how Azure is asked: set the client to plain OpenAI, or an OpenAI-compatible provider"
            }
            Self::Ollama => {
                "this is how Ollama is asked: set the client to OpenAI, or an OpenAI-compatible provider, with a base URL that ends in `/v1`"
            }
            Self::Anthropic => {
                "this is how Anthropic is asked: set the client to OpenAI, or an OpenAI-compatible provider, with a base URL that ends in `/v1`"
            }
            Self::Gemini => {
                "this is how Gemini is asked: set the client to OpenAI, or an OpenAI-compatible provider, with a base URL that ends in `/v1`"
            }
            Self::Completions => {
                "the older completions are not served: set the client to chat, or to `/v1/responses`"
            }
            Self::Embeddings => {
                "a plan has no embeddings: give the client another provider for those, and leave chat here"
            }
            Self::Platform => {
                "a plan has nothing of the kind: give the client another provider for this, and leave chat here"
            }
            Self::Other => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(expected: Astray, paths: &[&str]) {
        for path in paths {
            assert_eq!(Astray::of(path), expected, "{path}");
        }
    }

    #[test]
    fn a_path_tells_what_its_client_took_us_for() {
        check(Astray::DoubledV1, &["/v1/v1/chat/completions", "/profiles/work/v1/v1/models"]);
        check(
            Astray::DoubledEndpoint,
            &["/v1/chat/completions/chat/completions", "/v1/responses/x/models"],
        );
        check(Astray::Prefixed, &["/api/v1/chat/completions", "/openai/v1/models"]);
        check(Astray::HalfEndpoint, &["/chat", "/v1/chat"]);
        check(Astray::Backend, &["/codex/responses", "/backend-api/codex/models"]);
        check(Astray::Azure, &["/openai/deployments/x/chat/completions"]);
        check(Astray::Ollama, &["/api/chat", "/api/generate", "/api/tags"]);
        check(Astray::Anthropic, &["/v1/messages", "/messages", "/v1/messages/count_tokens"]);
        check(Astray::Gemini, &["/v1beta/models/x:generateContent"]);
        check(Astray::Completions, &["/v1/completions", "/completions"]);
        check(Astray::Embeddings, &["/v1/embeddings", "/profiles/work/embeddings"]);
        check(Astray::Platform, &["/v1/images/generations", "/v1/audio/speech", "/files"]);
        check(Astray::Other, &["/", "/nothing/here", "/v1", "/profiles/work", "/favicon.ico"]);
    }

    #[test]
    fn every_example_is_of_its_kind() {
        for kind in Astray::ALL {
            assert_eq!(Astray::of(kind.example()), kind);
        }
    }
}
