//! The simulator by itself: a login server and a backend on loopback, for tests from outside.
//!
//! Prints `{"base_url","auth_url"}` as one line, and serves until its stdin ends. A login by code
//! is approved at its second poll.

use std::io::Read;

use codexway::simulator::{Options, Simulator};

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let options = Options { device_approved_at_poll: Some(2), ..Options::default() };
    let simulator = Simulator::start(options).await?;
    let told = serde_json::json!({
        "base_url": simulator.base_url(),
        "auth_url": simulator.auth_url(),
    });
    #[expect(clippy::disallowed_macros, reason = "it is of no use where nobody reads this")]
    {
        println!("{told}");
    }
    let until_closed = || std::io::stdin().read_to_end(&mut Vec::new());
    tokio::task::spawn_blocking(until_closed).await??;
    Ok(())
}
