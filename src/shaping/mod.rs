//! What a profile may change in a request, without waiting for anything.

mod conversation;
mod cut;
mod model;
mod names;
mod parameters;
mod schema;

pub use conversation::conversation;
pub use cut::{Limits, cut};
pub use model::{EFFORTS, UnknownModel, fit, resolve};
pub use names::{Names, call_id};
pub use parameters::{Ignored, Rejected};
pub use schema::repair;
