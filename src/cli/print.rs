//! What a command prints, where whoever reads it may have gone: nothing here panics.

use std::{
    fmt,
    io::{self, ErrorKind, Write, stderr, stdout},
    sync::{Mutex, PoisonError},
};

/// As `std::print`; what cannot be written is told at the end, by [`lost`].
macro_rules! out {
    ($($text:tt)*) => { $crate::cli::print::out(format_args!($($text)*)) };
}

/// As `std::println`; what cannot be written is told at the end, by [`lost`].
macro_rules! outln {
    ($($text:tt)*) => { out!("{}\n", format_args!($($text)*)) };
}

/// As `std::eprint`; what cannot be written is dropped.
macro_rules! err {
    ($($text:tt)*) => { $crate::cli::print::err(format_args!($($text)*)) };
}

/// As `std::eprintln`; what cannot be written is dropped.
macro_rules! errln {
    ($($text:tt)*) => { err!("{}\n", format_args!($($text)*)) };
}

/// Why something that was to go to stdout did not.
static LOST: Mutex<Option<io::Error>> = Mutex::new(None);

pub(super) fn out(text: fmt::Arguments<'_>) {
    note(stdout().write_all(text.to_string().as_bytes()));
}

/// There is nobody left to tell that it cannot be written.
pub(super) fn err(text: fmt::Arguments<'_>) {
    let _ = stderr().write_all(text.to_string().as_bytes());
}

/// Why not all of what was printed has reached stdout, if that is so.
pub(super) fn lost() -> Option<io::Error> {
    note(stdout().flush());
    LOST.lock().unwrap_or_else(PoisonError::into_inner).take()
}

/// A reader that has gone away has all it wants, so that is no failure.
fn note(written: io::Result<()>) {
    match written {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            LOST.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
        }
        Ok(()) | Err(_) => {}
    }
}
