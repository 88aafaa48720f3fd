//! What a person sees while a command runs: questions, progress, tables.

use std::io::{BufRead, IsTerminal, Read, stderr, stdin};
use std::time::Duration;

use anyhow::{Context, anyhow};
use secrecy::SecretString;
use tokio::time::{MissedTickBehavior, interval};

use super::Failure;

/// More than any credential has.
const LONGEST_SECRET: u64 = 64 * 1024;

/// Whether somebody can be asked.
pub(super) fn someone_is_there() -> bool {
    stdin().is_terminal() && stderr().is_terminal()
}

/// Asks a question whose answer is no unless it is plainly yes.
pub(super) fn confirms(question: &str) -> anyhow::Result<bool> {
    err!("{question} [y/N] ");
    let mut answer = String::new();
    stdin().lock().read_line(&mut answer).context("read the answer")?;
    Ok(matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
}

/// Reads a secret: without showing it on a terminal, else all of stdin. It has no blanks in it.
pub(super) fn secret(prompt: &str) -> Result<SecretString, Failure> {
    let mut text = String::new();
    if stdin().is_terminal() {
        text = rpassword::prompt_password(format!("{prompt}: ")).context("read it")?;
    } else {
        stdin().lock().take(LONGEST_SECRET).read_to_string(&mut text).context("read stdin")?;
    }
    match text.trim() {
        "" => Err(Failure::Usage(format!(
            "nothing was given; hint: type it at the prompt, or pipe it in (`codexway login … < FILE`): {prompt}"
        ))),
        secret if secret.contains(|c: char| !c.is_ascii_graphic()) => {
            Err(anyhow!("that cannot be right: there are blanks or other odd characters in it")
                .into())
        }
        secret => Ok(secret.into()),
    }
}

/// Says what is waited for: once, or on a terminal with the time that has passed.
pub(super) async fn waiting<T>(what: &str, work: impl Future<Output = T>) -> T {
    if !stderr().is_terminal() {
        errln!("{what}");
    }
    busy(what, work).await
}

/// The same for what is soon over: nobody but a person at a terminal is told.
pub(super) async fn busy<T>(what: &str, work: impl Future<Output = T>) -> T {
    if !stderr().is_terminal() {
        return work.await;
    }
    let mut work = std::pin::pin!(work);
    let mut tick = interval(Duration::from_secs(1));
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut seconds = 0;
    loop {
        tokio::select! {
            done = &mut work => {
                err!("\r\x1b[K");
                return done;
            }
            _ = tick.tick() => {
                err!("\r\x1b[K{what} ({}:{:02})", seconds / 60, seconds % 60);
                seconds += 1;
            }
        }
    }
}

/// A span of time, to the nearest minute, in its two largest units: `9 d 23 h`, `2 h 5 min`.
pub(super) fn span(seconds: i64) -> String {
    let minutes = (seconds.max(0) + 30) / 60;
    match (minutes / (24 * 60), minutes / 60 % 24, minutes % 60) {
        (0, 0, 0) => "less than 1 min".to_owned(),
        (0, 0, minutes) => format!("{minutes} min"),
        (0, hours, 0) => format!("{hours} h"),
        (0, hours, minutes) => format!("{hours} h {minutes} min"),
        (days, 0, _) => format!("{days} d"),
        (days, hours, _) => format!("{days} d {hours} h"),
    }
}

/// Rows in columns as wide as they need to be. `paint` colours a cell by its column and text.
pub(super) fn table(rows: &[Vec<String>], paint: impl Fn(usize, &str) -> Option<u8>) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max()
    };
    let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or(0)).collect();
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (column, cell) in row.iter().enumerate() {
            let padding = " ".repeat(widths[column] - cell.chars().count() + 2);
            match paint(column, cell) {
                Some(color) => line.push_str(&format!("\x1b[{color}m{cell}\x1b[0m{padding}")),
                None => line.push_str(&format!("{cell}{padding}")),
            }
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_told_in_two_units() {
        let told = [0, 29, 30, 3600, 7500, 86_400, 863_999, 860_000].map(span);
        assert_eq!(
            told,
            [
                "less than 1 min",
                "less than 1 min",
                "1 min",
                "1 h",
                "2 h 5 min",
                "1 d",
                "10 d",
                "9 d 22 h"
            ]
        );
    }

    #[test]
    fn columns_line_up_and_colours_do_not_count() {
        let row = |cells: [&str; 3]| cells.map(str::to_owned).to_vec();
        let rows = [row(["A", "STATE", "B"]), row(["long", "ok", ""])];
        let text = table(&rows, |column, text| (column == 1 && text == "ok").then_some(32));
        assert_eq!(text, "A     STATE  B\nlong  \x1b[32mok\x1b[0m\n");
    }
}
