//! The Responses engine's checks, which answer `{"error":{…}}` over several lines.

mod choice;
mod images;
mod items;
mod lite;
mod pairs;
mod parts;
pub(super) mod schema;
mod settings;
mod tools;
mod wording;

use super::accounts::Account;
use super::catalog::Model;
use super::reply::Refusal;
use super::seal::Seal;
use super::server::Asked;

pub(super) use lite::is_lite;

pub(super) fn check(
    asked: &Asked,
    account: &Account,
    model: &Model,
    seal: &Seal,
) -> Result<(), Refusal> {
    let body = &asked.json;
    let lite = is_lite(&asked.headers);
    let input = body["input"].as_array().map_or(&[][..], Vec::as_slice);
    items::check(input, lite)?;
    tools::check(&body["tools"], "tools")?;
    choice::check(body)?;
    settings::check(body, model)?;
    if lite {
        lite::check(body, model)?;
    }
    pairs::check(input)?;
    items::look_up(input, account, seal)
}
