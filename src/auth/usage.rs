//! What an account's plan has left, as the backend tells it.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use reqwest::StatusCode;
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::http::{Answer, ask};
use super::{Access, Client, Error, TokenManager};

const TIME_OUT: Duration = Duration::from_secs(15);
/// More than the way of an answer and its whole seconds can make of it.
const CLOCK_TOLERANCE: SignedDuration = SignedDuration::from_mins(2);

/// How to reach the backend's account pages, and who we say we are there.
#[derive(Clone)]
pub struct Backend {
    pub client: Client,
    /// `https://chatgpt.com/backend-api`, or a stand-in; with `/codex` at the end it is the same.
    pub base_url: String,
    pub originator: String,
    pub user_agent: String,
}

/// What the plan allows and what of it is used.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Usage {
    pub plan: Option<String>,
    /// Whether every turn is refused until a window ends.
    pub limit_reached: bool,
    /// The shortest first.
    pub windows: Vec<Window>,
    pub credits: Option<Credits>,
    /// How far this computer's clock is behind the server's, where it is wrong.
    #[serde(skip)]
    pub clock_behind: Option<SignedDuration>,
}

/// A span of time with a limit of its own. What it is called by is its length: which of them comes
/// first differs between plans.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Window {
    pub minutes: u64,
    pub used_percent: f64,
    /// Seconds since 1970.
    pub resets_at: Option<i64>,
    /// What it limits, where that is not the whole plan.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<String>,
}

/// What was paid for beyond the plan.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Credits {
    pub unlimited: bool,
    /// As the backend writes it, such as `12.50`.
    pub balance: Option<String>,
}

impl Backend {
    /// Asks how much of the plan is used; a refused token is replaced once.
    ///
    /// # Errors
    /// When there is no token, or the backend does not say.
    pub async fn usage(&self, tokens: &TokenManager) -> Result<Usage, Error> {
        let access = tokens.access().await?;
        let mut answer = self.ask(&access).await?;
        if answer.status == StatusCode::UNAUTHORIZED {
            let access = tokens.instead_of(&access).await?;
            answer = self.ask(&access).await?;
        }
        match answer.status {
            status if status.is_success() => {}
            _ if answer.code().as_deref() == Some("usage_not_included") => {
                return Err(Error::NoCodex { log_in: tokens.log_in() });
            }
            StatusCode::UNAUTHORIZED => return Err(tokens.refused()),
            StatusCode::FORBIDDEN => {
                let url = self.base_url.clone();
                return Err(Error::Forbidden { url, log_in: tokens.log_in() });
            }
            _ => return Err(answer.unexpected(&self.base_url)),
        }
        let told: Told = answer.read(&self.base_url)?;
        let clock_behind = answer.clock_ahead.filter(|off| off.abs() > CLOCK_TOLERANCE);
        Ok(told.usage(clock_behind))
    }

    async fn ask(&self, access: &Access) -> Result<Answer, Error> {
        let base = self.base_url.trim_end_matches('/').trim_end_matches("/codex");
        let mut request = self
            .client
            .get()?
            .get(format!("{base}/wham/usage"))
            .bearer_auth(access.token.expose_secret())
            .header("chatgpt-account-id", &access.account_id)
            .header("originator", &self.originator)
            .header("user-agent", &self.user_agent);
        if access.fedramp {
            request = request.header("x-openai-fedramp", "true");
        }
        ask(request, &self.base_url, TIME_OUT).await
    }
}

impl Window {
    /// Its length as people say it: `5 h`, `7 d`.
    #[must_use]
    pub fn name(&self) -> String {
        let length = match self.minutes {
            minutes if minutes > 0 && minutes % (24 * 60) == 0 => {
                format!("{} d", minutes / 24 / 60)
            }
            minutes if minutes > 0 && minutes % 60 == 0 => format!("{} h", minutes / 60),
            minutes => format!("{minutes} min"),
        };
        match &self.limit {
            Some(limit) => format!("{length} {limit}"),
            None => length,
        }
    }
}

#[derive(Deserialize)]
struct Told {
    plan_type: Option<String>,
    rate_limit: Option<Limit>,
    additional_rate_limits: Option<Vec<Additional>>,
    credits: Option<ToldCredits>,
}

#[derive(Deserialize)]
struct Additional {
    limit_name: Option<String>,
    rate_limit: Option<Limit>,
}

#[derive(Deserialize)]
struct Limit {
    #[serde(default)]
    limit_reached: bool,
    primary_window: Option<ToldWindow>,
    secondary_window: Option<ToldWindow>,
}

#[derive(Deserialize)]
struct ToldWindow {
    used_percent: f64,
    limit_window_seconds: u64,
    reset_at: Option<i64>,
    reset_after_seconds: Option<i64>,
}

#[derive(Deserialize)]
struct ToldCredits {
    #[serde(default)]
    has_credits: bool,
    #[serde(default)]
    unlimited: bool,
    /// Text, or a number.
    #[serde(default)]
    balance: Value,
}

impl Told {
    fn usage(self, clock_behind: Option<SignedDuration>) -> Usage {
        let limit_reached = self.rate_limit.as_ref().is_some_and(|limit| limit.limit_reached);
        let mut windows = Vec::new();
        if let Some(limit) = self.rate_limit {
            windows.extend(limit.windows(None));
        }
        for additional in self.additional_rate_limits.into_iter().flatten() {
            if let Some(limit) = additional.rate_limit {
                windows.extend(limit.windows(additional.limit_name));
            }
        }
        windows.sort_by(|a, b| (&a.limit, a.minutes).cmp(&(&b.limit, b.minutes)));
        let credits = self.credits.filter(|credits| credits.has_credits || credits.unlimited);
        let credits = credits.map(|credits| Credits {
            unlimited: credits.unlimited,
            balance: match credits.balance {
                Value::String(text) => Some(text),
                Value::Number(number) => Some(number.to_string()),
                _ => None,
            },
        });
        Usage { plan: self.plan_type, limit_reached, windows, credits, clock_behind }
    }
}

impl Limit {
    fn windows(self, limit: Option<String>) -> impl Iterator<Item = Window> {
        let told = [self.primary_window, self.secondary_window].into_iter().flatten();
        told.map(move |window| Window {
            minutes: (window.limit_window_seconds + 30) / 60,
            used_percent: window.used_percent,
            resets_at: window.reset_at.or_else(|| {
                window.reset_after_seconds.map(|after| Timestamp::now().as_second() + after)
            }),
            limit: limit.clone(),
        })
    }
}
