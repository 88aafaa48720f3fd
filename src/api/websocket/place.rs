//! What a WebSocket needs of the connection that it was before.

use std::{sync::Arc, time::Duration};

use futures_util::future::BoxFuture;

/// A connection's place among all that the server has. The server puts it among the extensions of
/// a request for an upgrade, as [`Place`]; the connection counts for as long as it is held.
pub trait Connection: Send + Sync {
    /// Resolves when it has to make room for others, having asked for nothing the longest.
    fn shown_out(&self) -> BoxFuture<'_, ()>;

    /// It asks for something until what comes back is dropped.
    fn work(&self) -> Box<dyn Send>;

    /// How many bytes have come over it.
    fn heard(&self) -> u64;

    /// How long nothing may come before the client is asked whether it is still there, and then
    /// before it is taken to have gone.
    fn silence(&self) -> Duration;
}

/// A connection, as the server has it.
pub type Place = Arc<dyn Connection>;
