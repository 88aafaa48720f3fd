//! Your own ChatGPT plan, or API key, as an OpenAI-compatible endpoint on localhost.
//!
//! A turn comes in through [`api`] in the client's dialect, becomes a [`protocol::Request`], is run
//! by an [`upstream`], and flows back as [`protocol::Event`]s that the dialect writes out again.
//! The modules stand below in reading order, from the wire up; each uses only those above it, and
//! `tests/it/architecture.rs` holds them to that.
//! The library half of the package exists for tests, benches and fuzzing; it promises nothing to
//! others.

pub mod silence;
pub mod sse;

pub mod protocol;

pub mod config;
pub mod tokens;

pub mod telemetry;

pub mod auth;

pub mod simulator;
pub mod upstream;

pub mod models;
pub mod state;

pub mod shaping;

pub mod api;

pub mod server;

pub mod cli;
