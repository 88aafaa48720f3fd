//! What a command prints, where whoever reads it may have gone: nothing here panics.

use std::{
    fmt,
    io::{Write, stderr},
};

/// As `std::eprint`; what cannot be written is dropped.
macro_rules! err {
    ($($text:tt)*) => { $crate::cli::print::err(format_args!($($text)*)) };
}

/// As `std::eprintln`; what cannot be written is dropped.
macro_rules! errln {
    ($($text:tt)*) => { err!("{}\n", format_args!($($text)*)) };
}

/// There is nobody left to tell that it cannot be written.
pub(super) fn err(text: fmt::Arguments<'_>) {
    let _ = stderr().write_all(text.to_string().as_bytes());
}
