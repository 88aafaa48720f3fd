use std::time::Duration;

/// How a [`super::Simulator`] is set up; the default is the strict profile of late 2026.
#[derive(Clone, Debug)]
pub struct Options {
    /// The port on 127.0.0.1; 0 lets the system choose.
    pub port: u16,
    /// How long an access token lives.
    pub access_token_life: Duration,
    /// A pause between two deltas, so that a person can watch them come.
    pub pace: Option<Duration>,
    /// The ChatGPT plan of every account.
    pub plan: String,
    /// The simulator's own user, whose tokens [`super::Simulator::auth_json`] holds.
    pub email: String,
    /// As until June 2026: a turn without `instructions` is refused.
    pub instructions_required: bool,
    /// gpt-5.6-luna is not found unless `originator` is one of the Codex clients.
    pub originator_gate: bool,
    /// The two windows of the plan, the backend's "primary" one first: their length in minutes, and
    /// how many per cent of each are used.
    pub windows: [(u64, u64); 2],
    /// The balance of credits beyond the plan, if there is any.
    pub credits: Option<String>,
    /// How far the server's clock is ahead of this computer's, in seconds.
    pub clock_ahead: i64,
    /// Whether logins by code are offered.
    pub device_logins: bool,
    /// A device login approves itself at the poll with this number; `None` waits for a person.
    pub device_approved_at_poll: Option<u32>,
    /// How long a WebSocket may live.
    pub websocket_life: Duration,
    /// The organisation of the platform's keys may have reasoning summaries.
    pub organization_verified: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            port: 0,
            access_token_life: Duration::from_hours(10 * 24),
            pace: None,
            plan: "plus".to_owned(),
            email: "ada@example.com".to_owned(),
            instructions_required: false,
            originator_gate: false,
            windows: [(300, 31), (10_080, 12)],
            credits: None,
            clock_ahead: 0,
            device_logins: true,
            device_approved_at_poll: None,
            websocket_life: Duration::from_mins(60),
            organization_verified: true,
        }
    }
}
