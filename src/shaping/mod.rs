//! What a profile may change in a request, and where a turn is cut short.

mod asked;
mod calls;
mod conversation;
mod cut;
mod model;
mod names;
mod parameters;
mod prompt;
mod schema;
mod toolbox;

pub use asked::Asked;
pub use calls::{Calls, calls};
pub use conversation::conversation;
pub use cut::{Limits, cut};
pub use model::{EFFORTS, UnknownModel, Why, fit, name, resolve};
pub use names::{Names, call_id};
pub use parameters::{Can, Fate, Ignored, Rejected};
pub use prompt::{BASE_PROMPT, Environment, prompt};
pub use schema::repair;
pub use toolbox::tools;
