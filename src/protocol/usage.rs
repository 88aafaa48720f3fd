//! What a turn cost, in tokens.

use serde::{Deserialize, Serialize};

/// The upstream's count; what it leaves out is zero.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(default)]
pub struct Usage {
    pub input_tokens: u64,
    #[serde(deserialize_with = "or_default")]
    pub input_tokens_details: InputDetails,
    pub output_tokens: u64,
    #[serde(deserialize_with = "or_default")]
    pub output_tokens_details: OutputDetails,
    pub total_tokens: u64,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(default)]
pub struct InputDetails {
    pub cached_tokens: u64,
    pub cache_write_tokens: u64,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(default)]
pub struct OutputDetails {
    pub reasoning_tokens: u64,
}

impl std::ops::AddAssign for Usage {
    fn add_assign(&mut self, other: Self) {
        let add = |sum: &mut u64, more: u64| *sum = sum.saturating_add(more);
        let (input, more_input) = (&mut self.input_tokens_details, other.input_tokens_details);
        add(&mut self.input_tokens, other.input_tokens);
        add(&mut input.cached_tokens, more_input.cached_tokens);
        add(&mut input.cache_write_tokens, more_input.cache_write_tokens);
        add(&mut self.output_tokens, other.output_tokens);
        let reasoning = &mut self.output_tokens_details.reasoning_tokens;
        add(reasoning, other.output_tokens_details.reasoning_tokens);
        add(&mut self.total_tokens, other.total_tokens);
    }
}

fn or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}
