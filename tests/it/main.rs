//! The one integration binary. Real sockets on port 0, and no fixed sleeps: wait for the thing.
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_macros,
    clippy::disallowed_methods,
    reason = "a test may panic, and waits for what it starts"
)]

/// Who is let in: hosts, origins, local keys.
mod access;
/// The floors of `src/`, and that nobody looks up.
mod architecture;
/// The login: refresh, refusal, files of every shape, as seen by a client of the API.
mod auth;
/// How far prompts and tools may be changed, and what a model's name may say.
mod capabilities;
/// Many turns at once while everything goes wrong.
mod chaos;
/// Chat Completions over HTTP: requests, whole answers, chunks.
mod chat_completions;
/// The binary: output, exit codes, signals.
mod cli;
/// The tables of `docs/compatibility.md`, row by row.
mod compatibility;
/// Pointing clients here, and taking it back.
mod connect;
/// What the doctor finds, for each thing that can be wrong.
mod doctor;
/// The documentation: each message has its remedy, each command runs.
#[cfg(unix)]
mod documents;
/// What is refused, and how: by us and by the upstream.
mod errors;
/// What existing setups rely on, with a test for each.
mod founding;
/// Golden files: requests as they go upstream, streams as they come to clients.
mod golden;
/// What must hold of any bytes; the fuzz targets run it too.
#[path = "../harness/mod.rs"]
mod harness;
/// Logging in, logging out and looking at the accounts, with the binary.
mod login;
/// The list of models, and which model serves a request.
mod models;
/// Where nobody reads what is printed, or nothing can be written.
#[cfg(unix)]
mod output;
/// What is handed out beside the program: the image, its examples, the dashboard.
mod packaging;
/// The page for people: who may have it, what it tells, and what it never does.
mod page;
/// What becomes of each field: done here, dropped, rejected, forwarded.
mod policies;
/// What holds of any input.
mod properties;
/// Many processes on one login, and what becomes of it when they are killed.
#[cfg(unix)]
mod races;
/// What has gone wrong elsewhere, in the order of the list it comes from.
mod regressions;
/// Every fault, in every dialect: the table of `docs/reliability.md`.
mod reliability;
/// Responses over HTTP: pass-through, the client's view, the terminal output.
mod responses;
/// What is sent again on behalf of a client, and what is counted.
mod retries;
/// What no client, no page, no upstream and no neighbour on the machine can do to it.
mod safety;
/// Running in the background, by a systemd that is a script.
#[cfg(target_os = "linux")]
mod service;
/// Which conversation a turn belongs to, and what that does for the cache.
mod sessions;
/// Stopping: what runs may end, and what cannot is told.
#[cfg(unix)]
mod stopping;
/// Responses and conversations that are kept: chains, lists, background, cancelling.
mod stored;
/// Bytes and time: cuts, splits, keep-alives, clients that leave.
mod streaming;
/// A running codexway with a simulator behind it.
mod support;
/// What unusual clients and relays send.
mod unusual;
/// Where turns are run besides the ChatGPT backend: the platform, and the official program.
mod upstreams;
/// Turns over WebSockets, to the backend.
mod websocket;
