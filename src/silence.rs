//! How long nothing has come.

use std::{
    future::Future as _,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::time::{Instant, Sleep, sleep_until};

/// Tells when nothing has come for a certain time. What does come costs a look at the clock: the
/// timer is set again only when it has run out too early.
#[derive(Debug)]
pub struct Silence {
    limit: Duration,
    since: Instant,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Silence {
    /// It begins now.
    #[must_use]
    pub fn new(limit: Duration) -> Self {
        Self { limit, since: Instant::now(), timer: None }
    }

    /// Something has come: it begins anew.
    pub fn broken(&mut self) {
        self.since = Instant::now();
    }

    /// For how long it has lasted.
    #[must_use]
    pub fn age(&self) -> Duration {
        self.since.elapsed()
    }

    /// Ready when it has lasted as long as was to be waited; then it begins anew.
    pub fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        loop {
            // A time too far off to be told is never over.
            let Some(over) = self.since.checked_add(self.limit) else { return Poll::Pending };
            let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(over)));
            ready!(timer.as_mut().poll(context));
            if Instant::now() >= over {
                timer.as_mut().reset(over + self.limit);
                self.broken();
                return Poll::Ready(());
            }
            timer.as_mut().reset(over);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;

    async fn lasts(silence: &mut Silence) -> Duration {
        let began = Instant::now();
        poll_fn(|context| silence.poll(context)).await;
        began.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn it_is_over_when_nothing_has_come_for_so_long() {
        let second = Duration::from_secs(1);
        let mut silence = Silence::new(10 * second);
        // A timer that was set before something came does not end it.
        assert!(futures_util::poll!(poll_fn(|context| silence.poll(context))).is_pending());
        tokio::time::advance(7 * second).await;
        silence.broken();
        assert_eq!(lasts(&mut silence).await.as_secs(), 10);
        assert_eq!(lasts(&mut silence).await.as_secs(), 10);
        let mut endless = Silence::new(Duration::MAX);
        assert!(futures_util::poll!(poll_fn(|context| endless.poll(context))).is_pending());
    }
}
