//! Logging in from another device: a code to type, and a token endpoint to poll meanwhile.

use std::sync::Mutex;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::json;
use sha2::{Digest, Sha256};

use super::accounts::CLIENT_ID;
use super::reply::Reply;
use super::server::{Asked, State, field};
use super::{lock, random_text};

/// The redirect that the code exchange has to name.
const REDIRECT: &str = "/deviceauth/callback";

pub(super) struct Devices {
    waiting: Mutex<Vec<Device>>,
    approved_at_poll: Option<u32>,
}

struct Device {
    id: String,
    user_code: String,
    polls: u32,
    answer: Option<Answer>,
}

#[derive(Clone, Copy)]
enum Answer {
    Yes,
    No,
}

impl Devices {
    pub(super) fn new(approved_at_poll: Option<u32>) -> Self {
        Self { waiting: Mutex::default(), approved_at_poll }
    }

    pub(super) fn approve(&self, user_code: &str) -> bool {
        self.answer(user_code, Answer::Yes)
    }

    pub(super) fn deny(&self, user_code: &str) -> bool {
        self.answer(user_code, Answer::No)
    }

    fn answer(&self, user_code: &str, answer: Answer) -> bool {
        let user_code = user_code.trim().to_uppercase();
        let mut waiting = lock(&self.waiting);
        let device = waiting.iter_mut().find(|device| device.user_code == user_code);
        device.map(|device| device.answer = Some(answer)).is_some()
    }

    /// The answer to a device that asks; one that has had its answer is forgotten.
    fn poll(&self, id: &str, user_code: &str) -> Polled {
        let mut waiting = lock(&self.waiting);
        let at = waiting.iter().position(|device| device.id == id && device.user_code == user_code);
        let Some(at) = at else {
            return Polled::Unknown;
        };
        let device = &mut waiting[at];
        device.polls += 1;
        if self.approved_at_poll.is_some_and(|poll| device.polls >= poll) {
            device.answer = Some(Answer::Yes);
        }
        match device.answer {
            None => Polled::Pending,
            Some(answer) => {
                waiting.remove(at);
                Polled::Answered(answer)
            }
        }
    }
}

enum Polled {
    Unknown,
    Pending,
    Answered(Answer),
}

pub(super) fn usercode(state: &State, asked: &Asked) -> Reply {
    if !state.options.device_logins {
        return Reply::detail(404, "Not Found");
    }
    if asked.json["client_id"] != CLIENT_ID {
        return Reply::json(400, &json!({ "error": "invalid_client" }));
    }
    let letters = random_text(9).to_uppercase();
    let device = Device {
        id: format!("deviceauth_{}", random_text(32)),
        user_code: format!("{}-{}", &letters[..4], &letters[4..]),
        polls: 0,
        answer: None,
    };
    let body = json!({
        "device_auth_id": device.id,
        "user_code": device.user_code,
        // A string: the official client fails on a number.
        "interval": "1",
    });
    lock(&state.devices.waiting).push(device);
    Reply::json(200, &body)
}

pub(super) fn token(state: &State, asked: &Asked) -> Reply {
    let text = |name: &str| asked.json[name].as_str().unwrap_or_default();
    match state.devices.poll(text("device_auth_id"), text("user_code")) {
        Polled::Unknown => Reply::json(404, &json!({ "error": "device_auth_not_found" })),
        Polled::Pending => Reply::json(403, &json!({ "error": "authorization_pending" })),
        Polled::Answered(Answer::No) => Reply::json(400, &json!({ "error": "access_denied" })),
        Polled::Answered(Answer::Yes) => {
            let verifier = random_text(86);
            let challenge = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(&verifier));
            let account = state.accounts.of(&lock(&state.person).email);
            let code = state.codes.issue(account, &challenge, REDIRECT);
            Reply::json(
                200,
                &json!({
                    "authorization_code": code,
                    "code_challenge": challenge,
                    "code_verifier": verifier,
                }),
            )
        }
    }
}

pub(super) fn page(asked: &Asked) -> Reply {
    let code = field(&asked.query(), "user_code")
        .replace(|c: char| !c.is_ascii_alphanumeric() && c != '-', "");
    html(
        200,
        &format!(
            "<form method=post><label>Code <input name=user_code value=\"{code}\"></label> \
             <button>Approve</button></form>"
        ),
    )
}

pub(super) fn submit(state: &State, asked: &Asked) -> Reply {
    match state.devices.approve(field(&asked.form(), "user_code")) {
        true => html(200, "<p>Approved. You can close this page.</p>"),
        false => html(400, "<p>No device waits with this code.</p>"),
    }
}

fn html(status: u16, body: &str) -> Reply {
    let page = format!("<!doctype html><meta charset=utf-8><title>Device login</title>{body}");
    Reply::new(status, page).header("content-type", "text/html; charset=utf-8")
}
