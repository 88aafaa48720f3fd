//! What is kept between turns.

mod sealed;

pub use sealed::{Sealed, Witness};
