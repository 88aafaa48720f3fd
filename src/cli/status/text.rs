//! The report for people.

use jiff::Timestamp;

use super::{Report, Server, address};
use crate::{
    cli::{Environment, terminal},
    config::Settings,
};

/// Everything in a table and the lines below it; colours for a terminal that wants them.
pub(super) fn text(
    reports: &[Report],
    server: Option<&Server>,
    settings: &Settings,
    environment: &Environment,
) -> String {
    let header = ["ACCOUNT", "KIND", "PLAN", "STATE", "TOKEN", "WINDOW", "USED", "RESETS"];
    let mut rows = vec![header.map(str::to_owned).to_vec()];
    reports.iter().for_each(|report| rows.extend(report.rows()));
    let colors = environment.colors_on(&std::io::stdout());
    let states: Vec<&str> = reports.iter().map(|report| report.state).collect();
    let mut text = terminal::table(&rows, |column, cell| match cell {
        _ if !colors || column != 3 => None,
        "ready" => Some(32),
        "used up" => Some(33),
        cell => states.contains(&&*cell.replace(' ', "_")).then_some(31),
    });
    let logins =
        reports.iter().filter_map(|report| Some((report, report.login?, report.file.as_ref()?)));
    for (n, (report, login, file)) in logins.enumerate() {
        let whose = match login {
            "own" => "codexway's own login, in",
            _ => "borrowed from another program, in",
        };
        let gap = if n == 0 { "\n" } else { "" };
        text.push_str(&format!("{gap}{}: {whose} `{}`\n", report.name, file.display()));
    }
    for report in reports {
        if let Some(problem) = &report.problem {
            text.push_str(&format!("\n{}: {problem}\n", report.name));
        }
    }
    match server {
        Some(server) => {
            text.push_str(&format!("\nserver: {} (version {})\n", server.url, server.version));
        }
        None => text.push_str(&format!("\nserver: none at {}\n", address(settings))),
    }
    text
}

impl Report {
    /// A row for the account and its first window, and one for each further window and the credits.
    fn rows(&self) -> Vec<Vec<String>> {
        let now = Timestamp::now().as_second();
        let token = match self.expires_at {
            Some(end) if end <= now => "ended".to_owned(),
            Some(end) if self.renewed => format!("{}, then renewed", terminal::span(end - now)),
            Some(end) => terminal::span(end - now),
            None => "-".to_owned(),
        };
        let account = [
            self.name.clone(),
            self.kind.to_owned(),
            self.plan.clone().unwrap_or_else(|| "-".to_owned()),
            self.state.replace('_', " "),
            token,
        ];
        let windows = self.windows.iter().map(|window| {
            let resets = window.resets_at.map(|at| format!("in {}", terminal::span(at - now)));
            let used = format!("{:.0} %", window.used_percent);
            [window.name(), used, resets.unwrap_or_default()]
        });
        let credits = self.credits.iter().map(|credits| {
            let left = match &credits.balance {
                _ if credits.unlimited => "unlimited".to_owned(),
                Some(balance) => format!("{balance} left"),
                None => "some left".to_owned(),
            };
            ["credits".to_owned(), left, String::new()]
        });
        let mut limits = windows.chain(credits);
        let first = account.into_iter().chain(limits.next().into_iter().flatten()).collect();
        let further =
            limits.map(|limit| [""; 5].map(str::to_owned).into_iter().chain(limit).collect());
        std::iter::once(first).chain(further).collect()
    }
}
