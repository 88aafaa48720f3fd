//! What clients speak.
//!
//! A dialect is one folder with `impl Dialect`, and one line in `dialects` below.

use axum::{
    Router, middleware,
    routing::{get, post},
};

mod access;
mod app;
mod astray;
mod at;
mod background;
mod body;
mod capabilities;
mod chat_completions;
mod dialect;
mod error;
mod fields;
mod head;
mod keep;
mod masked;
mod models;
mod ops;
mod outer;
mod page;
mod policy;
mod prepare;
mod recall;
mod relay;
mod responses;
mod setup;
mod stopping;
mod stored;
mod turn;
mod unknown_model;
mod websocket;

pub use app::App;
use app::Served;
pub use astray::Astray;
pub use chat_completions::Chat;
pub use dialect::{Client, Decoded, Dialect, Reference};
pub use error::Error;
pub use fields::{Fields, object};
pub use page::{Address, Guide, Guiding};
pub use responses::{Compact, Responses};
pub use setup::{SetupError, Surroundings};
pub use stopping::{Stop, Stopping};
pub use websocket::{Connection, Place};

/// The dialects: each is one folder and one line here.
fn dialects() -> Router<App> {
    Router::new()
        .route("/chat/completions", post(turn::serve::<Chat>))
        .route("/responses", post(turn::serve::<Responses>).get(websocket::serve))
        .route("/responses/compact", post(turn::serve::<Compact>))
        .route("/responses/input_tokens", post(responses::input_tokens))
}

/// Everything that is served, without the prefix that clients disagree about.
fn endpoints() -> Router<App> {
    dialects()
        .merge(stored::routes())
        .route("/models", get(models::list))
        .route("/models/{*id}", get(models::one))
        .route("/health", get(ops::health))
        .route("/ready", get(ops::ready))
        .route("/metrics", get(ops::counters))
        .route("/usage", get(ops::usage))
        .method_not_allowed_fallback(ops::wrong_method)
}

/// The whole API, with what is done around every request.
pub fn router(app: App) -> Router {
    Router::new()
        .merge(page::routes())
        .merge(endpoints())
        .nest("/v1", endpoints())
        .nest("/profiles/{profile}", endpoints().nest("/v1", endpoints()))
        .fallback(ops::not_found)
        .layer(middleware::from_fn_with_state(app.clone(), outer::answer))
        .with_state(app)
}
