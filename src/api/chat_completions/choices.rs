//! The choices of one completion, interleaved in one stream.

use std::borrow::Cow;

use bytes::{BufMut, BytesMut};
use serde::Deserialize;

use super::{Wanted, chunk::Chunks, encode::Encoder, pen::Pen, reply::chat_id};
use crate::{
    api::dialect::Flow,
    protocol::{Event, Kind, Usage, unix_now},
    sse, upstream,
};

/// The choices that are being written; they have one id, and their usage is told once.
#[derive(Debug)]
pub(super) struct Choices {
    chunks: Option<Chunks>,
    encoders: Vec<Encoder>,
    n_ended: usize,
    usage: Usage,
}

impl Choices {
    pub(super) fn new(count: usize) -> Self {
        let encoders = std::iter::repeat_with(Encoder::default).take(count).collect();
        Self { chunks: None, encoders, n_ended: 0, usage: Usage::default() }
    }

    pub(super) fn event(
        &mut self,
        wanted: &Wanted,
        choice: usize,
        event: &Event,
        out: &mut BytesMut,
    ) -> Result<Flow, upstream::Error> {
        let chunks = match &self.chunks {
            Some(chunks) => chunks,
            None => self.chunks.insert(chunks(wanted, event)?),
        };
        let pen = |choice| Pen { wanted, chunks, choice };
        if self.encoders.len() > 1 && !event.kind.is_prelude() {
            // Clients put choices down in the order in which they appear, whatever their `index`.
            for (choice, encoder) in self.encoders.iter_mut().enumerate() {
                encoder.open(&pen(choice), out);
            }
        }
        let Some(usage) = self.encoders[choice].event(&pen(choice), event, out)? else {
            return Ok(Flow::On);
        };
        self.usage += usage;
        self.n_ended += 1;
        if self.n_ended < self.encoders.len() {
            return Ok(Flow::On);
        }
        if wanted.include_usage {
            chunks.usage(out, self.usage);
        }
        out.put_slice(sse::DONE);
        Ok(Flow::End)
    }
}

/// What all chunks begin with: by the first event, which says what the upstream calls the turn.
fn chunks(wanted: &Wanted, first: &Event) -> Result<Chunks, upstream::Error> {
    #[derive(Deserialize)]
    struct Created<'a> {
        #[serde(borrow)]
        response: Named<'a>,
    }
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Named<'a> {
        #[serde(borrow)]
        id: Option<Cow<'a, str>>,
        created_at: Option<f64>,
    }
    let response = match first.kind {
        Kind::Created => first.read::<Created<'_>>()?.response,
        _ => Named::default(),
    };
    let created = response.created_at.map_or_else(unix_now, |seconds| seconds as u64);
    let id = chat_id(response.id.as_deref());
    Ok(Chunks::new(&id, created, &wanted.model, wanted.include_usage))
}
