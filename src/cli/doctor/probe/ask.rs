//! One tiny turn, and what came of it.

use std::{fmt, sync::Arc, time::Duration};

use futures_util::StreamExt;
use serde_json::json;
use uuid::Uuid;

use super::told::Outcome;
use crate::{
    api,
    models::Model,
    protocol::{self, Conversation, Gather, Item, Reasoning, Request, Text, Turn, Usage, raw},
    shaping::EFFORTS,
    upstream::{self, Error, Hold, Upstream},
};

/// How long the first word is waited for, with all tries that failed.
const HOLD: Duration = Duration::from_secs(120);

/// What a request looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// Tools beside the input, as the API has it.
    Classic,
    /// Tools in the input, and a header that says so, as the official client has it.
    Lite,
}

impl Shape {
    pub(super) const ALL: [Self; 2] = [Self::Classic, Self::Lite];

    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Classic => "classic",
            Self::Lite => "lite",
        }
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What is known after a turn.
pub(super) struct Asked {
    pub(super) outcome: Outcome,
    /// Why all further turns would come to the same.
    pub(super) ends: Option<End>,
    /// Whether nobody answered.
    pub(super) unreachable: bool,
}

/// Why nothing more is asked for.
pub(super) struct End {
    pub(super) why: &'static str,
    pub(super) login_needed: bool,
}

pub(super) async fn ask(model: &Model, shape: Shape, upstream: &Arc<dyn Upstream>) -> Asked {
    match run(turn(model, shape), upstream).await {
        Ok(usage) => Asked {
            outcome: Outcome::Accepted { tokens: usage.total_tokens },
            ends: None,
            unreachable: false,
        },
        Err(error) => Asked {
            ends: end(&error),
            unreachable: matches!(error, Error::Unreachable { .. } | Error::TimedOut(_)),
            outcome: Outcome::of(error.into()),
        },
    }
}

/// The smallest turn of a conversation of its own: the weakest effort, and a word to say.
fn turn(model: &Model, shape: Shape) -> Turn {
    let weakest = EFFORTS.iter().find(|effort| model.efforts.iter().any(|known| known == *effort));
    let mut reasoning =
        Reasoning { effort: weakest.map(|effort| (*effort).to_owned()), ..Reasoning::default() };
    let say = Item::message("user", "input_text", &raw("Say exactly ok"));
    let tool = json!({
        "type": "function",
        "name": "note",
        "description": "Keeps a note. Not needed now.",
        "parameters": { "type": "object", "properties": {} },
        "strict": false,
    });
    let (tools, input, parallel_tool_calls) = match shape {
        Shape::Classic => (Some(vec![raw(&tool)]), vec![say], None),
        Shape::Lite => {
            reasoning.context = Some("all_turns".to_owned());
            let tools = json!({ "type": "additional_tools", "role": "developer", "tools": [tool] });
            (None, vec![Item::new(&tools), say], Some(false))
        }
    };
    let name = Uuid::now_v7().to_string();
    let request = Request {
        model: model.slug.clone(),
        input,
        tools,
        parallel_tool_calls,
        reasoning,
        text: Text {
            verbosity: model.support_verbosity.then(|| "low".to_owned()),
            ..Text::default()
        },
        prompt_cache_key: Some(name.clone()),
        ..Request::default()
    };
    let conversation = Conversation { session: name.clone(), thread: name };
    Turn { request, conversation, lite: shape == Shape::Lite, ..Turn::default() }
}

/// To its end, so that what is found holds for whole turns.
async fn run(turn: Turn, upstream: &Arc<dyn Upstream>) -> Result<Usage, Error> {
    let mut gather = Gather::new();
    let mut events = upstream::begin(upstream, Box::new(turn), Hold::Whole(HOLD)).await?.events;
    while let Some(event) = events.next().await {
        if let Some(response) = gather.event(&event?)? {
            return match response.outcome {
                protocol::Outcome::Failed(failure) => Err(upstream::of_failure(failure)),
                _ => Ok(response.usage),
            };
        }
    }
    Err(Error::Truncated)
}

fn end(error: &Error) -> Option<End> {
    const DEAD: &str = "the login does not work";
    let plan = |why| Some(End { why, login_needed: false });
    match error {
        Error::UsageLimit { .. } | Error::Quota { .. } => plan("the plan is used up"),
        Error::Forbidden { code: Some(code), .. } if code == "usage_not_included" => {
            plan("the plan does not include Codex")
        }
        Error::Login(error) => Some(End { why: DEAD, login_needed: error.needs_login() }),
        Error::Refused { .. } | Error::Key { .. } => Some(End { why: DEAD, login_needed: true }),
        _ => None,
    }
}

impl Outcome {
    /// As a client would be told.
    fn of(error: api::Error) -> Self {
        let status = error.status.as_u16();
        let code = error.code.map(|code| code.into_owned());
        let message = error.message;
        match status {
            400..500 => Self::Refused { status, code, message },
            _ => Self::Failed { status, code, message },
        }
    }
}
