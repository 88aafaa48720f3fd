use std::{
    cell::Cell,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use codexway::{
    auth::{
        Client, Clock, OAuth,
        login::{Device, Error},
    },
    simulator::Options,
};
use jiff::Timestamp;
use pretty_assertions::assert_eq;
use serde_json::json;

use super::{Told, World};

#[tokio::test(flavor = "multi_thread")]
async fn a_code_that_is_typed_elsewhere_logs_in() {
    let world = World::new().await;
    let (child, [url, code]) = world.waiting(world.command(&["login", "--device", "--yes"]));
    assert_eq!(url, format!("{}/codex/device", world.simulator.auth_url()));
    while world.asked("/api/accounts/deviceauth/token").is_empty() {
        tokio::task::yield_now().await;
    }
    assert!(!world.own("default").exists());
    assert!(world.simulator.approve_device(&code));
    let told = Told::end_of(child).ok();
    assert!(told.stderr.contains("logged in as ada@example.com"), "{told:?}");
    assert!(told.stderr.contains("within 15 minutes"), "{told:?}");
    assert_eq!(world.on_disk("default")["auth_mode"], "chatgpt");
    let exchange = world.asked("/oauth/token").pop().unwrap();
    let sent = String::from_utf8(exchange.body.to_vec()).unwrap();
    assert!(sent.starts_with("grant_type=authorization_code&"), "{sent}");
    assert!(sent.contains("%2Fdeviceauth%2Fcallback&code_verifier="), "{sent}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_that_is_declined_logs_nobody_in() {
    let world = World::new().await;
    let (child, [_, code]) = world.waiting(world.command(&["login", "--device", "--yes"]));
    assert!(world.simulator.deny_device(&code));
    Told::end_of(child).failed(1, &["the login was refused: access_denied"]);
    assert!(!world.own("default").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_logins_by_code_says_so() {
    let world = World::with(Options { device_logins: false, ..Options::default() }).await;
    let told = world.run(&["login", "--device", "--yes"]);
    told.failed(1, &["offers no login by code; run `codexway login`"]);
}

#[tokio::test]
async fn a_code_that_nobody_types_is_given_up_after_a_quarter_of_an_hour() {
    let world = World::new().await;
    let time = Time::new();
    let oauth = oauth(&world);
    let device = Device::start(&oauth, &time.clock()).await.unwrap();
    let asked = device.approved(&oauth, &time.clock(), time.passing()).await;
    assert!(matches!(asked, Err(Error::TimedOut)), "{:?}", asked.err());
    let polls = world.asked("/api/accounts/deviceauth/token");
    assert_eq!(polls.len(), 15 * 60, "one a second, as the server asked for");
    assert_eq!(time.now() - time.began, 15 * 60 - 1);
    assert_eq!(polls[0].json().as_object().unwrap().len(), 2);
}

#[tokio::test]
async fn a_network_that_is_away_for_a_moment_does_not_end_the_wait() {
    let world = World::new().await;
    let time = Time::new();
    let oauth = oauth(&world);
    let device = Device::start(&oauth, &time.clock()).await.unwrap();
    let pauses = Cell::new(0);
    world.simulator.stop();
    let passing = async |pause: Duration| {
        pauses.set(pauses.get() + 1);
        time.pass(pause);
    };
    let asked = device.approved(&oauth, &time.clock(), passing).await;
    let error = asked.err().unwrap().to_string();
    assert!(error.contains("cannot reach") && error.contains("check the network"), "{error}");
    assert_eq!(pauses.get(), 15 * 60 - 1);
}

#[tokio::test]
async fn the_poll_repeats_what_the_server_gave_out() {
    let options = Options { device_approved_at_poll: Some(3), ..Options::default() };
    let world = World::with(options).await;
    let time = Time::new();
    let oauth = oauth(&world);
    let device = Device::start(&oauth, &time.clock()).await.unwrap();
    let code = device.user_code.clone();
    let fresh = device.approved(&oauth, &time.clock(), time.passing()).await.unwrap();
    assert_eq!(fresh.email.as_deref(), Some("ada@example.com"));
    let started = world.asked("/api/accounts/deviceauth/usercode").pop().unwrap();
    assert_eq!(started.json(), json!({ "client_id": "app_EMoamEEZ73f0CkXaXp7hrann" }));
    let polls = world.asked("/api/accounts/deviceauth/token");
    let given: serde_json::Value = serde_json::from_str(started.said.as_deref().unwrap()).unwrap();
    assert_eq!(polls.len(), 3);
    for poll in polls {
        let expected = json!({ "device_auth_id": given["device_auth_id"], "user_code": code });
        assert_eq!(poll.json(), expected);
    }
}

/// Time that passes only when somebody waits.
struct Time {
    began: i64,
    now: Arc<AtomicI64>,
}

impl Time {
    fn new() -> Self {
        let began = Timestamp::now().as_second();
        Self { began, now: Arc::new(AtomicI64::new(began)) }
    }

    fn now(&self) -> i64 {
        self.now.load(Ordering::SeqCst)
    }

    fn clock(&self) -> Clock {
        let now = Arc::clone(&self.now);
        Box::new(move || Timestamp::from_second(now.load(Ordering::SeqCst)).unwrap())
    }

    fn pass(&self, pause: Duration) {
        self.now.fetch_add(i64::try_from(pause.as_secs()).unwrap(), Ordering::SeqCst);
    }

    fn passing(&self) -> impl AsyncFn(Duration) {
        async |pause| self.pass(pause)
    }
}

fn oauth(world: &World) -> OAuth {
    OAuth {
        client: Client::new(&world.simulator.auth_url()),
        auth_url: world.simulator.auth_url(),
        originator: "codexway".to_owned(),
        user_agent: "codexway/test".to_owned(),
    }
}
