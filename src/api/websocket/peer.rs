//! The client at the other end of a WebSocket: what it says and is told, and how they part.

use std::{future::poll_fn, time::Duration};

use bytes::Bytes;
use futures_util::SinkExt;
use yawc::{
    HttpStream, WebSocket,
    close::CloseCode,
    frame::{Frame, OpCode},
};

/// How long a client may take to hear that it has to go. Whoever closes a connection over which
/// something still comes resets it, and what was told last might be lost with that.
const FAREWELL: Duration = Duration::from_secs(1);

/// The client has left; or it has to, and is told so with a code.
pub(super) struct Gone(pub(super) Option<CloseCode>);

pub(super) struct Peer {
    socket: WebSocket<HttpStream>,
}

impl Peer {
    pub(super) fn new(socket: WebSocket<HttpStream>) -> Self {
        Self { socket }
    }

    /// The next message. Nothing is lost where it is not waited for to the end.
    pub(super) async fn message(&mut self) -> Result<Bytes, Gone> {
        loop {
            let frame = self.socket.next_frame().await.map_err(left)?;
            match frame.opcode() {
                OpCode::Text | OpCode::Binary => return Ok(frame.into_payload()),
                OpCode::Close => return Err(Gone(None)),
                OpCode::Ping | OpCode::Pong | OpCode::Continuation => {}
            }
        }
    }

    /// Says something, with what is said next.
    pub(super) async fn feed(&mut self, text: impl Into<Bytes>) -> Result<(), Gone> {
        self.socket.feed(Frame::text(text)).await.map_err(left)
    }

    pub(super) async fn flush(&mut self) -> Result<(), Gone> {
        self.socket.flush().await.map_err(left)
    }

    pub(super) async fn send(&mut self, text: impl Into<Bytes>) -> Result<(), Gone> {
        self.feed(text).await?;
        self.flush().await
    }

    /// Parts with the client.
    pub(super) async fn end(mut self, Gone(told): Gone) {
        // Who does not listen is not waited for, and who has left cannot be told.
        let _ = tokio::time::timeout(FAREWELL, self.part(told)).await;
    }

    async fn part(&mut self, told: Option<CloseCode>) -> Result<(), yawc::WebSocketError> {
        let Some(code) = told else {
            // What is left to be said is why the connection ends; becoming ready says it.
            poll_fn(|cx| self.socket.poll_ready_unpin(cx)).await?;
            return self.socket.flush().await;
        };
        self.socket.send(Frame::close(code, "")).await?;
        while self.socket.next_frame().await?.opcode() != OpCode::Close {}
        Ok(())
    }
}

fn left(_: yawc::WebSocketError) -> Gone {
    Gone(None)
}
