use pretty_assertions::assert_eq;

use super::*;
use crate::auth::tokens::Fresh;
use crate::auth::{Credentials, Ended, Holds, Own, oauth};
use crate::config::LoginStore;

impl World {
    fn own(&self) -> Own {
        Own::of(&Places { own: self.dir.path().to_owned(), ..Places::default() })
    }

    pub(super) fn oauth(&self) -> OAuth {
        OAuth {
            client: crate::auth::Client::new(&self.server.url),
            auth_url: self.server.url.clone(),
            originator: "codexway".to_owned(),
            user_agent: "codexway/test".to_owned(),
        }
    }

    /// A manager that looks where `source = "own"` says.
    fn own_manager(&self) -> TokenManager {
        let places = Places { own: self.dir.path().to_owned(), ..Places::default() };
        let now = self.now.clone();
        let clock = move || Timestamp::from_second(now.load(Ordering::SeqCst)).unwrap();
        TokenManager::with_clock(find("own", &places), self.oauth(), Box::new(clock))
    }

    /// Every file of the folder, one after the other.
    fn files(&self) -> String {
        let files = fs::read_dir(self.dir.path()).unwrap();
        files.map(|file| fs::read_to_string(file.unwrap().path()).unwrap()).collect()
    }
}

fn login(seconds: i64, refresh: &str) -> Credentials {
    let tokens = oauth::Tokens {
        id_token: Some(jwt(seconds, "acc").into()),
        access_token: Some(jwt(seconds, "acc").into()),
        refresh_token: Some(refresh.into()),
    };
    Credentials::Chatgpt(Fresh::read(tokens, at(0)).unwrap())
}

#[tokio::test]
async fn a_login_in_the_keyring_is_used_and_renewed_there() {
    let world = World::new().await;
    let kept = world
        .own()
        .keep(&login(-10, "rt_0"), LoginStore::Keyring, &world.server.url)
        .await
        .unwrap();
    assert_eq!(kept.folder, Folder::Keyring(world.dir.path().to_owned()));
    let manager = world.own_manager();
    assert_eq!(token(&manager.access().await.unwrap()), world.issued(1));
    let elsewhere = world.own_manager();
    assert_eq!(token(&elsewhere.access().await.unwrap()), world.issued(1));
    assert_eq!(world.asked().len(), 1);
    let files = world.files();
    assert!(!files.contains("rt_") && !files.contains(&world.issued(1)), "{files}");

    // A refresh of one process is seen by the other.
    world.pass(10 * DAY);
    let new = jwt(20 * DAY, "acc");
    world.server.answer(200, &json!({ "access_token": new, "refresh_token": "rt_2" }).to_string());
    assert_eq!(token(&manager.access().await.unwrap()), new);
    assert_eq!(token(&elsewhere.access().await.unwrap()), new);
    assert_eq!(world.asked().len(), 2);

    assert!(matches!(world.own().end(&world.oauth()).await, Ok(Ended::Login(Ok(())))));
    assert_eq!(world.asked()[2]["token"], "rt_2");
    let error = world.own_manager().access().await.unwrap_err();
    assert!(matches!(error, Error::NotLoggedIn { .. }), "{error}");
}

#[tokio::test]
async fn without_a_keyring_auto_takes_the_file_and_says_why() {
    let world = World::new().await;
    fs::write(world.dir.path().join("no-keyring"), "").unwrap();
    let own = world.own();
    let kept = own.keep(&login(DAY, "rt_0"), LoginStore::Auto, &world.server.url).await.unwrap();
    assert_eq!(kept.folder, Folder::Own(world.dir.path().to_owned()));
    assert_eq!(kept.no_keyring.as_deref(), Some("no keyring runs"));
    assert_eq!(world.on_disk()["tokens"]["refresh_token"], "rt_0");

    let refused = own.keep(&login(DAY, "rt_1"), LoginStore::Keyring, &world.server.url).await;
    assert_eq!(refused.err().unwrap().to_string(), "no keyring runs");
    assert_eq!(world.on_disk()["tokens"]["refresh_token"], "rt_0");
    assert_eq!(own.holds().unwrap(), Some(Holds::Chatgpt));
}

#[tokio::test]
async fn a_login_is_in_one_place_after_it_has_moved() {
    let world = World::new().await;
    let own = world.own();
    let url = &world.server.url;
    own.keep(&login(DAY, "rt_0"), LoginStore::File, url).await.unwrap();
    own.keep(&login(DAY, "rt_1"), LoginStore::Auto, url).await.unwrap();
    assert!(!world.file().exists());
    let manager = world.own_manager();
    manager.access().await.unwrap();
    own.keep(&login(2 * DAY, "rt_2"), LoginStore::File, url).await.unwrap();
    assert_eq!(manager.snapshot().await.unwrap().folder.path(), world.dir.path());
    world.pass(1);
    assert_eq!(token(&manager.access().await.unwrap()), jwt(2 * DAY, "acc"));
    assert!(!world.dir.path().join("keyring.json").exists());
}

#[tokio::test]
async fn a_logout_waits_for_a_refresh_and_ends_what_that_brought() {
    let world = World::new().await;
    world.login(-10, "rt_0");
    let manager = world.manager();
    let stall = world.server.stall.clone().lock_owned().await;
    let refresh = tokio::spawn(async move { manager.access().await });
    world.asked_times(1).await;
    let (own, oauth) = (world.own(), world.oauth());
    let logout = tokio::spawn(async move { own.end(&oauth).await });
    for _ in 0..100 {
        tokio::task::yield_now().await; // the logout gets as far as it can
    }
    assert!(world.file().exists());
    drop(stall);
    refresh.await.unwrap().unwrap();
    assert!(matches!(logout.await.unwrap(), Ok(Ended::Login(Ok(())))));
    assert_eq!(world.asked()[1]["token"], "rt_1");
    assert!(!world.file().exists());
}

#[tokio::test]
async fn a_token_that_is_not_taken_back_is_followed_by_the_other() {
    let world = World::new().await;
    world.login(DAY, "rt_0");
    world.server.answer(400, r#"{"error":"invalid_request"}"#);
    assert!(matches!(world.own().end(&world.oauth()).await, Ok(Ended::Login(Ok(())))));
    assert_eq!(
        world.asked(),
        [
            json!({
                "token": "rt_0",
                "token_type_hint": "refresh_token",
                "client_id": "app_EMoamEEZ73f0CkXaXp7hrann",
            }),
            json!({ "token": jwt(DAY, "acc"), "token_type_hint": "access_token" }),
        ]
    );
}

#[tokio::test]
async fn what_cannot_be_read_is_deleted_without_telling_anybody() {
    let world = World::new().await;
    fs::write(world.file(), "{ half").unwrap();
    assert!(matches!(world.own().holds(), Err(Error::Unreadable { .. })));
    assert!(matches!(world.own().end(&world.oauth()).await, Ok(Ended::Unreadable)));
    assert!(!world.file().exists());
    assert!(matches!(world.own().end(&world.oauth()).await, Ok(Ended::Nothing)));
    assert_eq!(world.asked().len(), 0);
}

#[tokio::test]
async fn the_api_key_is_the_file_s_then_the_kept_one_then_the_variable_s() {
    use crate::auth::api_key;

    let world = World::new().await;
    let mut account = crate::config::Settings::default().accounts["default"].clone();
    let places = Places { own: world.dir.path().to_owned(), ..Places::default() };
    let key = |account: &crate::config::Account, variable: Option<&str>| {
        let found = api_key(account, &places, |name| {
            assert_eq!(name, "OPENAI_API_KEY");
            variable.map(str::to_owned)
        });
        found.map(|key| key.expose_secret().to_owned()).map_err(|error| error.to_string())
    };
    let missing = "there is no API key: none was kept, and `$OPENAI_API_KEY` is not set; run `codexway login --api-key`";
    assert_eq!(key(&account, None), Err(missing.to_owned()));
    assert_eq!(key(&account, Some(" sk-variable\n")), Ok("sk-variable".to_owned()));
    let kept = Credentials::ApiKey("sk-kept".into());
    world.own().keep(&kept, LoginStore::File, &world.server.url).await.unwrap();
    assert_eq!(key(&account, Some("sk-variable")), Ok("sk-kept".to_owned()));
    let file = world.dir.path().join("key");
    account.key_file = file.to_str().unwrap().to_owned();
    assert!(key(&account, None).unwrap_err().contains("which `key_file` names"));
    fs::write(file, "sk-file\n").unwrap();
    assert_eq!(key(&account, None), Ok("sk-file".to_owned()));
}
