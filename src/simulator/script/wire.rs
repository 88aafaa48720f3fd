//! Scripts about bytes rather than words.

use bytes::Bytes;

use super::Script;

/// What happens to the bytes.
#[derive(Clone, Debug, Default)]
pub(in crate::simulator) struct Wire {
    pub raw: Option<Bytes>,
    pub cut_before_headers: bool,
    pub cut_after: Option<usize>,
    pub cut_in_mid_event: bool,
    pub split_every: Option<usize>,
    pub crlf: bool,
    pub bom: bool,
    pub comments: bool,
    pub multi_line_data: bool,
    pub done_marker: bool,
    pub content_type: bool,
    pub gzip: bool,
}

impl Script {
    /// Nothing is answered: the connection closes after the request.
    #[must_use]
    pub fn cut_before_headers(mut self) -> Self {
        self.wire.cut_before_headers = true;
        self
    }

    /// The connection is cut after this many events, without an end of the body.
    #[must_use]
    pub fn cut_after(mut self, events: usize) -> Self {
        self.wire.cut_after = Some(events);
        self
    }

    /// The connection is cut inside an event: the one after [`Script::cut_after`], else the first
    /// delta.
    #[must_use]
    pub fn cut_in_mid_event(mut self) -> Self {
        self.wire.cut_in_mid_event = true;
        self
    }

    /// Every write has this many bytes: events and characters come in pieces.
    #[must_use]
    pub fn split_every(mut self, bytes: usize) -> Self {
        self.wire.split_every = Some(bytes);
        self
    }

    /// Lines end in CR LF.
    #[must_use]
    pub fn crlf(mut self) -> Self {
        self.wire.crlf = true;
        self
    }

    /// The stream starts with a byte order mark.
    #[must_use]
    pub fn bom(mut self) -> Self {
        self.wire.bom = true;
        self
    }

    /// A comment before every event.
    #[must_use]
    pub fn comments(mut self) -> Self {
        self.wire.comments = true;
        self
    }

    /// The JSON of every event is spread over several `data:` lines.
    #[must_use]
    pub fn multi_line_data(mut self) -> Self {
        self.wire.multi_line_data = true;
        self
    }

    /// `data: [DONE]` at the end, which the backend does not send.
    #[must_use]
    pub fn done_marker(mut self) -> Self {
        self.wire.done_marker = true;
        self
    }

    /// Old profile: `content-type: text/event-stream` on the 200.
    #[must_use]
    pub fn with_content_type(mut self) -> Self {
        self.wire.content_type = true;
        self
    }

    /// The body is compressed, though nobody asked.
    #[must_use]
    pub fn gzip_body(mut self) -> Self {
        self.wire.gzip = true;
        self
    }

    /// The body of the 200 is exactly this.
    #[must_use]
    pub fn raw(mut self, bytes: impl Into<Bytes>) -> Self {
        self.wire.raw = Some(bytes.into());
        self
    }
}
