//! What a person can do about a turn that failed.

/// By the code of its error, else by its status; `None` where the message has said all there is.
pub(super) fn hint(status: u16, code: Option<&str>) -> Option<&'static str> {
    let by_code = match code.unwrap_or_default() {
        "usage_limit_reached" => {
            "wait for the reset shown above; meanwhile a profile with another account or an API key can serve"
        }
        "usage_not_included" => {
            "the plan of this account has no Codex: use another account or plan"
        }
        "insufficient_quota" => "top up the account, or use a profile with another one",
        "upstream_auth_failed" => "log in again with `codexway login`, and see `codexway status`",
        "upstream_auth_unavailable" | "upstream_auth_unreachable" => {
            "the login server did not answer; `codexway doctor` says what stands in between"
        }
        "upstream_blocked" => "try another network, or without a VPN or proxy",
        "too_many_turns" => "let clients run fewer at once, or raise `max_turns` under `[server]`",
        "rate_limit_exceeded" => "send less at once; the client may try again after a moment",
        "model_not_found" => "`codexway models` lists what can be asked for",
        "context_length_exceeded" => {
            "the conversation is too long for the model: begin a new one, or let the client compact it"
        }
        "internal_error" => "a fault of codexway: the log says more, and a report of it is welcome",
        "upstream_stream_truncated" | "upstream_error" => {
            "the connection to the upstream failed; try again, and see `codexway doctor`"
        }
        "timeout" => {
            "the upstream fell silent; try again, or raise `idle_timeout` under `[server]`"
        }
        "upstream_program_failed" => "see that `codex exec` works on its own",
        "profile_not_found" => "`codexway config show` lists the profiles",
        _ => "",
    };
    let by_status = match status {
        _ if !by_code.is_empty() => by_code,
        413 => "send less at once, or raise `max_body` under `[server]`",
        401 | 403 => "see `codexway status` for how the account stands",
        400..=499 => "the client's request is at fault; the message says what in it",
        503 => "the upstream is busy: codexway has tried again already; wait a minute",
        500..=599 => "try again; if it stays, `codexway doctor` looks for the cause",
        _ => return None,
    };
    Some(by_status)
}
