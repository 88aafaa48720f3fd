//! Errors, as clients are told them.

mod paths;
mod request;
mod upstream;
