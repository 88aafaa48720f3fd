//! Server-sent events: frames in, with a size limit; frames out.
//!
//! The decoder keeps to the WHATWG rules (LF, CR, CRLF, a BOM, comments, data over several lines)
//! for any split of the bytes. A frame's parts are slices of the buffer they arrived in.

use std::ops::Range;

use bytes::{BufMut, Bytes, BytesMut};
use memchr::memchr2;

/// The largest frame that is accepted, in bytes: a generated image is one frame.
pub const MAX_FRAME: usize = 16 * 1024 * 1024;

/// One dispatched event: what stood behind `event:` (empty if nothing did) and its data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    pub event: Bytes,
    pub data: Bytes,
}

/// A frame grew past its limit; the stream cannot be followed any further.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an event is larger than {limit} bytes")]
pub struct TooLarge {
    pub limit: usize,
}

/// Cuts a stream of bytes into frames.
#[derive(Debug)]
pub struct Decoder {
    /// From the start of the frame being read.
    buffer: BytesMut,
    /// Up to here `buffer` is known to hold no further line end.
    searched: usize,
    line_start: usize,
    /// The last line ended in CR, so an LF right behind it belongs to it.
    after_cr: bool,
    at_start: bool,
    event: Range<usize>,
    data: Vec<Range<usize>>,
    limit: usize,
}

impl Decoder {
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self {
            buffer: BytesMut::new(),
            searched: 0,
            line_start: 0,
            after_cr: false,
            at_start: true,
            event: 0..0,
            data: Vec::new(),
            limit,
        }
    }

    /// Takes what the socket gave; [`Decoder::next`] then yields what is whole.
    pub fn push(&mut self, chunk: &[u8]) {
        self.buffer.extend_from_slice(chunk);
    }

    /// The next whole frame, or `None` until more bytes come.
    ///
    /// # Errors
    /// When the frame being read is larger than the limit.
    #[expect(clippy::should_implement_trait, reason = "it may yield again after a `None`")]
    pub fn next(&mut self) -> Result<Option<Frame>, TooLarge> {
        // It is asked more often than it is given anything.
        if self.searched == self.buffer.len() || !self.skip_bom() {
            return Ok(None);
        }
        while let Some(end) = self.line_end() {
            let line = self.line_start..end;
            self.line_start = end + 1;
            self.searched = self.line_start;
            if line.is_empty() {
                if let Some(frame) = self.dispatch() {
                    return Ok(Some(frame));
                }
            } else {
                self.field(line);
            }
        }
        if self.buffer.len() > self.limit {
            return Err(TooLarge { limit: self.limit });
        }
        Ok(None)
    }

    /// The frame that the stream ended in, if its data had begun.
    ///
    /// The standard drops it; an upstream that forgets the last blank line has still said it.
    pub fn finish(&mut self) -> Option<Frame> {
        let rest = self.line_start..self.buffer.len();
        self.line_start = rest.end;
        if !rest.is_empty() {
            self.field(rest);
        }
        self.dispatch()
    }

    /// False while it cannot be told yet whether the stream begins with a byte order mark.
    fn skip_bom(&mut self) -> bool {
        const BOM: &[u8] = "\u{feff}".as_bytes();
        if self.at_start && !self.buffer.is_empty() {
            if self.buffer.len() < BOM.len() && BOM.starts_with(&self.buffer) {
                return false;
            }
            if self.buffer.starts_with(BOM) {
                let _ = self.buffer.split_to(BOM.len());
            }
            self.at_start = false;
        }
        true
    }

    /// Where the line being read ends, if its end has arrived. CRLF counts as one end.
    fn line_end(&mut self) -> Option<usize> {
        if self.after_cr && self.line_start < self.buffer.len() {
            self.after_cr = false;
            if self.buffer[self.line_start] == b'\n' {
                self.line_start += 1;
                self.searched = self.line_start;
            }
        }
        let Some(found) = memchr2(b'\n', b'\r', &self.buffer[self.searched..]) else {
            self.searched = self.buffer.len();
            return None;
        };
        let end = self.searched + found;
        self.after_cr = self.buffer[end] == b'\r';
        Some(end)
    }

    fn field(&mut self, line: Range<usize>) {
        let text = &self.buffer[line.clone()];
        let value = |name: &[u8]| {
            let rest = text.strip_prefix(name)?;
            let start = match rest {
                [] => line.end,
                [b':', b' ', ..] => line.start + name.len() + 2,
                [b':', ..] => line.start + name.len() + 1,
                _ => return None,
            };
            Some(start..line.end)
        };
        if let Some(data) = value(b"data") {
            self.data.push(data);
        } else if let Some(event) = value(b"event") {
            self.event = event;
        }
    }

    /// Ends the frame: its bytes leave the buffer, and it is yielded if it has data.
    fn dispatch(&mut self) -> Option<Frame> {
        let block = self.buffer.split_to(self.line_start).freeze();
        self.line_start = 0;
        self.searched = 0;
        let event = block.slice(std::mem::take(&mut self.event));
        let data = match self.data.as_slice() {
            [] => return None,
            [one] => block.slice(one.clone()),
            several => join(&block, several),
        };
        self.data.clear();
        Some(Frame { event, data })
    }
}

fn join(block: &[u8], ranges: &[Range<usize>]) -> Bytes {
    let lines: Vec<&[u8]> = ranges.iter().map(|range| &block[range.clone()]).collect();
    lines.join(&b'\n').into()
}

/// Writes `event: …` and `data: …`; `data` holds no line end.
pub fn write(out: &mut BytesMut, event: &[u8], data: &[u8]) {
    out.reserve(event.len() + data.len() + 16);
    out.put_slice(b"event: ");
    out.put_slice(event);
    out.put_slice(b"\ndata: ");
    out.put_slice(data);
    out.put_slice(b"\n\n");
}

/// Writes a frame without a name, as Chat Completions has them.
pub fn write_data(out: &mut BytesMut, data: &[u8]) {
    out.reserve(data.len() + 8);
    out.put_slice(b"data: ");
    out.put_slice(data);
    out.put_slice(b"\n\n");
}

/// The mark that ends a stream in both dialects.
pub const DONE: &[u8] = b"data: [DONE]\n\n";

#[cfg(test)]
mod tests;
