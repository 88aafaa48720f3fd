//! `codexway login`: an account's credentials, from a person to our own folder.

use std::path::PathBuf;

use anyhow::{Context, anyhow};
use clap::Args;
use jiff::Timestamp;
use secrecy::ExposeSecret;

use super::account::{Account, DEFAULT, block_on};
use super::{Environment, Failure, FileArg, consent, open, terminal};
use crate::{
    auth::{
        Clock, Credentials, Folder, Fresh, Holds, Kept,
        login::{self, Answered, Browser, Device, PATIENCE},
    },
    config::{self, AccountKind, LoginStore, Settings},
    server,
};

#[derive(Debug, Args)]
pub(super) struct LoginArgs {
    /// Log in with a browser on another machine: shows a page and a code to type there
    #[arg(long, conflicts_with_all = ["api_key", "access_token"])]
    device: bool,
    /// Keep an API key of the OpenAI platform instead, read from a prompt or from stdin
    #[arg(long, conflicts_with = "access_token")]
    api_key: bool,
    /// Keep a personal access token (`at-…`) instead, read from a prompt or from stdin
    #[arg(long)]
    access_token: bool,
    /// The account to log in
    #[arg(long, value_name = "NAME", default_value = DEFAULT)]
    account: String,
    /// Print the address of the login page instead of opening it
    #[arg(long)]
    no_browser: bool,
    /// The consent text has been read, and is agreed to
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    file: FileArg,
}

pub(super) fn run(args: &LoginArgs, environment: &Environment) -> Result<(), Failure> {
    let settings = config::load(&environment.sources(&args.file, None))?.settings;
    let account = Account::named(&args.account, &settings, environment)?;
    fits(&account, args)?;
    // An API key is the documented way in, so there is nothing to agree to.
    let agreed = match args.api_key {
        true => None,
        false => Some(consent::obtain(environment, args.yes)?),
    };
    account.own().prepare(store(&account, environment))?;
    agreed.map_or(Ok(()), consent::Agreed::remember)?;
    block_on(log_in(&account, args, environment)).map_err(|failure| account.told(failure))?;
    say_what_is_missing(&account, args, &settings);
    Ok(())
}

async fn log_in(
    account: &Account<'_>,
    args: &LoginArgs,
    environment: &Environment,
) -> Result<(), Failure> {
    if args.api_key || args.access_token {
        let credentials = if args.api_key { api_key()? } else { access_token(account).await? };
        return keep(account, &credentials, environment).await.map(drop).map_err(Failure::Failed);
    }
    let stopped = server::signalled(1).context("listen for signals")?;
    let mut stopped = std::pin::pin!(stopped);
    let asked = async {
        match args.device {
            true => with_code(account).await.map(|fresh| (fresh, None)),
            false => with_browser(account, args, environment)
                .await
                .map(|(fresh, browser)| (fresh, Some(browser))),
        }
    };
    let (fresh, browser) = tokio::select! {
        answered = asked => answered?,
        () = &mut stopped => return Err(anyhow!("stopped; nothing was changed").into()),
    };
    // From here on the login is kept, whoever presses what.
    let kept = keep(account, &Credentials::Chatgpt(fresh), environment).await;
    match (&kept, browser) {
        (Ok(_), Some(browser)) => browser.succeeded().await,
        (Err(error), Some(browser)) => browser.failed(&format!("{error:#}")).await,
        (_, None) => {}
    }
    let oauth = account.oauth()?;
    tokio::select! {
        () = kept?.end_replaced(&oauth) => {}
        () = stopped => {}
    }
    Ok(())
}

/// Whether the settings, and what is kept already, leave room for this kind of login.
fn fits(account: &Account<'_>, args: &LoginArgs) -> Result<(), Failure> {
    let name = account.name;
    if let Some(settings) = account.settings {
        if settings.kind == AccountKind::ApiKey && !args.api_key {
            return Err(Failure::Usage(format!(
                "the account `{name}` is of the kind `api-key`; hint: run `codexway login --api-key --account {name}`, or name another account"
            )));
        }
        let source = &settings.source;
        if settings.kind == AccountKind::Codex
            && !matches!(&**source, "auto" | "own")
            && !args.api_key
        {
            return Err(Failure::Usage(format!(
                "the account `{name}` borrows the login in `{source}`, so one of our own would not be used; hint: log in with the program that it belongs to (`codex login`), or set `source` under `[accounts.{name}]` to \"own\""
            )));
        }
    }
    let holds = account.own().holds().unwrap_or_default();
    let other = match holds {
        Some(Holds::ApiKey) if !args.api_key => "an API key",
        Some(Holds::Chatgpt | Holds::PersonalAccessToken) if args.api_key => "a ChatGPT login",
        _ => return Ok(()),
    };
    Err(Failure::Failed(anyhow!(
        "the account `{name}` holds {other}, which would be lost; hint: name another with `--account NAME`, or run `codexway logout --account {name}` first"
    )))
}

async fn with_browser(
    account: &Account<'_>,
    args: &LoginArgs,
    environment: &Environment,
) -> Result<(Fresh, Answered), Failure> {
    let oauth = account.oauth()?;
    let browser = Browser::listen().await?;
    let url = browser.url(&oauth);
    if args.no_browser {
        errln!("open this page in a browser on this machine:");
        outln!("{url}");
    } else if open::page(&url, environment) {
        errln!("a login page opens in your browser; if it does not, go to\n{url}");
    } else {
        errln!(
            "there is no browser to start here; open this page in one on this machine, or stop with Ctrl-C and run `codexway login --device`:"
        );
        outln!("{url}");
    }
    let answer = tokio::time::timeout(PATIENCE.unsigned_abs(), browser.answer());
    let answer = terminal::waiting("waiting for the browser; Ctrl-C gives up", answer).await;
    let answered = answer.map_err(|_| login::Error::TimedOut)??;
    match answered.redeem(&oauth).await {
        Ok(fresh) => Ok((fresh, answered)),
        Err(error) => {
            answered.failed(&error).await;
            Err(error.into())
        }
    }
}

async fn with_code(account: &Account<'_>) -> Result<Fresh, Failure> {
    let oauth = account.oauth()?;
    let clock: Clock = Box::new(Timestamp::now);
    let device = Device::start(&oauth, &clock).await?;
    errln!(
        "open this page on any device and type the code, within {} minutes; give the code to nobody:",
        PATIENCE.as_mins()
    );
    outln!("{}\n{}", device.url, device.user_code);
    let approved = device.approved(&oauth, &clock, async |pause| tokio::time::sleep(pause).await);
    Ok(terminal::waiting("waiting for the code to be typed; Ctrl-C gives up", approved).await?)
}

fn api_key() -> Result<Credentials, Failure> {
    let key = terminal::secret("API key of the OpenAI platform (`sk-…`)")?;
    if key.expose_secret().starts_with("at-") {
        return Err(Failure::Usage(
            "that is a personal access token; hint: run `codexway login --access-token`".to_owned(),
        ));
    }
    Ok(Credentials::ApiKey(key))
}

async fn access_token(account: &Account<'_>) -> Result<Credentials, Failure> {
    let token = terminal::secret("personal access token (`at-…`)")?;
    if !token.expose_secret().starts_with("at-") {
        return Err(Failure::Usage(
            "that is no personal access token, which would begin with `at-`; hint: an API key goes to `codexway login --api-key`".to_owned(),
        ));
    }
    login::check_access_token(&token, &account.oauth()?).await?;
    Ok(Credentials::PersonalAccessToken(token))
}

/// Where the login is to be kept.
///
/// Where nobody sits in front of the machine, nobody could unlock the keyring either: not now, and
/// not when the server starts by itself after the next boot. So `auto` is the file there.
fn store(account: &Account<'_>, environment: &Environment) -> LoginStore {
    match account.settings.map_or(LoginStore::Auto, |settings| settings.store) {
        LoginStore::Auto if !environment.has_desktop() => LoginStore::File,
        store => store,
    }
}

/// Keeps the credentials and says where; what was there before ends only after that.
async fn keep(
    account: &Account<'_>,
    credentials: &Credentials,
    environment: &Environment,
) -> anyhow::Result<Kept> {
    let own = account.own();
    let oauth = account.oauth()?;
    let kept = own.keep(credentials, store(account, environment), &oauth.auth_url).await;
    let kept = kept.with_context(|| format!("keep the login in `{}`", own.path().display()))?;
    match credentials {
        Credentials::Chatgpt(fresh) => {
            let whom = fresh.email.as_deref().unwrap_or("an account without an address");
            let plan = fresh.plan.as_deref().unwrap_or("unknown");
            errln!("logged in as {whom} (plan: {plan})");
            if fresh.seems_over {
                errln!(
                    "warning: by this computer's clock the new token has ended already; set the clock"
                );
            }
        }
        Credentials::PersonalAccessToken(_) => errln!("the personal access token works"),
        Credentials::ApiKey(_) => errln!("the API key is kept; it was not tried"),
    }
    if kept.other_account {
        errln!(
            "warning: `{}` was the login of another ChatGPT account before; `--account NAME` keeps both",
            account.name
        );
    }
    if let Some(why) = &kept.no_keyring {
        errln!("it is kept in a file, because the keyring could not be used: {why}");
    }
    match &kept.folder {
        Folder::Keyring(_) => errln!("it is kept in the keyring"),
        folder => {
            let file: PathBuf = folder.path().join("auth.json");
            errln!("it is kept in `{}`, which only you can read", file.display());
        }
    }
    Ok(kept)
}

/// What the settings lack for the login to be used.
fn say_what_is_missing(account: &Account<'_>, args: &LoginArgs, settings: &Settings) {
    let name = account.name;
    let kind = if args.api_key { AccountKind::ApiKey } else { AccountKind::Codex };
    let upstream = if args.api_key { "openai" } else { "codex" };
    let used = settings.profiles.values().any(|profile| profile.account == name);
    if account.settings.is_some_and(|settings| settings.kind == kind) && used {
        return;
    }
    errln!(
        "hint: no profile uses it yet; put this into the file that `codexway config path` names:\n\n[accounts.{name}]\nkind = \"{}\"\n\n[profiles.{}]\nupstream = \"{upstream}\"\naccount = \"{name}\"",
        kind.as_str(),
        if name == DEFAULT { upstream } else { name },
    );
}
