use futures_util::future::BoxFuture;
use pretty_assertions::assert_eq;
use tokio::sync::Notify;

use super::*;
use crate::{
    protocol::Turn,
    upstream::{Answer, CatalogBody, Error},
};

/// An upstream that lists what it is told to, when it is told to.
#[derive(Default)]
struct Lists {
    body: std::sync::Mutex<Option<String>>,
    /// What it was asked with: version and ETag.
    asked: std::sync::Mutex<Vec<(String, Option<String>)>>,
    slow: Option<Notify>,
}

impl Lists {
    fn list(&self, slug: &str) {
        *self.body.lock().unwrap() = Some(format!(r#"{{"models":[{{"slug":"{slug}"}}]}}"#));
    }

    async fn answer(
        &self,
        version: &str,
        etag: Option<&str>,
    ) -> Result<Option<CatalogBody>, Error> {
        self.asked.lock().unwrap().push((version.to_owned(), etag.map(str::to_owned)));
        if let Some(slow) = &self.slow {
            slow.notified().await;
        }
        let body = self.body.lock().unwrap().take();
        Ok(body.map(|json| CatalogBody { json: json.into(), etag: Some("W/1".to_owned()) }))
    }
}

impl Upstream for Lists {
    fn send<'a>(&'a self, _: &'a mut Turn) -> BoxFuture<'a, Result<Answer, Error>> {
        unreachable!("no turn is run")
    }

    fn models<'a>(
        &'a self,
        version: &'a str,
        etag: Option<&'a str>,
    ) -> BoxFuture<'a, Result<Option<CatalogBody>, Error>> {
        Box::pin(self.answer(version, etag))
    }

    fn ready(&self) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(async { Ok(()) })
    }

    fn label(&self) -> &'static str {
        "lists"
    }
}

fn live(version: &str) -> Arc<Live> {
    Arc::new(Live::new(version.to_owned(), Catalog::builtin()))
}

fn first(catalog: Arc<Catalog>) -> String {
    catalog.listed().next().unwrap().slug.clone()
}

#[tokio::test(start_paused = true)]
async fn a_catalogue_is_good_for_an_hour_and_then_asked_for_again_by_its_etag() {
    let (live, lists) = (live("auto"), Lists::default());
    lists.list("first");
    for _ in 0..3 {
        assert_eq!(first(live.asked(&lists).await), "first");
    }
    tokio::time::advance(FRESH).await;
    assert_eq!(first(live.asked(&lists).await), "first", "it has not changed");
    let version = "0.155.0".to_owned();
    let asked = lists.asked.lock().unwrap().clone();
    assert_eq!(asked, [(version.clone(), None), (version, Some("W/1".to_owned()))]);
}

#[tokio::test(start_paused = true)]
async fn an_old_catalogue_serves_while_the_new_one_is_fetched() {
    let lists = Arc::new(Lists { slow: Some(Notify::new()), ..Lists::default() });
    let (live, upstream) = (live("auto"), Arc::clone(&lists) as Arc<dyn Upstream>);
    let may_answer = || lists.slow.as_ref().unwrap().notify_one();
    lists.list("old");
    may_answer();
    assert_eq!(first(live.known(&upstream).await), "old", "who comes first waits");
    lists.list("new");
    tokio::time::advance(FRESH).await;
    assert_eq!(first(live.known(&upstream).await), "old");
    while lists.asked.lock().unwrap().len() < 2 {
        tokio::task::yield_now().await;
    }
    assert_eq!(first(live.known(&upstream).await), "old", "it is being fetched");
    may_answer();
    while first(live.current()) == "old" {
        tokio::task::yield_now().await;
    }
    assert_eq!(first(live.known(&upstream).await), "new");
    assert_eq!(lists.asked.lock().unwrap().len(), 2, "once, whoever asked meanwhile");
}

#[tokio::test(start_paused = true)]
async fn an_upstream_that_does_not_answer_is_waited_for_briefly() {
    let lists = Lists { slow: Some(Notify::new()), ..Lists::default() };
    let live = live("auto");
    let before = Instant::now();
    assert_eq!(first(live.asked(&lists).await), "gpt-6.1-sol", "the built-in one serves");
    assert_eq!(before.elapsed(), PATIENCE);
    assert_eq!(first(live.asked(&lists).await), "gpt-6.1-sol");
    assert_eq!(before.elapsed(), PATIENCE, "and nobody waits again for a while");
}

#[tokio::test]
async fn the_version_claimed_follows_the_catalogue_and_never_falls() {
    let (live, lists) = (live("auto"), Lists::default());
    assert_eq!(&*live.version(), "0.155.0");
    lists.list("only-old-ones");
    live.asked(&lists).await;
    assert_eq!(&*live.version(), "0.155.0");

    let newer = r#"{"models":[{"slug":"next","minimal_client_version":"0.170.2"}]}"#;
    for (setting, expected) in [("auto", "0.170.2"), ("0.99.0", "0.99.0")] {
        let (live, lists) = (self::live(setting), Lists::default());
        *lists.body.lock().unwrap() = Some(newer.to_owned());
        live.asked(&lists).await;
        assert_eq!(&*live.version(), expected);
    }
}
