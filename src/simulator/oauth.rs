//! The login server: `/oauth/authorize`, `/oauth/token` and `/oauth/revoke`.

use std::collections::HashMap;
use std::sync::Mutex;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::json;
use sha2::{Digest, Sha256};

use super::accounts::{Account, CLIENT_ID, Tokens};
use super::reply::Reply;
use super::script::TokenFate;
use super::server::{Asked, Cut, State, field};
use super::{lock, random_text};

const SCOPES: [&str; 4] = ["openid", "profile", "email", "offline_access"];
const TOKEN_EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const ID_TOKEN: &str = "urn:ietf:params:oauth:token-type:id_token";

/// Authorization codes that wait to be exchanged, each good for once.
#[derive(Default)]
pub(super) struct Codes {
    waiting: Mutex<HashMap<String, Code>>,
}

struct Code {
    account: Account,
    challenge: String,
    redirect_uri: String,
}

impl Codes {
    pub(super) fn issue(&self, account: Account, challenge: &str, redirect_uri: &str) -> String {
        let code = format!("ac_{}", random_text(43));
        let waiting = Code {
            account,
            challenge: challenge.to_owned(),
            redirect_uri: redirect_uri.to_owned(),
        };
        lock(&self.waiting).insert(code.clone(), waiting);
        code
    }
}

/// Who sits in front of the login page.
pub(super) struct Person {
    pub email: String,
    /// Why no login comes of it, in the server's words.
    pub refused: Option<String>,
}

/// Answers at once: what a person would click is not what clients are tested for.
pub(super) fn authorize(state: &State, asked: &Asked) -> Reply {
    let query = asked.query();
    let wrong = |text: &str| invalid("invalid_request", text);
    let redirect_uri = field(&query, "redirect_uri");
    if field(&query, "client_id") != CLIENT_ID {
        return wrong("unknown client_id");
    }
    if !registered(redirect_uri) {
        return wrong("redirect_uri is not registered");
    }
    if field(&query, "response_type") != "code" {
        return wrong("response_type must be code");
    }
    if field(&query, "code_challenge_method") != "S256"
        || field(&query, "code_challenge").is_empty()
    {
        return wrong("code_challenge with method S256 is required");
    }
    if field(&query, "state").is_empty() {
        return wrong("state is required");
    }
    let scopes: Vec<_> = field(&query, "scope").split(' ').collect();
    if !SCOPES.iter().all(|scope| scopes.contains(scope)) {
        return invalid("invalid_scope", "openid profile email offline_access are required");
    }
    let person = lock(&state.person);
    let answer = match &person.refused {
        Some(why) => format!("error=access_denied&error_description={}", escape(why)),
        None => {
            let account = state.accounts.of(&person.email);
            let code = state.codes.issue(account, field(&query, "code_challenge"), redirect_uri);
            format!("code={code}")
        }
    };
    let target = format!("{redirect_uri}?{answer}&state={}", escape(field(&query, "state")));
    Reply::new(302, "").header("location", &target)
}

/// Only these two ports and this path are on the client's list.
fn registered(redirect_uri: &str) -> bool {
    ["127.0.0.1", "localhost"].iter().any(|host| {
        ["1455", "1457"]
            .iter()
            .any(|port| redirect_uri == format!("http://{host}:{port}/auth/callback"))
    })
}

pub(super) async fn token(state: &State, asked: &Asked) -> Result<Reply, Cut> {
    let script = lock(&state.token_scripts).pop_front().unwrap_or_default();
    let answer = match script.fate {
        TokenFate::Cut => return Err(Cut),
        TokenFate::Reply(reply) => *reply,
        TokenFate::Answer => granted(state, asked),
        TokenFate::SpendAndCut => {
            granted(state, asked);
            return Err(Cut);
        }
    };
    // After the old token is spent: this is the moment in which clients lose the new one.
    tokio::time::sleep(script.delay).await;
    Ok(answer)
}

fn granted(state: &State, asked: &Asked) -> Reply {
    match asked.header("content-type").starts_with("application/json") {
        true => refreshed(state, asked),
        false => {
            let form = asked.form();
            match field(&form, "grant_type") {
                "authorization_code" => exchanged(state, &form),
                TOKEN_EXCHANGE => api_key(state, &form),
                _ => invalid("unsupported_grant_type", "unsupported grant_type"),
            }
        }
    }
}

fn refreshed(state: &State, asked: &Asked) -> Reply {
    let body = &asked.json;
    if body["grant_type"] != "refresh_token" || body["client_id"] != CLIENT_ID {
        return invalid("invalid_request", "a refresh_token grant of a known client is required");
    }
    let token = body["refresh_token"].as_str().unwrap_or_default();
    match state.accounts.refresh(token, state.options.access_token_life) {
        Ok(tokens) => handed_out(state, &tokens),
        Err(refusal) => refusal,
    }
}

fn exchanged(state: &State, form: &[(String, String)]) -> Reply {
    let Some(code) = lock(&state.codes.waiting).remove(field(form, "code")) else {
        return invalid("invalid_grant", "the code is unknown or used");
    };
    let verifier = Sha256::digest(field(form, "code_verifier"));
    if BASE64_URL_SAFE_NO_PAD.encode(verifier) != code.challenge {
        return invalid("invalid_grant", "code_verifier does not match the challenge");
    }
    if field(form, "client_id") != CLIENT_ID || !same_place(form, &code.redirect_uri) {
        return invalid("invalid_grant", "client_id or redirect_uri differs from the request");
    }
    handed_out(state, &state.accounts.log_in(&code.account, state.options.access_token_life))
}

/// Device logins know the redirect only by its path, since its host is this server.
fn same_place(form: &[(String, String)], redirect_uri: &str) -> bool {
    let sent = field(form, "redirect_uri");
    sent == redirect_uri || (redirect_uri.starts_with('/') && sent.ends_with(redirect_uri))
}

fn api_key(state: &State, form: &[(String, String)]) -> Reply {
    let known = state.accounts.identity(field(form, "subject_token")).is_some();
    if !known
        || field(form, "requested_token") != "openai-api-key"
        || field(form, "subject_token_type") != ID_TOKEN
    {
        return invalid("invalid_request", "an id token of this server is required");
    }
    Reply::json(
        200,
        &json!({
            "access_token": format!("sk-proj-{}", random_text(48)),
            "issued_token_type": "urn:ietf:params:oauth:token-type:access_token",
            "token_type": "N_A",
        }),
    )
}

fn handed_out(state: &State, tokens: &Tokens) -> Reply {
    Reply::json(
        200,
        &json!({
            "id_token": tokens.id,
            "access_token": tokens.access,
            "refresh_token": tokens.refresh,
            "expires_in": state.options.access_token_life.as_secs(),
            "token_type": "Bearer",
            "scope": SCOPES.join(" "),
        }),
    )
}

pub(super) fn revoke(state: &State, asked: &Asked) -> Reply {
    match asked.json["token"].as_str() {
        None => invalid("invalid_request", "token is required"),
        Some(token) => {
            state.accounts.revoke(token);
            Reply::json(200, &json!({}))
        }
    }
}

fn invalid(error: &str, text: &str) -> Reply {
    Reply::json(400, &json!({ "error": error, "error_description": text }))
}

fn escape(text: &str) -> String {
    text.bytes().fold(String::new(), |out, byte| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
            out + char::from(byte).encode_utf8(&mut [0; 4])
        }
        _ => format!("{out}%{byte:02X}"),
    })
}
