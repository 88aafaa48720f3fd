//! The program: parse, run, exit code.

use std::process::ExitCode;

use codexway::cli::{Cli, run};

fn main() -> ExitCode {
    run(Cli::of_process())
}
