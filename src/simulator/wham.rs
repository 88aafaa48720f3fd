//! What the backend tells about an account: `/wham/…` and the token's owner.

use serde_json::{Value, json};

use super::reply::Reply;
use super::script::TokenFate;
use super::server::{Asked, Cut, State};
use super::{lock, now};

pub(super) async fn usage(state: &State, asked: &Asked) -> Result<Reply, Cut> {
    let script = lock(&state.usage_scripts).pop_front().unwrap_or_default();
    let answer = match script.fate {
        TokenFate::Cut | TokenFate::SpendAndCut => return Err(Cut),
        TokenFate::Reply(reply) => *reply,
        TokenFate::Answer => used(state, asked),
    };
    tokio::time::sleep(script.delay).await;
    let clock = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(state.options.clock_ahead);
    let date = jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&clock);
    Ok(match date {
        Ok(date) => answer.header("date", &date),
        Err(_) => answer,
    })
}

fn used(state: &State, asked: &Asked) -> Reply {
    let account = match state.accounts.check(asked) {
        Ok(account) => account,
        Err(refusal) => return refusal,
    };
    let reached = lock(&state.used_up).is_some();
    let [primary, secondary] = windows(state).map(|window| {
        json!({
            "used_percent": window.used_percent,
            "limit_window_seconds": window.minutes * 60,
            "reset_after_seconds": window.resets_in,
            "reset_at": now() + window.resets_in,
        })
    });
    Reply::json(
        200,
        &json!({
            "user_id": account.user,
            "account_id": account.id,
            "email": account.email,
            "plan_type": account.plan,
            "rate_limit": {
                "allowed": !reached,
                "limit_reached": reached,
                "primary_window": primary,
                "secondary_window": secondary,
            },
            "code_review_rate_limit": null,
            "additional_rate_limits": null,
            "credits": {
                "has_credits": state.options.credits.is_some(),
                "unlimited": false,
                "overage_limit_reached": false,
                "balance": state.options.credits.as_deref().unwrap_or("0"),
                "approx_local_messages": [0, 0],
                "approx_cloud_messages": [0, 0],
            },
            "spend_control": { "reached": false, "individual_limit": null },
            "rate_limit_reached_type": null,
            "promo": null,
            "rate_limit_reset_credits": { "available_count": 0, "applicable_available_count": 0 },
        }),
    )
}

pub(super) fn accounts(state: &State, asked: &Asked) -> Reply {
    match state.accounts.bearer(asked) {
        Err(refusal) => refusal,
        Ok(account) => Reply::json(
            200,
            &json!({
                "accounts": [{
                    "id": account.id,
                    "name": null,
                    "plan_type": account.plan,
                    "is_deactivated": false,
                    "is_fedramp_compliant_workspace": false,
                    "workspace_backend_origin": "NO_CONSTRAINT",
                    "account_routing_override": "NO_CONSTRAINT",
                }],
                "default_account_id": account.id,
            }),
        ),
    }
}

/// Whose personal access token this is.
pub(super) fn whoami(state: &State, asked: &Asked) -> Reply {
    match state.accounts.bearer(asked) {
        Err(refusal) => refusal,
        Ok(account) => Reply::json(
            200,
            &json!({
                "email": account.email,
                "chatgpt_user_id": account.user,
                "chatgpt_account_id": account.id,
                "chatgpt_plan_type": account.plan,
                "chatgpt_account_is_fedramp": false,
            }),
        ),
    }
}

struct Window {
    minutes: u64,
    used_percent: u64,
    resets_in: u64,
}

fn windows(state: &State) -> [Window; 2] {
    let used_up = *lock(&state.used_up);
    let windows = state.options.windows;
    windows.map(|(minutes, used_percent)| match used_up {
        Some(resets_in) if minutes == windows[0].0 => {
            Window { minutes, used_percent: 100, resets_in }
        }
        _ => Window { minutes, used_percent, resets_in: minutes * 30 },
    })
}

/// The limits as response headers, on turns that run and on those the plan refuses.
pub(super) fn limit_headers(state: &State) -> Vec<(&'static str, String)> {
    let [primary, secondary] = windows(state);
    let reset_at = |window: &Window| (now() + window.resets_in).to_string();
    vec![
        ("x-codex-plan-type", state.options.plan.clone()),
        ("x-codex-active-limit", "premium".to_owned()),
        ("x-codex-primary-used-percent", primary.used_percent.to_string()),
        ("x-codex-primary-window-minutes", primary.minutes.to_string()),
        ("x-codex-primary-reset-at", reset_at(&primary)),
        ("x-codex-primary-reset-after-seconds", primary.resets_in.to_string()),
        ("x-codex-secondary-used-percent", secondary.used_percent.to_string()),
        ("x-codex-secondary-window-minutes", secondary.minutes.to_string()),
        ("x-codex-secondary-reset-at", reset_at(&secondary)),
        ("x-codex-secondary-reset-after-seconds", secondary.resets_in.to_string()),
        // Python prints its booleans with a capital.
        ("x-codex-credits-has-credits", "False".to_owned()),
        ("x-codex-credits-unlimited", "False".to_owned()),
        ("x-codex-credits-balance", "0".to_owned()),
    ]
}

/// The limits as an event of the stream.
pub(super) fn limit_event(state: &State) -> Value {
    let reached = lock(&state.used_up).is_some();
    let [primary, secondary] = windows(state).map(|window| {
        json!({
            "used_percent": window.used_percent,
            "window_minutes": window.minutes,
            "reset_at": now() + window.resets_in,
        })
    });
    json!({
        "type": "codex.rate_limits",
        "plan_type": state.options.plan,
        "rate_limits": {
            "allowed": !reached,
            "limit_reached": reached,
            "primary": primary,
            "secondary": secondary,
        },
        "credits": { "has_credits": false, "unlimited": false, "balance": "0" },
        "additional_rate_limits": {},
        "code_review_rate_limits": {},
    })
}
