//! What a connection remembers: its last response, with all that led to it.

use serde_json::Value;

use crate::simulator::reply::Refusal;

#[derive(Debug)]
pub(super) struct Memory {
    pub id: String,
    pub items: Vec<Value>,
}

impl Memory {
    /// Puts what is remembered in front of the input of a request that goes on from it. It is
    /// forgotten with that: a turn that fails leaves nothing to go on from.
    ///
    /// # Errors
    /// When the request goes on from a response that this connection did not end with.
    pub(super) fn join(memory: Option<Self>, body: &mut Value) -> Result<(), Refusal> {
        let Some(fields) = body.as_object_mut() else { return Ok(()) };
        let previous = match fields.shift_remove("previous_response_id") {
            None | Some(Value::Null) => return Ok(()),
            Some(previous) => previous,
        };
        let previous = previous.as_str().unwrap_or_default();
        let Some(known) = memory.filter(|memory| memory.id == previous) else {
            return Err(Refusal::engine(
                400,
                format!("Previous response with id '{previous}' not found."),
                Some("previous_response_id"),
                Some("previous_response_not_found"),
            ));
        };
        if let Some(Value::Array(input)) = fields.get_mut("input") {
            input.splice(..0, known.items);
        }
        Ok(())
    }
}
