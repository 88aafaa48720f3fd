//! `codexway logout`: ends a login of ours. What is borrowed stays.

use anyhow::anyhow;
use clap::Args;

use super::account::{Account, DEFAULT, block_on};
use super::{Environment, Failure, FileArg};
use crate::{
    auth::{Ended, Holds},
    config,
};

#[derive(Debug, Args)]
pub(super) struct LogoutArgs {
    /// The account to log out
    #[arg(long, value_name = "NAME", default_value = DEFAULT)]
    account: String,
    #[command(flatten)]
    file: FileArg,
}

pub(super) fn run(args: &LogoutArgs, environment: &Environment) -> Result<(), Failure> {
    let settings = config::load(&environment.sources(&args.file, None))?.settings;
    let account = Account::named(&args.account, &settings, environment)?;
    block_on(async {
        let name = account.name;
        match account.own().end(&account.oauth()?).await? {
            Ended::Nothing => return nothing(&account),
            Ended::Login(Ok(())) => errln!("`{name}` is logged out, here and at the server"),
            Ended::Login(Err(why)) => errln!(
                "`{name}` is logged out here, but the server could not be told: {why}\nhint: \"log out of all devices\" in ChatGPT's settings ends it there too"
            ),
            Ended::Key(Holds::ApiKey) => errln!(
                "the API key of `{name}` is deleted here; it still works, until it is deleted on the web too"
            ),
            Ended::Key(_) => errln!(
                "the access token of `{name}` is deleted here; it still works, until it is deleted on the web too"
            ),
            Ended::Unreadable => errln!(
                "what was kept for `{name}` is deleted; it could not be read, so the server was not told"
            ),
        }
        let source = account.source().folder();
        if !source.is_own() && !source.is_empty() {
            errln!(
                "from now on the login in `{}` is borrowed; hint: set `source` under `[accounts.{name}]` to \"own\" if it is to be left alone",
                source.path().display()
            );
        }
        Ok(())
    })
}

/// There is no login of ours; one that is borrowed is another program's to end.
fn nothing(account: &Account<'_>) -> Result<(), Failure> {
    let name = account.name;
    let folder = account.source().folder();
    let file = folder.path().join("auth.json");
    if folder.is_own() || folder.is_empty() {
        errln!("`{name}` has no login to end");
        return Ok(());
    }
    Err(Failure::Failed(anyhow!(
        "the login of `{name}` is borrowed from another program, so `{}` was left as it is; hint: log out there (`codex logout`), or set `source` under `[accounts.{name}]` to \"own\" so that codexway leaves it alone",
        file.display()
    )))
}
