//! What is told about the work: never what was said in it.

mod logs;
pub mod metrics;
mod turn_log;

pub use logs::init;
pub use turn_log::TurnLog;
