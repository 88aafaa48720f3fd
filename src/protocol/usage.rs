//! What a turn cost, in tokens.

use serde::{Deserialize, Deserializer, Serialize, de::Error};
use serde_json::value::RawValue;

use super::from_json;

/// The upstream's count; what it leaves out is zero, and the total the sum of the rest.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(from = "Told")]
pub struct Usage {
    pub input_tokens: u64,
    pub input_tokens_details: InputDetails,
    pub output_tokens: u64,
    pub output_tokens_details: OutputDetails,
    pub total_tokens: u64,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(default)]
pub struct InputDetails {
    #[serde(deserialize_with = "count")]
    pub cached_tokens: u64,
    #[serde(deserialize_with = "count")]
    pub cache_write_tokens: u64,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(default)]
pub struct OutputDetails {
    #[serde(deserialize_with = "count")]
    pub reasoning_tokens: u64,
}

/// Usage as it is told, in which anything may be missing.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Told {
    input_tokens: Option<Count>,
    input_tokens_details: Option<InputDetails>,
    output_tokens: Option<Count>,
    output_tokens_details: Option<OutputDetails>,
    total_tokens: Option<Count>,
}

impl From<Told> for Usage {
    fn from(told: Told) -> Self {
        let [input_tokens, output_tokens] =
            [told.input_tokens, told.output_tokens].map(|count| count.map_or(0, |count| count.0));
        let sum = input_tokens.saturating_add(output_tokens);
        Self {
            input_tokens,
            input_tokens_details: told.input_tokens_details.unwrap_or_default(),
            output_tokens,
            output_tokens_details: told.output_tokens_details.unwrap_or_default(),
            total_tokens: told.total_tokens.map_or(sum, |count| count.0),
        }
    }
}

/// A number of tokens; some write whole numbers with a point.
struct Count(u64);

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = <&RawValue>::deserialize(deserializer)?.get();
        let count = json.parse().ok().or_else(|| Some(json.parse::<f64>().ok()? as u64));
        count.map(Self).ok_or_else(|| D::Error::custom("a count of tokens is no number"))
    }
}

fn count<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    Ok(Option::<Count>::deserialize(deserializer)?.map_or(0, |count| count.0))
}

/// The usage that an answer tells. One that makes no sense is no reason to withhold the answer.
pub(super) fn if_legible<'de, D>(deserializer: D) -> Result<Option<Usage>, D::Error>
where
    D: Deserializer<'de>,
{
    let json = Option::<&RawValue>::deserialize(deserializer)?;
    Ok(json.and_then(|json| from_json(json.get()).ok()))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_however_they_are_written_and_what_is_missing_is_made_up_for() {
        let usage = |json: &str| from_json::<Usage>(json).unwrap();
        let plain = usage(r#"{"input_tokens":3,"output_tokens":4,"total_tokens":7}"#);
        assert_eq!((plain.input_tokens, plain.output_tokens, plain.total_tokens), (3, 4, 7));
        for same in [
            r#"{"input_tokens":3,"output_tokens":4}"#,
            r#"{"input_tokens":3.0,"output_tokens":4e0,"total_tokens":null}"#,
            r#"{"input_tokens":3,"output_tokens":4,"total_tokens":7.0,"input_tokens_details":null}"#,
            r#"{"input_tokens":3,"output_tokens":4,"input_tokens_details":{"cached_tokens":null},
                "output_tokens_details":{"reasoning_tokens":null}}"#,
        ] {
            assert_eq!(usage(same), plain, "{same}");
        }
        assert_eq!(usage("{}"), Usage::default());
        assert!(from_json::<Usage>(r#"{"input_tokens":"many"}"#).is_err());
    }
}
