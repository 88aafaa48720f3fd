//! A strict stand-in for the ChatGPT Codex backend, its token endpoint and its login pages, and for
//! the OpenAI platform, over real HTTP on a loopback port.
//!
//! It refuses what they refuse, with the same bodies, and shares no code with what it
//! checks. `codexway demo` runs on it, and so do the tests and the benches.

mod accounts;
mod answer;
mod cache;
mod catalog;
mod device;
mod engine;
mod gate;
mod jwt;
mod oauth;
mod options;
mod platform;
mod record;
mod reply;
mod script;
mod seal;
mod server;
mod stream;
mod turn;
mod websocket;
mod wham;
mod wire;

#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

pub use options::Options;
pub use record::{Recorded, Transport};
pub use script::{Script, TokenScript};

/// A running simulator.
///
/// Cheap to clone. The server stops, and drops every connection, when the last handle goes or on
/// [`Simulator::stop`].
#[derive(Clone)]
pub struct Simulator {
    state: Arc<server::State>,
    tasks: Arc<Mutex<JoinSet<()>>>,
}

impl Simulator {
    /// Starts on `options.port` of the loopback interface; port 0 lets the system choose.
    pub async fn start(options: Options) -> std::io::Result<Self> {
        let (state, tasks) = server::start(options).await?;
        Ok(Self { state, tasks: Arc::new(Mutex::new(tasks)) })
    }

    /// Ends the server and every connection to it; all handles stay valid and keep the record.
    pub fn stop(&self) {
        lock(&self.tasks).abort_all();
    }

    /// The backend: turns go to `{base_url}/codex/responses`.
    pub fn base_url(&self) -> String {
        format!("{}/backend-api", self.state.origin)
    }

    /// The login server: tokens come from `{auth_url}/oauth/token`.
    pub fn auth_url(&self) -> String {
        self.state.origin.clone()
    }

    /// The OpenAI platform: turns go to `{platform_url}/responses`.
    pub fn platform_url(&self) -> String {
        format!("{}/v1", self.state.origin)
    }

    /// Issues an API key for the platform.
    pub fn api_key(&self) -> String {
        self.state.platform.keys.issue(&self.state.options.email)
    }

    /// The platform no longer knows this API key.
    pub fn revoke_api_key(&self, key: &str) {
        self.state.platform.keys.revoke(key);
    }

    /// A fresh `auth.json` of the simulator's own user: a new token family each time.
    pub fn auth_json(&self) -> String {
        self.auth_json_expiring(self.state.options.access_token_life)
    }

    /// The same with an access token that lives for `life`; zero has expired already.
    pub fn auth_json_expiring(&self, life: Duration) -> String {
        self.state.accounts.auth_json(&self.state.options.email, life)
    }

    /// The `auth.json` of another person, with an account id of their own.
    pub fn auth_json_of(&self, email: &str) -> String {
        self.state.accounts.auth_json(email, self.state.options.access_token_life)
    }

    /// Mints a personal access token (`at-…`) for the simulator's own user.
    pub fn personal_access_token(&self) -> String {
        self.state.accounts.personal_access_token(&self.state.options.email)
    }

    /// Plays `script` for the next turn that nothing else is queued for.
    ///
    /// A turn that the checks refuse leaves the queue alone, so a script survives a 401.
    pub fn script(&self, script: Script) {
        self.state.scripts.push(script);
    }

    /// Plays `script` for every turn that finds the queue empty; `None` brings the built-in answers
    /// back.
    pub fn script_always(&self, script: Option<Script>) {
        self.state.scripts.always(script);
    }

    /// What happens to the next request for a WebSocket: one script a request. Of a script counts
    /// what is said instead of a stream, a cut before the headers, a pause before them, and a stall,
    /// which leaves the request without an answer.
    pub fn script_upgrade(&self, script: Script) {
        self.state.upgrades.push(script);
    }

    /// The same for every request for a WebSocket that finds no script of its own; `None` lets
    /// them all in again.
    pub fn script_upgrades_always(&self, script: Option<Script>) {
        self.state.upgrades.always(script);
    }

    /// Every WebSocket that is open has lived for as long as it may.
    pub fn age_websockets(&self) {
        *lock(&self.state.aged) = Some(Instant::now());
    }

    /// What happens to the next request to the token endpoint: one script a request.
    pub fn token_script(&self, script: TokenScript) {
        lock(&self.state.token_scripts).push_back(script);
    }

    /// What happens to the next question how much of the plan is used: one script a question.
    pub fn usage_script(&self, script: TokenScript) {
        lock(&self.state.usage_scripts).push_back(script);
    }

    /// Who sits in front of the login page from now on, instead of the simulator's own user.
    pub fn sign_in_as(&self, email: &str) {
        email.clone_into(&mut lock(&self.state.person).email);
    }

    /// The login page sends every browser back with `access_denied` and this description, until
    /// `None`.
    pub fn refuse_logins(&self, why: Option<&str>) {
        lock(&self.state.person).refused = why.map(str::to_owned);
    }

    /// Everything asked so far, of every endpoint, oldest first; a long demo forgets what came
    /// before the last 256 MiB of bodies.
    pub fn requests(&self) -> Vec<Recorded> {
        self.state.log.all()
    }

    /// The turns among [`Simulator::requests`].
    pub fn turns(&self) -> Vec<Recorded> {
        let mut all = self.requests();
        all.retain(|request| request.is_turn());
        all
    }

    /// Clears the record.
    pub fn forget(&self) {
        self.state.log.clear();
    }

    /// How many refresh tokens have been exchanged for new ones since the start.
    pub fn refreshes(&self) -> usize {
        self.state.accounts.refreshes()
    }

    /// How many times a refresh token came back that had been exchanged before. Each time its
    /// whole family has ended.
    pub fn reuses(&self) -> usize {
        self.state.accounts.reuses()
    }

    /// Every access token issued so far gets 401 `token_invalidated`; refreshing still works.
    pub fn revoke_access_tokens(&self) {
        self.state.accounts.revoke_access_tokens();
    }

    /// Every access token issued so far gets 401 `token_expired`; refreshing still works.
    pub fn expire_access_tokens(&self) {
        self.state.accounts.expire_access_tokens();
    }

    /// Every refresh token issued so far gets 401 `refresh_token_expired`.
    pub fn expire_refresh_tokens(&self) {
        self.state.accounts.expire_refresh_tokens();
    }

    /// Logged out everywhere: access and refresh tokens are invalidated.
    pub fn revoke_all(&self) {
        self.state.accounts.revoke_all();
    }

    /// How many turn responses are being streamed right now.
    pub fn running(&self) -> usize {
        self.state.running.count()
    }

    /// Waits until [`Simulator::running`] is `count`.
    pub async fn until_running(&self, count: usize) {
        self.state.running.until(count).await;
    }

    /// Says yes to a device login, as its user would on `/codex/device`; false for a code that is
    /// not waiting.
    pub fn approve_device(&self, user_code: &str) -> bool {
        self.state.devices.approve(user_code)
    }

    /// Says no to a device login; false for a code that is not waiting.
    pub fn deny_device(&self, user_code: &str) -> bool {
        self.state.devices.deny(user_code)
    }

    /// Every turn gets 429 `usage_limit_reached` until `None`; the number is the seconds until the
    /// window opens again.
    pub fn use_up_plan(&self, resets_in_seconds: Option<u64>) {
        *lock(&self.state.used_up) = resets_in_seconds;
    }
}

impl fmt::Debug for Simulator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Simulator").field("origin", &self.state.origin).finish_non_exhaustive()
    }
}

/// A panic of one test must not poison what the others look at.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A random string of `length` letters and digits.
fn random_text(length: usize) -> String {
    const LETTERS: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    std::iter::repeat_with(|| uuid::Uuid::new_v4().into_bytes())
        .flatten()
        .map(|byte| char::from(LETTERS[usize::from(byte) % LETTERS.len()]))
        .take(length)
        .collect()
}

/// Seconds since 1970.
fn now() -> u64 {
    std::time::UNIX_EPOCH.elapsed().unwrap_or_default().as_secs()
}
