//! Which tools the user's words suggest.

use super::call;
use super::conversation::Conversation;
use super::offered::{Choice, Input, Tool, Tools};
use super::words;
use crate::simulator::script::Item;
use crate::simulator::turn::Turn;

/// Words that many tools share and that suggest none of them.
const EMPTY_WORDS: [&str; 24] = [
    "get", "set", "the", "for", "and", "with", "from", "this", "that", "tool", "tools", "call",
    "use", "used", "using", "given", "your", "you", "file", "files", "new", "name", "current",
    "return",
];

/// The calls that answer the user, if calls do.
pub(super) fn calls(
    turn: &Turn<'_>,
    conversation: &Conversation,
    tools: &Tools,
    choice: &Choice,
) -> Vec<Item> {
    let said = words::before_exact_words(&conversation.words);
    if let Some(hosted) = hosted(said, conversation, tools, choice) {
        return hosted;
    }
    let allowed: Vec<&Tool> = tools.functions.iter().filter(|tool| choice.allows(tool)).collect();
    let mut picked = suggested(said, &allowed);
    if choice.forces() && picked.is_empty() {
        // Agents that force a tool at every step offer one to end with.
        let fallback = match allowed.iter().find(|tool| tool.finishes()) {
            Some(finish) => {
                return vec![call::finish(finish, conversation, &super::plain(conversation))];
            }
            None => allowed.first(),
        };
        picked.extend(fallback.copied());
    }
    let several = turn.body["parallel_tool_calls"] != false;
    match picked.as_slice() {
        [] => Vec::new(),
        [only] => {
            let places = words::places(said);
            let rounds = match several && asks_for_two(said) && call::takes_place(only) {
                true => places.len().max(1),
                false => 1,
            };
            (0..rounds).map(|round| call::make(only, conversation, round)).collect()
        }
        [first, ..] if !several => vec![call::make(first, conversation, 0)],
        picked => picked.iter().map(|tool| call::make(tool, conversation, 0)).collect(),
    }
}

/// The call that ends an agent's run, where the agent has such a tool and has used others.
pub(super) fn finish(
    conversation: &Conversation,
    tools: &Tools,
    choice: &Choice,
    text: &str,
) -> Option<Item> {
    let tool = tools.functions.iter().find(|tool| tool.finishes() && choice.allows(tool))?;
    let done = conversation.called.contains(&tool.name) || conversation.outputs.is_empty();
    (!done).then(|| call::finish(tool, conversation, text))
}

fn hosted(
    said: &str,
    conversation: &Conversation,
    tools: &Tools,
    choice: &Choice,
) -> Option<Vec<Item>> {
    let lower = said.to_ascii_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    let (auto, forced) = match choice {
        Choice::Hosted(kind) => (false, kind.as_str()),
        Choice::Auto | Choice::Required => (true, ""),
        Choice::None | Choice::Named(_) | Choice::Allowed { .. } => return None,
    };
    let search =
        auto && tools.web_search && says(&["search the web", "web search", "look up online"]);
    let image =
        auto && tools.image_generation && says(&["generate an image", "draw ", "an image of"]);
    let first = if forced == "web_search" || search {
        Item::WebSearch { query: words::shortened(&conversation.words, 60) }
    } else if forced == "image_generation" || image {
        Item::ImageGeneration
    } else {
        return None;
    };
    let text = super::plain(conversation);
    Some(vec![first, Item::Message { text, phase: None, deltas: None }])
}

fn suggested<'a>(said: &str, tools: &[&'a Tool]) -> Vec<&'a Tool> {
    let lower = said.to_ascii_lowercase();
    let is_named = |tool: &&&Tool| mentions(&lower, &tool.name.to_ascii_lowercase());
    let named = tools.iter().filter(is_named).copied();
    // `read` and `write` are words of any sentence, `get_weather` is not.
    let (own_names, words): (Vec<_>, Vec<_>) =
        named.partition(|tool| tool.plain_name().contains('_'));
    if !own_names.is_empty() {
        return own_names;
    }
    // What gets the job done, best first.
    let patches = |tool: &&&Tool| matches!(tool.input, Input::Text) && tool.name == "apply_patch";
    let scripts = |tool: &&&Tool| matches!(tool.input, Input::Text) && tool.name == "exec";
    let commands = |tool: &&&Tool| tool.runs_commands();
    let doer = if words::wants_file(said) {
        let mut all = tools.iter();
        all.find(|tool| tool.writes_files())
            .or_else(|| tools.iter().find(patches))
            .or_else(|| tools.iter().find(commands))
            .or_else(|| tools.iter().find(scripts))
    } else if words::wants_command(said) {
        tools.iter().find(commands).or_else(|| tools.iter().find(scripts))
    } else {
        None
    };
    if let Some(doer) = doer {
        return vec![*doer];
    }
    let most = if asks_for_two(said) { 2 } else { 1 };
    if !words.is_empty() {
        return words.into_iter().take(most).collect();
    }
    let said: Vec<_> = lower.split(|c: char| !c.is_alphanumeric()).collect();
    let best = tools.iter().map(|tool| score(tool, &said)).max().unwrap_or_default();
    let close = |tool: &&&Tool| best >= 2 && score(tool, &said) == best;
    let close: Vec<_> = tools.iter().filter(close).copied().collect();
    let asks = ["use the tool", "use a tool", "call the tool", "use your tool", "tool use"];
    match close.is_empty() && asks.iter().any(|words| lower.contains(words)) {
        true => tools.first().copied().into_iter().collect(),
        false => close.into_iter().take(most).collect(),
    }
}

/// A word of the name counts for two, a word of the description's first sentence for one.
fn score(tool: &Tool, said: &[&str]) -> usize {
    let telling = |word: &&str| word.len() > 2 && !EMPTY_WORDS.contains(word);
    // `greet` is heard in "greeting".
    let heard = |word: &str| {
        said.iter().any(|said| *said == word || (word.len() > 3 && said.starts_with(word)))
    };
    let name = tool.plain_name();
    let in_name = name.split('_').filter(telling).filter(|word| heard(word)).count();
    let sentence = tool.description.trim_start().split(['.', '\n']).next().unwrap_or_default();
    let sentence = sentence.to_ascii_lowercase();
    let mut words: Vec<_> =
        sentence.split(|c: char| !c.is_alphanumeric()).filter(|word| word.len() > 3).collect();
    words.sort_unstable();
    words.dedup();
    let in_description = words.into_iter().filter(telling).filter(|word| heard(word)).count();
    2 * in_name + in_description
}

/// The name as a word of its own.
fn mentions(text: &str, name: &str) -> bool {
    text.match_indices(name).any(|(at, _)| {
        let part = |c: char| c.is_alphanumeric() || c == '_';
        let end = at + name.len();
        !text[..at].ends_with(part) && !text[end..].starts_with(part)
    })
}

fn asks_for_two(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let signs = ["both", "and also", "in parallel", "as well as", "each of", " and in "];
    signs.iter().any(|sign| lower.contains(sign)) || words::places(text).len() > 1
}
