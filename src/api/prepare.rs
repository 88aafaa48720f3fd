//! What is done with a request that has been read, up to the moment it is sent.

use std::sync::Arc;

use futures_util::{FutureExt, StreamExt, TryStreamExt, stream};
use http::{HeaderMap, HeaderName};
use serde_json::value::RawValue;

use super::{Client, Decoded, Dialect, Error, Served, dialect::Continues, recall};
use crate::{
    protocol::{Item, Object, Request, Retries, Turn},
    shaping::{self, Asked, Calls, Ignored, Limits},
    telemetry::TurnLog,
    tokens,
    upstream::{self, Begun, Events, Hold},
};

/// The headers of the official client that belong to a turn and pass on to the backend.
static PASSED_ON: [HeaderName; 6] = [
    HeaderName::from_static("x-codex-beta-features"),
    HeaderName::from_static("x-codex-turn-state"),
    HeaderName::from_static("x-codex-window-id"),
    HeaderName::from_static("x-codex-turn-metadata"),
    HeaderName::from_static("x-codex-parent-thread-id"),
    HeaderName::from_static("x-openai-subagent"),
];

/// How much of a request's input may be there at once for the sake of its choices, in bytes: each
/// that begins has a copy, and the body that is sent is another. More of a large one wait.
const MAX_COPIES: usize = 32 * 1024 * 1024;

/// A turn of which everything is known that has to be.
pub(super) struct Prepared<D> {
    pub(super) dialect: D,
    pub(super) served: Arc<Served>,
    pub(super) turn: Turn,
    pub(super) ignored: Ignored,
    /// How often it is run.
    pub(super) choices: usize,
    /// The conversation that it is added to.
    pub(super) conversation: Option<String>,
    pub(super) background: bool,
    limits: Limits,
    calls: Calls,
}

/// Puts back what was kept, finds the model, and fits the request to it and to the profile.
///
/// # Errors
/// When the request names what there is not, or the profile rejects a field of it.
pub(super) async fn prepare<D: Dialect>(
    served: &Arc<Served>,
    client: &Client<'_>,
    decoded: Box<Decoded<D>>,
) -> Result<Box<Prepared<D>>, Error> {
    let (headers, profile) = (client.headers, client.profile);
    let Decoded { mut dialect, mut request, mut ignored, references, continues, .. } = *decoded;
    let shelf = served.state.shelf.as_ref();
    let input = &mut request.input;
    let is_restored = !references.is_empty() || continues.is_some();
    recall::references(references, shelf, &mut dialect, input, &mut ignored).await?;
    if let Some(continues) = &continues {
        input.splice(..0, recall::context::<D>(continues, shelf).await?);
    }
    if input.is_empty() {
        return Err(Error::empty(D::INPUT));
    }
    // The shape is that of the whole conversation, also where the client tells only what is new.
    let holds_tools = |item: &Item| item.kind().as_deref() == Some("additional_tools");
    let lite = decoded.lite || (is_restored && input.iter().any(holds_tools));
    dialect.ready(input);
    let asked = asked(served, &request.model).await?;
    shaping::name(&mut request, asked);
    let catalog = served.models.current();
    // The platform says itself what a model does not take.
    let platform = served.upstream.is_platform();
    let model = catalog.relative(&request.model).filter(|_| !platform);
    shaping::fit(&mut request, profile, model, &mut ignored);
    shaping::prompt(&mut request, profile, &served.base_prompt, &client.environment);
    shaping::tools(&mut request, profile, &mut ignored);
    ignored.check()?;
    let (hint, user) = (decoded.conversation.as_deref(), decoded.user.as_deref());
    let conversation = shaping::conversation(&mut request, headers, hint, user);
    if !D::CARRIES_REASONING {
        served.state.sealed.restore(&mut request.input);
    }
    let mended = !profile.bypass_tool_call_reactor;
    let tools = if mended { tool_names(&request) } else { Vec::new() };
    let calls = Calls { shown: profile.tool_text_format, mended, tools };
    let turn = Turn {
        request,
        conversation,
        lite,
        // Chat has no field for it.
        summary_is_ours: !D::CARRIES_REASONING,
        headers: passed_on(headers),
        retries: Retries::default(),
    };
    Ok(Box::new(Prepared {
        dialect,
        served: Arc::clone(served),
        turn,
        ignored,
        choices: decoded.choices,
        conversation: match continues {
            Some(Continues::Conversation(id)) => Some(id),
            Some(Continues::Response(_)) | None => None,
        },
        background: decoded.background,
        limits: Limits { stop: decoded.stop, max_tokens: decoded.max_tokens },
        calls,
    }))
}

/// The model for what the client asked for; the upstream is asked for its catalogue only when the
/// name is not known without.
async fn asked(served: &Served, asked: &str) -> Result<Asked, Error> {
    match shaping::resolve(asked, &served.profile, &served.models.current()) {
        Ok(asked) => Ok(asked),
        Err(_) => {
            let catalog = served.models.asked(&*served.upstream).await;
            match shaping::resolve(asked, &served.profile, &catalog) {
                // It may have more models than it lists.
                Err(unknown) if served.upstream.is_platform() => {
                    Ok(Asked { model: unknown.name, ..Asked::default() })
                }
                resolved => Ok(resolved?),
            }
        }
    }
}

fn tool_names(request: &Request) -> Vec<String> {
    let name = |tool: &RawValue| {
        let tool: Object<'_> = serde_json::from_str(tool.get()).ok()?;
        Some(tool.str("name")?.into_owned())
    };
    request.tools.iter().flatten().filter_map(|tool| name(tool)).collect()
}

fn passed_on(headers: &HeaderMap) -> HeaderMap {
    let found = |name: &HeaderName| Some((name.clone(), headers.get(name)?.clone()));
    PASSED_ON.iter().filter_map(found).collect()
}

impl<D: Dialect> Prepared<D> {
    /// Starts the turn, as often as there are choices, and waits for up to `hold` for each to say
    /// something.
    ///
    /// # Errors
    /// When one of them cannot be started; the others are then given up.
    pub(super) async fn start(
        &mut self,
        hold: Hold,
        log: &mut TurnLog,
    ) -> Result<Started, upstream::Error> {
        let turn = Box::new(std::mem::take(&mut self.turn));
        log.retried(turn.retries.clone());
        let input_tokens = (!self.limits.is_none()).then(|| input_tokens(&turn.request));
        let begin = |turn| upstream::begin(&self.served.upstream, turn, hold);
        let begun = match self.choices {
            1 => vec![begin(turn).await?],
            choices => {
                let at_once = (MAX_COPIES / input_bytes(&turn.request).max(1)).max(1);
                let turns = stream::iter(std::iter::repeat_n(turn, choices));
                turns.map(begin).buffered(at_once).try_collect::<Vec<Begun>>().boxed().await?
            }
        };
        let mut started = Started { headers: HeaderMap::new(), silent: true, events: Vec::new() };
        for Begun { headers, mut events, silent } in begun {
            started.headers.extend(headers);
            started.silent &= silent;
            if let Some(input_tokens) = input_tokens.clone() {
                events = shaping::cut(events, &self.limits, input_tokens);
            }
            started.events.push(shaping::calls(events, self.calls.clone()));
        }
        Ok(started)
    }
}

/// A turn that has begun, as often as there are choices.
pub(super) struct Started {
    /// What the client may see.
    pub(super) headers: HeaderMap,
    /// Whether no choice has said anything yet.
    pub(super) silent: bool,
    /// Of each choice.
    pub(super) events: Vec<Events>,
}

/// How large a request is, for who asks in the end. A large one is not held until then: its
/// tokens are guessed from its bytes.
fn input_tokens(request: &Request) -> impl FnOnce() -> u64 + Clone + Send + use<> {
    const HELD: usize = 64 * 1024;
    const BYTES_PER_TOKEN: usize = 4;
    let bytes = input_bytes(request);
    let held = (bytes <= HELD).then(|| request.clone());
    move || match held {
        Some(request) => tokens::estimate(&request),
        None => (bytes / BYTES_PER_TOKEN) as u64,
    }
}

fn input_bytes(request: &Request) -> usize {
    request.input.iter().map(|item| item.json().get().len()).sum()
}
