//! How the accounts stand, as far as that can be had without spending anything.
//!
//! Asked while somebody looks at the page, and then not more often than it takes.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_util::future::join_all;
use tokio::time::{Instant, timeout};

use crate::{
    api::{App, Error, app::Account},
    auth::Usage,
    upstream,
};

/// How long what a plan has left is taken as it was told.
const FRESH: Duration = Duration::from_secs(60);
/// The same when turns have ended since.
const SPENT: Duration = Duration::from_secs(15);
/// How long who asks once waits for the answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// The names of an upstream and an account of it.
pub(super) type Name = (String, String);

#[derive(Default)]
pub(super) struct Accounts {
    known: Mutex<BTreeMap<Name, Known>>,
    /// Held while asking, so that however many look, one asks.
    asking: tokio::sync::Mutex<()>,
}

/// What was found when an account was last looked at.
#[derive(Clone)]
pub(super) struct Known {
    /// For programs, as `codexway status --json` has it.
    pub(super) state: &'static str,
    /// What is wrong, and what to do.
    pub(super) problem: Option<String>,
    /// What its plan has left, if a plan pays.
    pub(super) usage: Option<Usage>,
    at: Instant,
    /// How many turns had ended by then.
    turns: u64,
    /// Whether the backend itself has said so.
    asked: bool,
}

impl Accounts {
    pub(super) fn known(&self, name: &Name) -> Option<Known> {
        self.lock().get(name).cloned()
    }

    /// Looks, for somebody who comes once and waits.
    pub(super) async fn looked_at(&self, app: &App) {
        let looked = async {
            let asking = self.asking.lock().await;
            self.look_now(app).await;
            drop(asking);
        };
        // What there is by then is shown.
        let _ = timeout(PATIENCE, looked).await;
    }

    /// Looks, unless somebody else does.
    pub(super) async fn look(&self, app: &App) {
        if let Ok(_asking) = self.asking.try_lock() {
            self.look_now(app).await;
        }
    }

    async fn look_now(&self, app: &App) {
        let now = app.now();
        self.lock().retain(|name, _| now.accounts.contains_key(name));
        let turns = app.activity().ended();
        join_all(now.accounts.iter().map(|(name, account)| async move {
            let before = self.known(name);
            if let Some(found) = look_at(account, before.as_ref(), turns).await {
                self.lock().insert(name.clone(), found);
            }
        }))
        .await;
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Name, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How an account stands; `None` where that is known.
async fn look_at(account: &Arc<Account>, before: Option<&Known>, turns: u64) -> Option<Known> {
    let upstream = &account.upstream;
    if let Err(error) = upstream.ready().await {
        return Some(Known::failed(error, turns, false));
    }
    if before.is_some_and(|before| before.holds(turns)) {
        return None;
    }
    let (usage, _) = tokio::join!(upstream.usage(), account.models.known(upstream));
    let usage = match usage {
        Ok(usage) => usage,
        Err(error) => return Some(Known::failed(error, turns, true)),
    };
    let used_up = usage.as_ref().is_some_and(|usage| usage.limit_reached);
    let clock = usage.as_ref().and_then(|usage| usage.clock_behind);
    let clock = clock.map(|_| "this computer's clock is wrong; set it".to_owned());
    Some(Known {
        state: if used_up { "used_up" } else { "ready" },
        problem: upstream.warning().await.or(clock),
        usage,
        at: Instant::now(),
        turns,
        asked: true,
    })
}

impl Known {
    fn failed(error: upstream::Error, turns: u64, asked: bool) -> Self {
        let state = match &error {
            upstream::Error::Login(error) => error.state(),
            upstream::Error::Key { .. } => "login_needed",
            upstream::Error::Refused { .. } => "refused",
            upstream::Error::Forbidden { .. } => "forbidden",
            upstream::Error::Unreachable { .. } | upstream::Error::TimedOut(_) => "unreachable",
            upstream::Error::UsageLimit { .. } | upstream::Error::Quota { .. } => "used_up",
            _ => "unavailable",
        };
        let problem = Some(Error::from(error).message);
        Self { state, problem, usage: None, at: Instant::now(), turns, asked }
    }

    /// Whether it may be taken as it is.
    fn holds(&self, turns: u64) -> bool {
        let age = self.at.elapsed();
        self.asked && age < FRESH && (self.turns == turns || age < SPENT)
    }
}
