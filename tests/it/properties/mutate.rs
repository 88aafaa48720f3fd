use proptest::{collection::vec, prelude::*, sample::Index};
use serde_json::{Map, Number, Value};

/// Names that mean something to one dialect or the other.
const NAMES: [&str; 40] = [
    "model",
    "messages",
    "input",
    "role",
    "content",
    "type",
    "text",
    "tools",
    "function",
    "name",
    "arguments",
    "parameters",
    "tool_calls",
    "tool_call_id",
    "call_id",
    "id",
    "output",
    "status",
    "stream",
    "stream_options",
    "n",
    "stop",
    "max_tokens",
    "response_format",
    "reasoning",
    "instructions",
    "metadata",
    "include",
    "store",
    "conversation",
    "previous_response_id",
    "delta",
    "item",
    "response",
    "usage",
    "output_index",
    "sequence_number",
    "summary",
    "error",
    "encrypted_content",
];

const WORDS: [&str; 26] = [
    "",
    " ",
    "gpt-5.5",
    "user",
    "system",
    "assistant",
    "tool",
    "developer",
    "function",
    "message",
    "reasoning",
    "function_call",
    "function_call_output",
    "custom_tool_call",
    "item_reference",
    "input_text",
    "output_text",
    "auto",
    "required",
    "json_object",
    "resp_1",
    "rs_1",
    "call_1",
    "\u{0}\u{feff}\u{202e}\r\n\u{2028}",
    "\"}],\"x\":[{\"",
    "ß🦀́\u{10ffff}",
];

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => proptest::sample::select(&WORDS[..]).prop_map(str::to_owned),
        2 => any::<String>(),
        1 => (1..5000_usize).prop_map(|count| "ä".repeat(count)),
    ]
}

fn number() -> impl Strategy<Value = Number> {
    prop_oneof![
        proptest::sample::select(&[0, 1, -1, 2, 129, i64::MIN, i64::MAX][..])
            .prop_map(Number::from),
        Just(Number::from(u64::MAX)),
        proptest::sample::select(&[0.5, -0.0, 1e308, -1e-308, 1e19][..])
            .prop_map(|number| Number::from_f64(number).unwrap()),
    ]
}

/// JSON of any kind.
pub(super) fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        number().prop_map(Value::Number),
        text().prop_map(Value::String),
        // Deeper than any reader of trees goes.
        (1..200_usize)
            .prop_map(|depth| (0..depth).fold(Value::Null, |inner, _| vec![inner].into())),
    ];
    leaf.prop_recursive(4, 24, 5, |inner| {
        let name = prop_oneof![
            4 => proptest::sample::select(&NAMES[..]).prop_map(str::to_owned),
            1 => text(),
        ];
        prop_oneof![
            vec(inner.clone(), 0..5).prop_map(Value::Array),
            vec((name, inner), 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

/// One change to some value inside a document.
#[derive(Clone, Debug)]
pub(super) struct Mutation {
    at: Index,
    change: Change,
}

#[derive(Clone, Debug)]
enum Change {
    Drop,
    /// The value again, behind itself.
    Repeat,
    Replace(Value),
    /// A number for its text, a text for its number, a list for what stands alone.
    Retype,
    /// The value that stands somewhere else.
    CopyFrom(Index),
    /// The member under another name.
    Rename(Index),
}

pub(super) fn mutation() -> impl Strategy<Value = Mutation> {
    let change = prop_oneof![
        2 => Just(Change::Drop),
        2 => Just(Change::Repeat),
        4 => json().prop_map(Change::Replace),
        2 => Just(Change::Retype),
        2 => any::<Index>().prop_map(Change::CopyFrom),
        1 => any::<Index>().prop_map(Change::Rename),
    ];
    (any::<Index>(), change).prop_map(|(at, change)| Mutation { at, change })
}

pub(super) fn mutations() -> impl Strategy<Value = Vec<Mutation>> {
    vec(mutation(), 1..4)
}

/// The document with the changes made one after the other.
pub(super) fn mutated(mut document: Value, mutations: &[Mutation]) -> Value {
    for mutation in mutations {
        let mut places = Vec::new();
        collect(&document, &mut Vec::new(), &mut places);
        let place = mutation.at.get(&places).clone();
        let new = match &mutation.change {
            Change::Drop | Change::Repeat | Change::Rename(_) => None,
            Change::Replace(value) => Some(value.clone()),
            Change::Retype => Some(retyped(at(&mut document, &place))),
            Change::CopyFrom(from) => {
                let from = from.get(&places).clone();
                Some(at(&mut document, &from).clone())
            }
        };
        match (new, place.split_last()) {
            (Some(new), _) => *at(&mut document, &place) = new,
            (None, None) => {}
            (None, Some((last, parent))) => {
                rearrange(at(&mut document, parent), *last, &mutation.change);
            }
        }
    }
    document
}

/// The places of all values, as the numbers of members and items on the way to them.
fn collect(value: &Value, here: &mut Vec<usize>, places: &mut Vec<Vec<usize>>) {
    places.push(here.clone());
    for (index, inner) in inner(value).into_iter().enumerate() {
        here.push(index);
        collect(inner, here, places);
        here.pop();
    }
}

fn inner(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(items) => items.iter().collect(),
        Value::Object(members) => members.values().collect(),
        _ => Vec::new(),
    }
}

fn at<'a>(mut value: &'a mut Value, place: &[usize]) -> &'a mut Value {
    for &index in place {
        value = match value {
            Value::Array(items) => &mut items[index],
            Value::Object(members) => members.values_mut().nth(index).unwrap(),
            other => panic!("nothing is inside {other}"),
        };
    }
    value
}

fn retyped(value: &Value) -> Value {
    match value {
        Value::Null => Value::Object(Map::new()),
        Value::Bool(it) => it.to_string().into(),
        Value::Number(number) => number.to_string().into(),
        Value::String(text) => text.parse::<i64>().map_or(vec![text.clone()].into(), Value::from),
        Value::Array(items) => items.first().cloned().unwrap_or_default(),
        Value::Object(members) => members.values().cloned().collect(),
    }
}

fn rearrange(parent: &mut Value, index: usize, change: &Change) {
    match (parent, change) {
        (Value::Array(items), Change::Drop) => drop(items.remove(index)),
        (Value::Array(items), Change::Repeat) => items.insert(index, items[index].clone()),
        (Value::Object(members), change) => {
            let name = members.keys().nth(index).unwrap().clone();
            match change {
                Change::Drop => drop(members.shift_remove(&name)),
                Change::Rename(to) => {
                    let value = members.shift_remove(&name).unwrap();
                    members.insert((*to.get(&NAMES)).to_owned(), value);
                }
                _ => {}
            }
        }
        _ => {}
    }
}
