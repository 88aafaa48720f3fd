//! When a turn is sent again: only as long as nothing of it has been said.
//!
//! What is tried again is what may well go better at once: a connection that failed, an upstream
//! with too much to do (even where that hides in a 200), and once a turn whose sealed reasoning
//! the backend cannot read. Refusals, limits and policies are told to the client as they are.

use std::{sync::Arc, time::Duration};

use futures_util::{FutureExt, StreamExt, TryFutureExt, future::BoxFuture, stream};
use http::HeaderMap;
use tokio::time::{Instant, sleep, timeout_at};

use super::{Answer, Error, Events, Upstream, failed, lead::Lead};
use crate::{
    protocol::{Event, Kind, Turn},
    telemetry::metrics,
};

/// How often at the most, beside the first time.
const MAX_RETRIES: u32 = 3;

/// Before the first retry; twice as long before each one after it.
const FIRST_WAIT: Duration = Duration::from_millis(200);

/// An upstream that wants to be left alone for longer is left alone: the client hears how long.
const MAX_WAIT: Duration = Duration::from_secs(5);

/// A turn that has been accepted.
pub struct Begun {
    /// Headers that the client may see.
    pub headers: HeaderMap,
    pub events: Events,
    /// Whether nothing has been said yet, for as long as was to be waited for it.
    pub silent: bool,
}

/// How long a client may hear nothing.
#[derive(Clone, Copy, Debug)]
pub enum Hold {
    /// It reads a stream, and has its status line by then even if the upstream has not answered.
    Stream(Duration),
    /// It waits for the whole answer: by then nothing is sent again, but the head of the
    /// upstream's answer is waited for.
    Whole(Duration),
}

/// A turn on its way, which comes back with its answer.
type Sending = BoxFuture<'static, (Box<Turn>, Result<Answer, Error>)>;

/// Runs a turn up to its first word, or for as long as `hold`, as often as that takes and may help.
/// Why it was sent again is written into `turn.retries`.
///
/// While nothing has been said the client has no status line, so that an overload hidden behind a
/// 200 can still be a 503, which SDKs know how to try again.
///
/// # Errors
/// When the turn fails before anything was said.
pub async fn begin(
    upstream: &Arc<dyn Upstream>,
    mut turn: Box<Turn>,
    hold: Hold,
) -> Result<Begun, Error> {
    let (Hold::Stream(held) | Hold::Whole(held)) = hold;
    let until = Instant::now() + held;
    let mut n_retries = 0;
    loop {
        let mut sending = send(Arc::clone(upstream), turn).boxed();
        let sent = match hold {
            Hold::Stream(_) => timeout_at(until, &mut sending).await.ok(),
            Hold::Whole(_) => Some((&mut sending).await),
        };
        let Some((sent, answer)) = sent else { return Ok(unanswered(sending)) };
        turn = sent;
        let error = match said(answer, until).await {
            Ok(begun) => return Ok(begun),
            Err(error) => error,
        };
        let Some((reason, wait)) = again(&error, &mut turn, n_retries) else { return Err(error) };
        if Instant::now() + wait > until {
            return Err(error);
        }
        // Without the upstream's own words, which may repeat what nobody should read.
        tracing::debug!(reason, ?wait, "the turn is sent again");
        metrics::retried(reason);
        turn.retries.push(reason);
        n_retries += 1;
        sleep(wait).await;
    }
}

async fn send(
    upstream: Arc<dyn Upstream>,
    mut turn: Box<Turn>,
) -> (Box<Turn>, Result<Answer, Error>) {
    let answer = upstream.send(&mut turn).await;
    (turn, answer)
}

/// A turn whose answer is still waited for: what becomes of it is told by its events.
fn unanswered(sending: Sending) -> Begun {
    let answered = sending.map(|(_, answer)| answer.map(|answer| answer.events));
    let events = answered.try_flatten_stream().boxed();
    Begun { headers: HeaderMap::new(), events, silent: true }
}

/// Why a turn that failed so is sent again, and after what time; `None` when it is not.
fn again(error: &Error, turn: &mut Turn, n_retries: u32) -> Option<(&'static str, Duration)> {
    if let Error::Invalid(failure) = error {
        let unreadable = failure.code.as_deref() == Some("invalid_encrypted_content");
        // The conversation would fail for ever, so it goes on without.
        return (unreadable && turn.unseal())
            .then_some(("invalid_encrypted_content", Duration::ZERO));
    }
    let (reason, asked) = match error {
        Error::Overloaded { retry_after, .. } => ("overloaded", *retry_after),
        Error::Unreachable { .. } => ("unreachable", None),
        Error::Truncated => ("truncated", None),
        _ => return None,
    };
    let wait = asked.unwrap_or_else(|| jittered(FIRST_WAIT * 2_u32.pow(n_retries)));
    (n_retries < MAX_RETRIES && wait <= MAX_WAIT).then_some((reason, wait))
}

/// So that those who failed together do not come back together.
fn jittered(wait: Duration) -> Duration {
    wait.mul_f64(0.75 + 0.5 * fastrand::f64())
}

/// The answer up to its first word, or as much of it as came until then.
async fn said(answer: Result<Answer, Error>, until: Instant) -> Result<Begun, Error> {
    let Answer { headers, mut events } = answer?;
    let (lead, silent) = lead(&mut events, until).await?;
    let events = stream::iter(lead.into_iter().map(Ok)).chain(events).boxed();
    Ok(Begun { headers, events, silent })
}

/// The events up to the first that says something, or as many as came until then; also whether
/// nothing was said.
async fn lead(events: &mut Events, until: Instant) -> Result<(Vec<Event>, bool), Error> {
    let mut lead = Lead::default();
    loop {
        let Ok(next) = timeout_at(until, events.next()).await else {
            return Ok((lead.into_events(), true));
        };
        let event = next.ok_or(Error::Truncated)??;
        if event.kind == Kind::Failed {
            return Err(failed(&event));
        }
        if !event.kind.is_prelude() {
            return Ok((lead.and(event), false));
        }
        lead.hold(event)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::Failure;

    fn overloaded(retry_after: Option<Duration>) -> Error {
        Error::Overloaded { message: String::new(), code: None, retry_after }
    }

    #[test]
    fn an_overload_is_waited_out_for_longer_each_time_and_not_for_ever() {
        let mut turn = Turn::default();
        let mut wait = |n_retries| again(&overloaded(None), &mut turn, n_retries);
        for (n_retries, least, most) in [(0, 150, 250), (1, 300, 500), (2, 600, 1000)] {
            let (reason, wait) = wait(n_retries).unwrap();
            assert_eq!(reason, "overloaded");
            assert!((least..=most).contains(&wait.as_millis()), "{wait:?}");
        }
        assert_eq!(wait(MAX_RETRIES), None);
    }

    #[test]
    fn the_upstream_says_how_long_unless_that_is_for_the_client_to_decide() {
        let mut turn = Turn::default();
        let mut wait = |seconds| {
            let error = overloaded(Some(Duration::from_secs(seconds)));
            again(&error, &mut turn, 0).map(|(_, wait)| wait.as_secs())
        };
        assert_eq!((wait(0), wait(5), wait(6)), (Some(0), Some(5), None));
    }

    #[test]
    fn a_refusal_is_final() {
        let refusals = [
            Error::Invalid(Failure::default()),
            Error::Invalid(Failure {
                code: Some("invalid_encrypted_content".to_owned()),
                ..Failure::default()
            }),
            Error::Quota { message: String::new(), code: String::new() },
            Error::TimedOut(Duration::from_secs(1)),
            Error::Garbled(String::new()),
            Error::RateLimited {
                message: String::new(),
                retry_after: Some(Duration::ZERO),
                headers: Box::default(),
            },
        ];
        for refusal in refusals {
            assert_eq!(again(&refusal, &mut Turn::default(), 0), None, "{refusal:?}");
        }
    }
}
