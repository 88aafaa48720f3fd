//! Processes that are killed while they write a login: the test starts itself once more for each.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Child, Command, Stdio};

use pretty_assertions::assert_eq;

use super::*;
use crate::auth::place::Place;
use crate::auth::replace::{Step, strike};
use crate::auth::store::Store;
use crate::auth::{oauth, tokens::Login};

const STEPS: [Step; 6] =
    [Step::Begun, Step::Created, Step::Written, Step::Synced, Step::Renamed, Step::Flushed];

/// Where the process that is to be killed has come to.
const THERE: &str = "there";

/// What the killed process had got from the server.
fn renewed() -> oauth::Tokens {
    oauth::Tokens {
        id_token: None,
        access_token: Some(jwt(DAY, "acc").into()),
        refresh_token: Some("rt_new".into()),
    }
}

/// The process that is killed: writes a renewed login, and stays where it is told to.
#[tokio::test]
#[ignore = "started by the test that kills it, with a folder and a step on stdin"]
async fn the_victim() {
    let mut told = String::new();
    std::io::stdin().read_to_string(&mut told).unwrap();
    let Some((folder, last)) = told.trim_end().split_once('\n') else {
        return; // nobody is there to kill it
    };
    let last = last.to_owned();
    strike(Path::new(folder), move |step| {
        if format!("{step:?}") == last {
            println!("{THERE}");
            std::io::stdout().flush()?;
            loop {
                std::thread::park();
            }
        }
        Ok(())
    });
    let store = Store { source: Folder::Borrowed(folder.into()).into() };
    let (login, _) = store.read().unwrap();
    let spent = login.refresh_token.clone().unwrap();
    let new: Login = login.renewed(renewed(), at(0));
    let place = Place(store.source.folder());
    place.commit(&spent, &new, None, std::time::Duration::ZERO).await.unwrap();
}

/// A process that has come to `step` of its write in this folder.
fn at_step(folder: &Path, step: Step) -> Child {
    let mut victim = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "auth::tests::killed::the_victim", "--ignored", "--nocapture"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let told = format!("{}\n{step:?}\n", folder.display());
    victim.stdin.take().unwrap().write_all(told.as_bytes()).unwrap();
    let mut said = BufReader::new(victim.stdout.take().unwrap()).lines();
    assert!(said.any(|line| line.unwrap().ends_with(THERE)), "{step:?} was not reached");
    victim
}

#[tokio::test]
async fn a_process_killed_at_any_step_leaves_the_old_login_or_the_new_and_loses_no_token() {
    for step in STEPS {
        let world = World::new().await;
        world.login(-10, "rt_0");
        let (before, rest) = (world.on_disk(), world.dir.path().join("auth.json"));
        let mut victim = at_step(world.dir.path(), step);
        victim.kill().unwrap(); // SIGKILL
        victim.wait().unwrap();

        let after = world.on_disk();
        if matches!(step, Step::Renamed | Step::Flushed) {
            assert_eq!(after["tokens"]["refresh_token"], "rt_new", "{step:?}");
        } else {
            assert_eq!(after, before, "{step:?}");
        }
        assert!(rest.is_file());

        // What was written whole is used, and what was not is replaced.
        let manager = world.manager();
        let access = token(&manager.access().await.unwrap());
        if matches!(step, Step::Begun | Step::Created) {
            assert_eq!(access, world.issued(1), "{step:?}");
            assert_eq!(world.on_disk()["tokens"]["refresh_token"], "rt_1", "{step:?}");
        } else {
            assert_eq!(access, jwt(DAY, "acc"), "{step:?}");
            assert_eq!(world.on_disk()["tokens"]["refresh_token"], "rt_new", "{step:?}");
            assert_eq!(world.asked().len(), 0, "{step:?}: no token is spent twice");
        }
        let left: Vec<_> = fs::read_dir(world.dir.path())
            .unwrap()
            .map(|file| file.unwrap().file_name().into_string().unwrap())
            .filter(|name| name != "auth.json" && !name.ends_with(".lock"))
            .collect();
        assert_eq!(left, [""; 0], "{step:?}");
    }
}

#[tokio::test]
async fn a_broken_off_write_of_another_version_is_only_cleaned_up() {
    let world = World::new().await;
    world.login(-10, "rt_0");
    let mut victim = at_step(world.dir.path(), Step::Synced);
    victim.kill().unwrap();
    victim.wait().unwrap();
    // Somebody has logged in again meanwhile.
    world.login(-10, "rt_login");
    let access = world.manager().access().await.unwrap();
    assert_eq!(token(&access), world.issued(1));
    assert_eq!(world.asked()[0]["refresh_token"], "rt_login");
    assert_eq!(world.on_disk()["tokens"]["refresh_token"], "rt_1");
    let ours = |name: &std::ffi::OsStr| name.to_str().unwrap().starts_with(".codexway-");
    let mut files = fs::read_dir(world.dir.path()).unwrap();
    assert!(!files.any(|file| ours(&file.unwrap().file_name())));
}
