//! Tokens that read like the real ones. Nobody but their issuer checks the signature, and the issuer
//! looks them up instead.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use uuid::Uuid;

use super::accounts::{Account, CLIENT_ID};
use super::now;

pub(super) fn identity(issuer: &str, account: &Account, expires: u64) -> String {
    encoded(&json!({
        "iss": issuer,
        "aud": [CLIENT_ID],
        "sub": account.user,
        "email": account.email,
        "email_verified": true,
        "iat": now(),
        "exp": expires,
        "jti": Uuid::new_v4().to_string(),
        "https://api.openai.com/auth": claims(account),
    }))
}

pub(super) fn access(issuer: &str, account: &Account, expires: u64) -> String {
    encoded(&json!({
        "iss": issuer,
        "aud": ["https://api.openai.com/v1"],
        "client_id": CLIENT_ID,
        "sub": account.user,
        "iat": now(),
        "nbf": now(),
        "exp": expires,
        "jti": Uuid::new_v4().to_string(),
        "scp": ["openid", "profile", "email", "offline_access"],
        "https://api.openai.com/auth": claims(account),
        "https://api.openai.com/profile": { "email": account.email, "email_verified": true },
    }))
}

fn claims(account: &Account) -> Value {
    json!({
        "chatgpt_account_id": account.id,
        "chatgpt_account_user_id": format!("{}__{}", account.user, account.id),
        "chatgpt_account_is_fedramp": false,
        "chatgpt_plan_type": account.plan,
        "chatgpt_user_id": account.user,
        "user_id": account.user,
        "completed_platform_onboarding": true,
        "is_org_owner": true,
    })
}

fn encoded(claims: &Value) -> String {
    let encode = |part: String| BASE64_URL_SAFE_NO_PAD.encode(part);
    let header = json!({ "alg": "RS256", "kid": "simulator", "typ": "JWT" });
    [encode(header.to_string()), encode(claims.to_string()), encode("unsigned".to_owned())]
        .join(".")
}
