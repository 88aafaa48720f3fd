use std::time::Duration;

use crate::simulator::reply::Reply;

/// What to do with one request to the token endpoint, or one for the plan's usage.
#[derive(Clone, Debug, Default)]
pub struct TokenScript {
    pub(in crate::simulator) fate: TokenFate,
    pub(in crate::simulator) delay: Duration,
}

#[derive(Clone, Debug, Default)]
pub(in crate::simulator) enum TokenFate {
    #[default]
    Answer,
    Reply(Box<Reply>),
    Cut,
    SpendAndCut,
}

impl TokenScript {
    /// The usual answer.
    pub fn new() -> Self {
        Self::default()
    }

    /// This answer, and nothing is spent.
    pub fn status(status: u16, body: &str) -> Self {
        let reply = Reply::new(status, body).header("content-type", "application/json");
        Self { fate: TokenFate::Reply(Box::new(reply)), ..Self::default() }
    }

    /// A web page instead of an answer, as Cloudflare shows it to whom it does not trust.
    pub fn page(status: u16) -> Self {
        let page = "<!DOCTYPE html><html><head><title>Just a moment...</title></head></html>";
        let reply = Reply::new(status, page)
            .header("content-type", "text/html; charset=UTF-8")
            .header("cf-mitigated", "challenge");
        Self { fate: TokenFate::Reply(Box::new(reply)), ..Self::default() }
    }

    /// The connection closes without an answer, and nothing is spent.
    pub fn cut() -> Self {
        Self { fate: TokenFate::Cut, ..Self::default() }
    }

    /// The connection closes without an answer after the old token was spent.
    pub fn cut_after_spending() -> Self {
        Self { fate: TokenFate::SpendAndCut, ..Self::default() }
    }

    /// A pause before the answer, when the old token is spent already.
    #[must_use]
    pub fn delay(mut self, pause: Duration) -> Self {
        self.delay = pause;
        self
    }
}
