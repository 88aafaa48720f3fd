//! Messages: a conversation of turns here, a list of items upstream.

use std::{borrow::Cow, collections::HashMap};

use serde_json::value::RawValue;

use super::{
    sent::{Output, Sent, SentPart},
    thoughts::Thoughts,
    tools::Tools,
    wire::{Content, Message, Part, ToolCall},
};
use crate::{
    api::{Error, at::At, fields::read_entry},
    protocol::{Entries, Item, raw, raw_str},
    shaping::{Ignored, Names, call_id},
};

/// The items that `messages` come to, in their order.
pub(super) fn input(
    messages: Entries<'_>,
    tools: &Tools,
    names: &mut Names,
    ignored: &mut Ignored,
) -> Result<Vec<Item>, Error> {
    if messages.is_empty() {
        return Err(Error::empty("messages"));
    }
    let mut input = Input {
        items: Vec::with_capacity(messages.len() + 8),
        custom_calls: HashMap::new(),
        legacy_calls: HashMap::new(),
        tools,
        names,
        ignored,
    };
    for (index, message) in messages.into_iter().enumerate() {
        let at = At::Item(&At::Field("messages"), index);
        input.message(read_entry(at, message)?, at)?;
    }
    if input.items.is_empty() {
        return Err(Error::invalid("None of the messages says anything.").param("messages"));
    }
    Ok(input.items)
}

struct Input<'t> {
    items: Vec<Item>,
    /// Ids of the calls whose tools take free text.
    custom_calls: HashMap<String, ()>,
    /// The id made up for the last call of each function, where the client knows none.
    legacy_calls: HashMap<String, String>,
    tools: &'t Tools,
    names: &'t mut Names,
    ignored: &'t mut Ignored,
}

impl Input<'_> {
    fn push(&mut self, sent: &Sent<'_>) {
        self.items.push(sent.item());
    }

    fn message(&mut self, message: Message<'_>, at: At<'_>) -> Result<(), Error> {
        // What the model thought is for people to read; it is not for it to read as speech.
        for (thought, name) in [
            (&message.reasoning_content, "messages.reasoning_content"),
            (&message.reasoning, "messages.reasoning"),
            (&message.thinking_blocks, "messages.thinking_blocks"),
        ] {
            if thought.is_some() {
                self.ignored.drop(name);
            }
        }
        let Thoughts { sealed, is_all } = Thoughts::read(message.reasoning_details);
        if !is_all || (!sealed.is_empty() && message.role != "assistant") {
            self.ignored.drop("messages.reasoning_details");
        }
        if message.name.is_some() && message.role != "function" && message.role != "tool" {
            self.ignored.drop("messages.name");
        }
        match &*message.role {
            "system" | "developer" => self.said("developer", &message, at),
            "user" => self.said("user", &message, at),
            "assistant" => {
                let begin = self.items.len();
                sealed.iter().for_each(|thought| self.push(thought));
                self.assistant(&message, at)?;
                // The backend refuses a thought that led to nothing.
                if self.items.len() == begin + sealed.len() {
                    self.items.truncate(begin);
                }
                Ok(())
            }
            "tool" => self.tool(&message, at),
            "function" => self.function(&message, at),
            other => Err(Error::wrong_value(
                at.member("role"),
                format!(
                    "'{other}'. Supported values are: 'system', 'developer', 'user', 'assistant', 'tool' and 'function'"
                ),
            )),
        }
    }

    /// In its own place: the order is the prompt's meaning, and its prefix is what is cached.
    fn said(&mut self, role: &str, message: &Message<'_>, at: At<'_>) -> Result<(), Error> {
        let at = at.member("content");
        if message.content.is_none() {
            return Err(Error::missing(at));
        }
        let content = match Content::read(message.content, at)? {
            Some(content) => content.parts().into_iter().enumerate(),
            None => vec![Part::Text(empty())].into_iter().enumerate(),
        };
        let part = |(index, part)| match part {
            Part::Text(text) => Ok(SentPart::InputText { text }),
            part if role == "user" => input_part(part, at.item(index)),
            _ => Err(Error::unsupported(
                at.item(index),
                "System and developer messages must be text-only.",
            )),
        };
        let content = content.map(part).collect::<Result<Vec<_>, _>>()?;
        self.push(&Sent::Message { role, content });
        Ok(())
    }

    fn assistant(&mut self, message: &Message<'_>, at: At<'_>) -> Result<(), Error> {
        let content_at = at.member("content");
        let parts = Content::read(message.content, content_at)?.map(Content::parts);
        let mut content = Vec::new();
        for (index, part) in parts.unwrap_or_default().into_iter().enumerate() {
            content.push(match part {
                Part::Text(text) if text.get() == r#""""# => continue,
                Part::Text(text) => SentPart::OutputText { text },
                Part::Refusal(refusal) => SentPart::Refusal { refusal },
                Part::Image { .. } | Part::File { .. } => {
                    return Err(Error::unsupported(
                        content_at.item(index),
                        "An assistant's message holds text and refusals only.",
                    ));
                }
            });
        }
        if let Some(refusal) =
            message.refusal.filter(|text| raw_str(text).is_some_and(|text| !text.is_empty()))
        {
            content.push(SentPart::Refusal { refusal });
        }
        if message.audio.is_some() {
            self.ignored.drop("messages.audio");
        }
        // A message that says nothing would stand between a call and its output.
        if !content.is_empty() {
            self.push(&Sent::Message { role: "assistant", content });
        }
        let calls_at = at.member("tool_calls");
        for (index, call) in message.tool_calls.iter().flatten().enumerate() {
            self.call(call, calls_at.item(index))?;
        }
        if let Some(function) = &message.function_call {
            let id = format!("call_legacy_{}", self.items.len());
            self.legacy_calls.insert(function.name.clone().into_owned(), id.clone());
            let arguments = arguments(function.arguments);
            let name = self.names.send(&function.name).into_owned();
            self.push(&Sent::FunctionCall { call_id: &id, name: &name, arguments: &arguments });
        }
        Ok(())
    }

    fn call(&mut self, call: &ToolCall<'_>, at: At<'_>) -> Result<(), Error> {
        let Some(id) = &call.id else { return Err(Error::missing(at.member("id"))) };
        let id = call_id(id);
        let (name, payload, custom) = match (&call.function, &call.custom) {
            // Some clients replay every call as a function's, so the tool itself decides.
            (Some(function), _) => {
                (&function.name, function.arguments, self.tools.custom.contains(&*function.name))
            }
            (None, Some(custom)) => (&custom.name, custom.input, true),
            (None, None) => return Err(Error::missing(at.member("function"))),
        };
        let name = self.names.send(name).into_owned();
        if custom {
            let input = payload.filter(|input| raw_str(input).is_some()).unwrap_or(empty());
            self.push(&Sent::CustomToolCall { call_id: &id, name: &name, input });
            self.custom_calls.insert(id.into_owned(), ());
        } else {
            let arguments = arguments(payload);
            self.push(&Sent::FunctionCall { call_id: &id, name: &name, arguments: &arguments });
        }
        Ok(())
    }

    fn tool(&mut self, message: &Message<'_>, at: At<'_>) -> Result<(), Error> {
        let Some(id) = &message.tool_call_id else {
            return Err(Error::missing(at.member("tool_call_id")));
        };
        let id = call_id(id);
        let output = output(message.content, at.member("content"))?;
        if self.custom_calls.contains_key(&*id) {
            self.push(&Sent::CustomToolCallOutput { call_id: &id, output: &output });
        } else {
            self.push(&Sent::FunctionCallOutput { call_id: &id, output: &output });
        }
        Ok(())
    }

    fn function(&mut self, message: &Message<'_>, at: At<'_>) -> Result<(), Error> {
        let Some(name) = &message.name else { return Err(Error::missing(at.member("name"))) };
        let Some(id) = self.legacy_calls.remove(&**name) else {
            return Err(Error::wrong_value(
                at.member("name"),
                format!("no assistant message before it calls the function '{name}'"),
            ));
        };
        let output = output(message.content, at.member("content"))?;
        self.push(&Sent::FunctionCallOutput { call_id: &id, output: &output });
        Ok(())
    }
}

fn input_part<'a>(part: Part<'a>, at: At<'_>) -> Result<SentPart<'a>, Error> {
    Ok(match part {
        Part::Text(text) => SentPart::InputText { text },
        Part::Image { url, detail } => SentPart::InputImage { image_url: url, detail },
        Part::File { name, data } => SentPart::InputFile { filename: name, file_data: data },
        Part::Refusal(_) => {
            return Err(Error::unsupported(at, "Only an assistant's message holds refusals."));
        }
    })
}

/// What a tool gave: one text, or parts where there is more than text.
fn output<'a>(content: Option<&'a RawValue>, at: At<'_>) -> Result<Output<'a>, Error> {
    let text = |text| Ok(Output::Text(Cow::Borrowed(text)));
    let parts = match Content::read(content, at)? {
        None => return text(empty()),
        Some(Content::Text(said)) => return text(said),
        Some(Content::Parts(parts)) => parts,
    };
    if let [Part::Text(said)] = parts.as_slice() {
        return text(said);
    }
    let texts: Option<Vec<Cow<'_, str>>> = parts
        .iter()
        .map(|part| match part {
            Part::Text(text) => raw_str(text),
            Part::Image { .. } | Part::File { .. } | Part::Refusal(_) => None,
        })
        .collect();
    if let Some(texts) = texts {
        return Ok(Output::Text(Cow::Owned(raw(&texts.concat()))));
    }
    let part = |(index, part)| input_part(part, at.item(index));
    parts.into_iter().enumerate().map(part).collect::<Result<_, _>>().map(Output::Parts)
}

/// A call's arguments as a JSON string; some clients keep them parsed.
fn arguments(json: Option<&RawValue>) -> Cow<'_, RawValue> {
    match json {
        Some(json) if json.get() == r#""""# || json.get() == "null" => Cow::Owned(raw("{}")),
        Some(json) if json.get().starts_with('"') => Cow::Borrowed(json),
        Some(json) => Cow::Owned(raw(json.get())),
        None => Cow::Owned(raw("{}")),
    }
}

fn empty() -> &'static RawValue {
    serde_json::from_str(r#""""#).expect("two quotes are a JSON string")
}
