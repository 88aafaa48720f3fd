use serde_json::Value;

/// One server-sent event, read by a reader that shares nothing with the product's.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Frame {
    pub(crate) event: Option<String>,
    pub(crate) data: String,
}

impl Frame {
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.data).unwrap_or_else(|_| panic!("not JSON: {:?}", self.data))
    }

    pub(crate) fn is_done(&self) -> bool {
        self.data == "[DONE]"
    }
}

/// The frames of a stream, comments left out. Every frame must be whole.
#[track_caller]
pub(crate) fn frames(body: &str) -> Vec<Frame> {
    assert!(body.is_empty() || body.ends_with("\n\n"), "it ends inside a frame: {body:?}");
    let frame = |block: &str| {
        let mut frame = Frame { event: None, data: String::new() };
        for line in block.lines() {
            match line.split_once(": ") {
                Some(("event", name)) => frame.event = Some(name.to_owned()),
                Some(("data", data)) => data.clone_into(&mut frame.data),
                Some(("", _comment)) => {}
                other => panic!("a line of no known field: {other:?} in {line:?}"),
            }
        }
        frame
    };
    body.split_terminator("\n\n").map(frame).filter(|frame| !frame.data.is_empty()).collect()
}
