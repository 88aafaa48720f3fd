use std::{
    fs::{self, File},
    time::Duration,
};

use codexway::simulator::Simulator;
use jiff::Timestamp;
use serde_json::Value;

use super::World;

/// Between two looks at a lock, or at the file.
const LOOK: Duration = Duration::from_millis(5);

/// What another program has done with the file.
#[derive(Debug, Default)]
pub(super) struct Rotator {
    /// Renewed the tokens in it.
    pub(super) rotated: usize,
    /// Put another login of the same person there.
    pub(super) logged_in: usize,
}

impl Rotator {
    /// Keeps the login alive by the rules of the official program: its locks, a look at the file
    /// before each step, and a rename at the end. Like every program that shares a token which is
    /// good once, it holds its lock while it spends one. It does so whenever somebody else has, or
    /// the token has ended; every fifth time its user logs in anew instead.
    pub(super) async fn run(&mut self, world: &World, over: impl Fn() -> bool) {
        let mut ours = Value::Null;
        while !over() {
            let lock = taken(world, "auth.lock").await;
            let before = world.on_disk();
            let end = before["tokens"]["access_token"].as_str().map(expires_at).unwrap();
            if before != ours || end <= Timestamp::now() {
                let fresh = match (self.rotated + self.logged_in) % 5 {
                    4 => logged_in(&world.simulator),
                    _ => rotated(world, before.clone()).await,
                };
                let write = taken(world, "auth.json.lock").await;
                assert_eq!(world.on_disk(), before, "it was changed under the lock");
                let new = world.folder.path().join(".auth-theirs");
                fs::write(&new, format!("{fresh:#}")).unwrap();
                fs::rename(new, world.file()).unwrap();
                drop(write);
                ours = fresh;
                match (self.rotated + self.logged_in) % 5 {
                    4 => self.logged_in += 1,
                    _ => self.rotated += 1,
                }
            }
            drop(lock);
            tokio::time::sleep(LOOK).await;
        }
    }
}

fn logged_in(simulator: &Simulator) -> Value {
    serde_json::from_str(&simulator.auth_json()).unwrap()
}

async fn rotated(world: &World, mut file: Value) -> Value {
    let (status, new) = world.refresh(&file["tokens"]["refresh_token"]).await;
    assert_eq!(status, 200, "{new}");
    for token in ["id_token", "access_token", "refresh_token"] {
        file["tokens"][token] = new[token].clone();
    }
    file["last_refresh"] = Timestamp::now().to_string().into();
    file
}

async fn taken(world: &World, name: &str) -> File {
    let file = File::create(world.folder.path().join(name)).unwrap();
    while file.try_lock().is_err() {
        tokio::time::sleep(LOOK).await;
    }
    file
}

fn expires_at(token: &str) -> Timestamp {
    use base64::Engine as _;

    let payload = token.split('.').nth(1).unwrap();
    let claims = base64::prelude::BASE64_URL_SAFE_NO_PAD.decode(payload).unwrap();
    let claims: Value = serde_json::from_slice(&claims).unwrap();
    Timestamp::from_second(claims["exp"].as_i64().unwrap()).unwrap()
}
