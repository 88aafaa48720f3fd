use std::{
    path::Path,
    pin::pin,
    task::{Context, Wake, Waker},
};

use futures_util::{
    future::{BoxFuture, ready},
    stream,
};
use http::HeaderMap;

use super::*;
use crate::{
    api::{Responses, Stopping, Surroundings, app::Served, fields, keep::Keeper, prepare::prepare},
    config::{self, Sources},
    protocol::{Event, Turn},
    sse,
    upstream::{Answer, CatalogBody, Error as Failure, Upstream},
};

const PATIENCE: Duration = Duration::from_secs(20);

/// An upstream that answers at once, or slips before it has said anything.
struct Brief {
    slips: bool,
}

impl Upstream for Brief {
    fn send<'a>(&'a self, _: &'a mut Turn) -> BoxFuture<'a, Result<Answer, Failure>> {
        assert!(!self.slips, "a slip");
        let data = br#"{"type":"response.completed","response":{"id":"resp_1","output":[]}}"#;
        let frame = sse::Frame { event: Bytes::new(), data: Bytes::from_static(data) };
        let events = stream::iter([Event::parse(frame).map_err(Failure::from)]).boxed();
        Box::pin(ready(Ok(Answer { headers: HeaderMap::new(), events })))
    }

    fn models<'a>(
        &'a self,
        _: &'a str,
        _: Option<&'a str>,
    ) -> BoxFuture<'a, Result<Option<CatalogBody>, Failure>> {
        unreachable!("the model is known")
    }

    fn ready(&self) -> BoxFuture<'_, Result<(), Failure>> {
        Box::pin(ready(Ok(())))
    }

    fn label(&self) -> &'static str {
        "brief"
    }
}

struct Bench {
    app: App,
    served: Arc<Served>,
}

impl Bench {
    /// With what is kept on a disk.
    fn new(folder: &Path, upstream: Brief, max_bytes: &str) -> Self {
        let vars = [("STORE", "disk"), ("MAX_BYTES", max_bytes)];
        let env = vars.map(|(name, value)| (format!("CODEXWAY__STATE__{name}"), value.to_owned()));
        let env = env.to_vec();
        let settings = config::load(&Sources { env, ..Sources::default() }).unwrap().settings;
        let state_file = folder.join("responses.redb");
        let app = App::new(settings, Surroundings { state_file, ..Surroundings::default() });
        let app = app.unwrap();
        let served = app.profile(None).unwrap();
        let account = Account {
            upstream: Arc::new(upstream),
            models: Arc::clone(&served.models),
            state: Arc::clone(&served.state),
            background: Arc::clone(&served.background),
            upstream_settings: served.upstream_settings.clone(),
            account_settings: served.account_settings.clone(),
        };
        let served = Served {
            name: served.name.clone(),
            profile: served.profile.clone(),
            base_prompt: Arc::clone(&served.base_prompt),
            account: Arc::new(account),
        };
        Self { app, served: Arc::new(served) }
    }

    async fn begin(&self) -> Option<Response> {
        let headers = HeaderMap::new();
        let client = self.served.client(&headers, &self.served.profile);
        let body = br#"{"model":"gpt-5.5","input":"hi","background":true}"#;
        let decoded = Responses::decode(fields::object(body).unwrap(), &client).unwrap().into();
        let prepared = prepare(&self.served, &client, decoded).await.unwrap();
        let keeper = Keeper::new::<Responses>(&self.served.state, 1, None);
        let place = self.app.place(1).await.unwrap();
        let company = Company {
            log: TurnLog::default(),
            keeper,
            cut: Stopping::default().cut(),
            _place: place,
        };
        run(&self.app, prepared, company).await.ok()
    }

    /// What is kept of the only turn there is, and its events, once it has ended.
    async fn ended(&self) -> (Arc<Record>, String) {
        let by_id = self.served.background.turns().by_id.clone();
        let (id, running) = by_id.into_iter().next().unwrap();
        timeout(PATIENCE, running.ended()).await.unwrap();
        let record = self.served.state.shelf.as_ref().unwrap().record(&id).await.unwrap();
        let (_, events) = running.after(0);
        (record.unwrap(), String::from_utf8(events.to_vec()).unwrap())
    }
}

#[tokio::test]
async fn a_panic_before_the_first_event_ends_a_background_turn_as_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let bench = Bench::new(folder.path(), Brief { slips: true }, "1MB");
    bench.begin().await.unwrap();
    let (record, events) = bench.ended().await;
    assert!(!record.running && record.object.get().contains(r#""status":"failed""#), "{record:?}");
    let (_, last) = events.split_once("event: response.failed").unwrap();
    assert!(last.contains(r#""code":"internal_error""#), "{last}");
    assert!(last.ends_with("data: [DONE]\n\n") && !last.contains("slip"), "{last}");
}

#[tokio::test]
async fn a_background_turn_is_run_although_its_client_leaves_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let bench = Bench::new(folder.path(), Brief { slips: false }, "1MB");
    // The client leaves while the disk works.
    let _left = timeout(Duration::ZERO, bench.begin()).await;
    let (record, events) = bench.ended().await;
    assert!(!record.running, "{record:?}");
    assert!(events.contains("event: response.completed"), "{events}");
}

#[tokio::test]
async fn nothing_is_held_of_a_background_turn_that_could_not_begin() {
    let folder = tempfile::tempdir().unwrap();
    let bench = Bench::new(folder.path(), Brief { slips: false }, "1");
    assert!(bench.begin().await.is_none());
    let turns = bench.served.background.turns();
    assert!(turns.by_id.is_empty() && turns.ended.is_empty());
}

/// Forgets a turn at the very moment at which its end is told.
struct Forgets {
    background: Arc<Background>,
    running: Arc<Running>,
}

impl Wake for Forgets {
    fn wake(self: Arc<Self>) {
        assert_eq!(self.running.stage(), Stage::Ended);
        self.background.forget("resp_1");
    }
}

#[test]
fn nothing_is_held_of_a_turn_that_is_deleted_as_it_ends() {
    let background = Arc::new(Background::default());
    let running = Arc::new(Running::queued(vec![Bytes::from_static(b"an event")]));
    let listed = Listed::new(&background, "resp_1".to_owned(), &running);
    let deletes = Forgets { background: Arc::clone(&background), running: Arc::clone(&running) };
    let waker = Waker::from(Arc::new(deletes));
    let mut ended = pin!(running.ended());
    assert!(ended.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    drop(listed);
    let turns = background.turns();
    assert!(turns.by_id.is_empty() && turns.ended.is_empty());
}
