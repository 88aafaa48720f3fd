//! What is told about the work: never what was said in it.

mod activity;
mod brief;
mod logs;
pub mod metrics;
mod turn_log;

pub use activity::{Activity, Failed, Lately, Minute, Running, Who};
pub use logs::init;
pub use turn_log::TurnLog;
