//! Opening a page in the user's browser.

use std::process::{Command, Stdio};

use super::Environment;

/// Starts the browser; false if there is none to start.
pub(super) fn page(url: &str, environment: &Environment) -> bool {
    let programs: &[&[&str]] = if cfg!(target_os = "macos") {
        &[&["open"]]
    } else if cfg!(windows) {
        &[&["rundll32.exe", "url.dll,FileProtocolHandler"]]
    } else if environment.has_desktop() {
        &[&["xdg-open"], &["wslview"]]
    } else {
        // Without a desktop xdg-open would start a text browser in the middle of our lines.
        &[]
    };
    programs.iter().any(|program| start(program, url))
}

/// The program is not waited for: some end when the browser does.
fn start(program: &[&str], url: &str) -> bool {
    let mut command = Command::new(program[0]);
    command.args(&program[1..]).arg(url);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().is_ok()
}
