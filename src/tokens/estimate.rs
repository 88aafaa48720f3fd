//! What a request is in tokens, as nearly as can be told from outside.

use std::{borrow::Cow, fmt};

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::count;
use crate::protocol::{Request, raw_str};

/// What stands around each message: its beginning, its role, its end.
const MESSAGE: u64 = 4;

/// What stands in front of the answer.
const ANSWER: u64 = 2;

/// An image of low detail, by OpenAI's table.
const SMALL_IMAGE: u64 = 85;

/// Any other image: what a square of 1024 pixels costs by the same table. The real size is not
/// looked up.
const IMAGE: u64 = 765;

/// How much base64 makes a token: a token is about four bytes, in base64 somewhat more.
const BASE64_PER_TOKEN: u64 = 5;

/// How much text of one request is really counted, in bytes: about as much as a model reads at all.
/// What is beyond it is taken to be like it.
const MAX_COUNTED: usize = 1024 * 1024;

/// How many input tokens the request is about: its instructions, items, tools and output schema,
/// and what stands between them.
///
/// Text is counted, tools and schemas as the JSON that they are. An image is 85 tokens in low
/// detail and 765 in any other, and everything else in base64 (files, sound, encrypted content)
/// goes by its length.
/// It takes a few milliseconds for a megabyte, and seconds where that is characters at random.
#[must_use]
pub fn estimate(request: &Request) -> u64 {
    let mut tally = Tally::default();
    if let Some(instructions) = request.instructions.as_deref().and_then(raw_str)
        && !instructions.is_empty()
    {
        tally.flat += MESSAGE;
        tally.text(&instructions);
    }
    for item in &request.input {
        tally.flat += MESSAGE;
        tally.json(item.json());
    }
    for tool in request.tools.iter().flatten() {
        tally.text(tool.get());
    }
    if let Some(format) = &request.text.format {
        tally.text(format.get());
    }
    tally.flat += ANSWER;
    tally.total()
}

#[derive(Default)]
struct Tally {
    /// Of `bytes` of text.
    tokens: u64,
    bytes: usize,
    /// Text that is too much to be counted, in bytes.
    beyond: usize,
    /// What is no text.
    flat: u64,
}

impl Tally {
    fn text(&mut self, text: &str) {
        let counted = text.floor_char_boundary(MAX_COUNTED - self.bytes);
        self.tokens += count(&text[..counted]) as u64;
        self.bytes += counted;
        self.beyond += text.len() - counted;
    }

    /// A string of unknown meaning: whatever is no text is not read as text.
    fn string(&mut self, text: &str) {
        match text.strip_prefix("data:") {
            Some(data) if data.starts_with("image/") => self.flat += IMAGE,
            Some(data) if data.contains(";base64,") => self.base64(data),
            _ => self.text(text),
        }
    }

    fn base64(&mut self, text: &str) {
        self.flat += text.len() as u64 / BASE64_PER_TOKEN;
    }

    fn json(&mut self, json: &RawValue) {
        let walked = Walk(self).deserialize(&mut serde_json::Deserializer::from_str(json.get()));
        if walked.is_err() {
            self.base64(json.get()); // A string with half a character in it.
        }
    }

    fn total(&self) -> u64 {
        let beyond = match self.bytes {
            0 => 0,
            bytes => self.tokens.saturating_mul(self.beyond as u64) / bytes as u64,
        };
        self.tokens + beyond + self.flat
    }
}

/// Walks over a value without building it, and tallies the strings in it that a model is shown.
struct Walk<'a>(&'a mut Tally);

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        self.0.string(text);
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        self.one()
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        self.one()
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        self.one()
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        self.one()
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<(), A::Error> {
        while values.next_element_seed(Walk(self.0))?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let mut image = None;
        while let Some(Text(key)) = members.next_key()? {
            match &*key {
                "type" => {
                    let Text(kind) = members.next_value()?;
                    if matches!(&*kind, "input_image" | "image_generation_call") {
                        image.get_or_insert(IMAGE);
                    }
                }
                "detail" => {
                    if members.next_value::<Option<Text<'_>>>()?.is_some_and(|text| text.0 == "low")
                    {
                        image = Some(SMALL_IMAGE);
                    }
                }
                "image_url" => {
                    members.next_value::<IgnoredAny>()?;
                    image.get_or_insert(IMAGE);
                }
                "tools" => {
                    let tools: &RawValue = members.next_value()?;
                    self.0.text(tools.get());
                }
                "encrypted_content" | "file_data" | "data" => {
                    if let Some(Text(data)) = members.next_value()? {
                        self.0.base64(&data);
                    }
                }
                "id" | "call_id" | "file_id" | "role" | "status" | "phase" | "annotations"
                | "logprobs" | "result" => {
                    members.next_value::<IgnoredAny>()?;
                }
                _ => members.next_value_seed(Walk(self.0))?,
            }
        }
        self.0.flat += image.unwrap_or_default();
        Ok(())
    }
}

impl Walk<'_> {
    fn one<E>(self) -> Result<(), E> {
        self.0.flat += 1;
        Ok(())
    }
}

/// A string, borrowed where it has no escapes.
#[derive(serde::Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);
