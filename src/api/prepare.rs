//! What is done with a request that has been read, up to the moment it is sent.

use std::sync::Arc;

use futures_util::{future::try_join_all, stream::BoxStream};
use http::{HeaderMap, HeaderName};
use serde_json::value::RawValue;

use super::{
    Client, Decoded, Dialect, Error, Served,
    dialect::Continues,
    recall,
    relay::{self, Said},
};
use crate::{
    protocol::{Object, Request, Turn},
    shaping::{self, Asked, Calls, Ignored, Limits},
    tokens,
    upstream::{self, Answer},
};

/// The headers of the official client that belong to a turn and pass on to the backend.
const PASSED_ON: [&str; 6] = [
    "x-codex-beta-features",
    "x-codex-turn-state",
    "x-codex-window-id",
    "x-codex-turn-metadata",
    "x-codex-parent-thread-id",
    "x-openai-subagent",
];

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
    decoded: Decoded<D>,
) -> Result<Prepared<D>, Error> {
    let (headers, profile) = (client.headers, client.profile);
    let Decoded { mut dialect, mut request, mut ignored, references, continues, .. } = decoded;
    let shelf = served.state.shelf.as_ref();
    let input = &mut request.input;
    recall::references(references, shelf, &mut dialect, input, &mut ignored).await?;
    if let Some(continues) = &continues {
        input.splice(..0, recall::context::<D>(continues, shelf).await?);
    }
    if input.is_empty() {
        return Err(Error::empty(D::INPUT));
    }
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
        lite: decoded.lite,
        // Chat has no field for it.
        summary_is_ours: !D::CARRIES_REASONING,
        headers: passed_on(headers),
    };
    Ok(Prepared {
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
    })
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
    let found =
        |name: &'static str| Some((HeaderName::from_static(name), headers.get(name)?.clone()));
    PASSED_ON.into_iter().filter_map(found).collect()
}

impl<D: Dialect> Prepared<D> {
    /// Starts the turn, as often as there are choices: the headers that the client may see, and
    /// the events of all of them.
    ///
    /// # Errors
    /// When one of them cannot be started; the others are then given up.
    pub(super) async fn start(
        &mut self,
    ) -> Result<(HeaderMap, BoxStream<'static, Said>), upstream::Error> {
        let mut turns = vec![std::mem::take(&mut self.turn)];
        for _ in 1..self.choices {
            turns.push(turns[0].clone());
        }
        let started = turns.iter_mut().map(|turn| start(&self.served, turn));
        let answers = try_join_all(started).await?;
        let mut headers = HeaderMap::new();
        let mut events = Vec::with_capacity(answers.len());
        for (answer, turn) in answers.into_iter().zip(turns) {
            headers = answer.headers;
            let cut = shaping::cut(answer.events, &self.limits, input_tokens(turn.request));
            events.push(shaping::calls(cut, self.calls.clone()));
        }
        Ok((headers, relay::side_by_side(events)))
    }
}

/// How large a request was, for who asks in the end. A large one is not held until then: its
/// tokens are guessed from its bytes.
fn input_tokens(request: Request) -> impl FnOnce() -> u64 + Send {
    const HELD: usize = 64 * 1024;
    const BYTES_PER_TOKEN: usize = 4;
    let bytes: usize = request.input.iter().map(|item| item.json().get().len()).sum();
    let held = (bytes <= HELD).then_some(request);
    move || match held {
        Some(request) => tokens::estimate(&request),
        None => (bytes / BYTES_PER_TOKEN) as u64,
    }
}

/// Starts one turn. Sealed reasoning that the backend can no longer read would make the
/// conversation fail for ever, so then it is sent once more without.
async fn start(served: &Served, turn: &mut Turn) -> Result<Answer, upstream::Error> {
    match served.upstream.send(turn).await {
        Err(upstream::Error::Invalid(failure))
            if failure.code.as_deref() == Some("invalid_encrypted_content") && turn.unseal() =>
        {
            tracing::warn!("the backend cannot read the reasoning sent back; it goes on without");
            served.upstream.send(turn).await
        }
        answered => answered,
    }
}
