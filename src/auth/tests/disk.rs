//! Disks that cannot be written, at every step of a write.

use pretty_assertions::assert_eq;

use super::*;
use crate::auth::replace::{Step, strike};
use crate::auth::{Own, TokenManager};
use crate::config::LoginStore;

const FULL: fn() -> std::io::Error = || std::io::ErrorKind::StorageFull.into();

impl World {
    /// From now on nothing can be written behind this step.
    fn full_behind(&self, full: Step) {
        strike(self.dir.path(), move |step| if step == full { Err(FULL()) } else { Ok(()) });
    }

    fn space_again(&self) {
        strike(self.dir.path(), |_| Ok(()));
    }

    fn refresh_token(&self) -> String {
        self.on_disk()["tokens"]["refresh_token"].as_str().unwrap().to_owned()
    }

    /// What is in the folder besides locks.
    fn left(&self) -> Vec<String> {
        let files = fs::read_dir(self.dir.path()).unwrap();
        let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
        names.filter(|name| !name.ends_with(".lock")).collect()
    }
}

#[tokio::test]
async fn a_disk_that_is_full_at_any_step_loses_no_token() {
    for step in [Step::Begun, Step::Created, Step::Written, Step::Synced] {
        let world = World::new().await;
        world.login(-10, "rt_0");
        let manager = world.manager();
        world.full_behind(step);
        assert_eq!(token(&manager.access().await.unwrap()), world.issued(1), "{step:?}");
        assert_eq!(world.refresh_token(), "rt_0");
        let known = manager.snapshot().await.unwrap();
        assert_eq!((known.works, known.problem), (true, None));
        assert_eq!(
            known.not_saved.unwrap().to_string(),
            world.said("the new login lives in memory only, because `{file}` could not be written: no storage space; free some space before codexway stops, or it will need a new login")
        );
        // It ends as well, while there is still no space.
        world.pass(10 * DAY + 1);
        assert_eq!(token(&manager.access().await.unwrap()), world.issued(2), "{step:?}");
        assert_eq!(world.asked()[1]["refresh_token"], "rt_1");
        assert_eq!(world.refresh_token(), "rt_0");

        world.space_again();
        world.pass(1);
        assert_eq!(manager.snapshot().await.unwrap().not_saved, None, "a look at it is enough");
        assert_eq!(world.refresh_token(), "rt_2");
        assert_eq!(world.left(), ["auth.json"], "{step:?}");
        assert_eq!(world.asked().len(), 2);
    }
}

#[tokio::test]
async fn a_token_that_works_is_not_renewed_where_that_could_not_be_written() {
    let world = World::new().await;
    world.login(4 * 60, "rt_0");
    let old = world.on_disk()["tokens"]["access_token"].as_str().unwrap().to_owned();
    let manager = world.manager();
    world.full_behind(Step::Created);
    for _ in 0..3 {
        assert_eq!(token(&manager.access().await.unwrap()), old);
        world.pass(1);
    }
    assert_eq!(world.asked().len(), 0);
    assert_eq!(
        manager.snapshot().await.unwrap().problem.unwrap().to_string(),
        world.said("the login was not renewed, because what that brings could not be written to `{file}`: no storage space; free some space")
    );
    world.space_again();
    world.pass(30);
    assert_eq!(token(&manager.access().await.unwrap()), world.issued(1));
    assert_eq!(world.refresh_token(), "rt_1");
}

#[tokio::test]
async fn what_one_process_could_not_write_no_other_spends_again() {
    let world = World::new().await;
    world.login(-10, "rt_0");
    let (holder, other) = (world.manager(), world.manager());
    world.full_behind(Step::Begun);
    holder.access().await.unwrap();
    let refused = other.access().await.unwrap_err();
    assert_eq!(
        refused.to_string(),
        world.said("another codexway that runs has renewed the login in `{file}`, but cannot write it there and holds it in memory; see what that one warns of, and do not stop it before the file can be written")
    );
    assert!(!refused.needs_login());
    // A copy of the same file in its place changes nothing.
    world.write(&world.on_disk());
    world.pass(2);
    holder.access().await.unwrap();
    assert_eq!(other.access().await.unwrap_err(), refused);
    assert_eq!(world.asked().len(), 1);

    world.space_again();
    world.pass(2);
    holder.access().await.unwrap();
    assert_eq!(token(&other.access().await.unwrap()), world.issued(1));
    assert_eq!(world.asked().len(), 1);
}

#[tokio::test]
async fn a_command_that_ends_at_once_spends_nothing_that_it_could_not_write() {
    let world = World::new().await;
    let seconds_ago = Timestamp::now().as_second() - at(0).as_second() - 10;
    world.login(seconds_ago, "rt_0");
    let folder = Folder::Borrowed(world.dir.path().to_owned());
    let manager = TokenManager::fleeting(folder, world.oauth());
    world.full_behind(Step::Written);
    let error = manager.access().await.unwrap_err();
    assert!(matches!(error, Error::NotWritable { .. }), "{error}");
    assert_eq!(world.asked().len(), 0);
}

#[tokio::test]
async fn a_server_that_stops_writes_what_it_can() {
    let world = World::new().await;
    world.login(-10, "rt_0");
    let manager = world.manager();
    world.full_behind(Step::Written);
    manager.access().await.unwrap();
    world.space_again();
    manager.settle().await;
    assert_eq!(world.refresh_token(), "rt_1");
}

#[tokio::test]
async fn no_login_is_begun_that_could_not_be_kept() {
    let world = World::new().await;
    let places = Places {
        account: "work".to_owned(),
        own: world.dir.path().join("accounts/work"),
        ..Places::default()
    };
    for step in [Step::Begun, Step::Created, Step::Written] {
        world.full_behind(step);
        let error = Own::of(&places).prepare(LoginStore::File).unwrap_err();
        assert_eq!(
            error.to_string(),
            world.said("cannot keep a login in `{dir}/accounts/work`: no storage space; free some space, and run `codexway login --account work` again")
        );
    }
    world.space_again();
    Own::of(&places).prepare(LoginStore::File).unwrap();
    assert_eq!(fs::read_dir(&places.own).unwrap().count(), 0);
}
