//! The page's data as it changes.

use std::{collections::BTreeMap, convert::Infallible, sync::Arc, time::Duration};

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use tokio::{
    sync::OwnedSemaphorePermit,
    time::{Instant, sleep},
};

use super::{guide::Guides, told};
use crate::{
    api::{App, Stopping},
    sse,
};

/// How often is looked for changes. Turns do not tell of theirs: that would cost them, and a look
/// costs next to nothing while a page is open, and nothing else.
const PACE: Duration = Duration::from_millis(500);
/// How often the accounts are looked at, most of the time without asking anybody.
const LOOKS: Duration = Duration::from_secs(2);
/// After so much silence the page is told that the server is still there.
const SILENCE: Duration = Duration::from_secs(10);

/// Each part that is another than it was, until the page is closed, the server stops, or the
/// settings are others: then the page comes again, and has to have a key that is good by them.
pub(super) fn follow(
    app: App,
    host: String,
    mut stopping: Stopping,
    open: OwnedSemaphorePermit,
) -> Body {
    let stream = async_stream::stream! {
        let _open = open;
        let settings = app.now();
        let looker = app.clone();
        let mut looking = std::pin::pin!(async move {
            loop {
                looker.page().accounts.look(&looker).await;
                sleep(LOOKS).await;
            }
        });
        let mut last: BTreeMap<&'static str, String> = BTreeMap::new();
        let mut guides = Guides::default();
        let mut said = Instant::now();
        while Arc::ptr_eq(&settings, &app.now()) {
            let mut out = BytesMut::new();
            for (name, part) in told::parts(&app, &host, &mut guides) {
                if last.get(name) != Some(&part) {
                    sse::write(&mut out, name.as_bytes(), part.as_bytes());
                    last.insert(name, part);
                }
            }
            if out.is_empty() && said.elapsed() >= SILENCE {
                out.extend_from_slice(b": still here\n\n");
            }
            if !out.is_empty() {
                said = Instant::now();
                yield Ok::<Bytes, Infallible>(out.freeze());
            }
            tokio::select! {
                () = stopping.begun() => break,
                () = sleep(PACE) => {}
                () = &mut looking => unreachable!("it never ends"),
            }
        }
    };
    Body::from_stream(stream)
}
