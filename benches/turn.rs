//! One streamed turn: through codexway, through a bare pass-through, and at the simulator itself.
//!
//! All three stand in one process and are measured in one run; what counts is the ratio.

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use codexway::{
    api::{self, App, Surroundings},
    config::{self, Sources},
    server::{self, Limits},
    simulator::{Options, Script, Simulator},
};
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use serde_json::{Value, json};
use tokio::{net::TcpListener, runtime::Runtime};

#[path = "support/passthrough.rs"]
mod passthrough;

const DELTAS: [&str; 8] = ["one ", "two ", "three ", "four ", "five ", "six ", "seven ", "eight"];

/// Where a turn is sent, and what with.
struct Target {
    name: &'static str,
    url: String,
    headers: Vec<(&'static str, String)>,
    body: String,
}

struct Bench {
    runtime: Runtime,
    client: reqwest::Client,
    targets: Vec<Target>,
    // Both serve as long as they are held.
    _simulator: Simulator,
    _account: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
        let account = tempfile::tempdir().expect("a folder");
        let (simulator, targets) = runtime.block_on(targets(account.path()));
        let client =
            reqwest::Client::builder().no_proxy().tcp_nodelay(true).build().expect("a client");
        Self { runtime, client, targets, _simulator: simulator, _account: account }
    }

    /// Runs one turn to its end; how long it took until `content` was there, and in all.
    async fn turn(&self, target: &Target) -> Times {
        let began = Instant::now();
        let mut request = self.client.post(&target.url).body(target.body.clone());
        for (name, value) in &target.headers {
            request = request.header(*name, value);
        }
        let mut response = request.send().await.expect("an answer");
        assert_eq!(response.status(), 200);
        let mut content = None;
        while let Some(chunk) = response.chunk().await.expect("a whole answer") {
            let found = || chunk.windows(4).any(|window| window == b"one ");
            if content.is_none() && found() {
                content = Some(began.elapsed());
            }
        }
        Times { content: content.expect("content"), whole: began.elapsed() }
    }

    /// The sum over `n` turns of what `pick` wants to know.
    fn sum(&self, target: &Target, n: u64, pick: impl Fn(&Times) -> Duration) -> Duration {
        self.runtime.block_on(async {
            let mut sum = Duration::ZERO;
            for _ in 0..n {
                sum += pick(&self.turn(black_box(target)).await);
            }
            sum
        })
    }
}

/// Which of the times a bench is about.
type Pick = fn(&Times) -> Duration;

struct Times {
    content: Duration,
    whole: Duration,
}

async fn targets(account: &std::path::Path) -> (Simulator, Vec<Target>) {
    let simulator = Simulator::start(Options::default()).await.expect("a simulator");
    simulator.script_always(Some(Script::new().deltas(&DELTAS)));
    let auth = simulator.auth_json();
    std::fs::write(account.join("auth.json"), &auth).expect("a login");
    let auth: Value = serde_json::from_str(&auth).expect("JSON");
    let env = [
        ("CODEXWAY__UPSTREAMS__CODEX__BASE_URL", simulator.base_url()),
        ("CODEXWAY__UPSTREAMS__CODEX__AUTH_URL", simulator.auth_url()),
        ("CODEXWAY__ACCOUNTS__DEFAULT__SOURCE", account.display().to_string()),
    ];
    let env = env.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    let settings = config::load(&Sources { env, ..Sources::default() }).expect("settings").settings;
    let app = App::new(settings, Surroundings::default()).expect("an app");
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let forever = std::future::pending();
    #[expect(clippy::disallowed_methods, reason = "it serves until the process ends")]
    tokio::spawn(server::run(Limits::default(), listener, api::router(app), forever));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let through = format!("http://{}", listener.local_addr().expect("an address"));
    #[expect(clippy::disallowed_methods, reason = "it serves until the process ends")]
    tokio::spawn(passthrough::serve(listener, simulator.auth_url()));

    let upstream_headers = || {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        vec![
            ("authorization", format!("Bearer {}", text(&auth["tokens"]["access_token"]))),
            ("chatgpt-account-id", text(&auth["tokens"]["account_id"])),
            ("content-type", "application/json".to_owned()),
            ("version", "0.155.0".to_owned()),
            ("session-id", "bench".to_owned()),
        ]
    };
    let upstream_body = json!({
        "model": "gpt-5.5", "instructions": "", "store": false, "stream": true,
        "include": ["reasoning.encrypted_content"],
        "input": [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hi"}]}],
    });
    let chat = json!({"model": "gpt-5.5", "stream": true, "messages": [{"role": "user", "content": "hi"}]});
    let responses = json!({"model": "gpt-5.5", "stream": true, "input": "hi"});
    let target = |name, url: String, headers, body: &Value| Target {
        name,
        url,
        headers,
        body: body.to_string(),
    };
    let upstream = |base: String| format!("{base}/backend-api/codex/responses");
    let targets = vec![
        target("simulator", upstream(simulator.auth_url()), upstream_headers(), &upstream_body),
        target("pass-through", upstream(through), upstream_headers(), &upstream_body),
        target("codexway chat", format!("{url}/v1/chat/completions"), Vec::new(), &chat),
        target("codexway responses", format!("{url}/v1/responses"), Vec::new(), &responses),
    ];
    (simulator, targets)
}

fn turns(criterion: &mut Criterion) {
    let bench = Bench::new();
    let measured: [(&str, Pick); 2] =
        [("first content", |times| times.content), ("whole turn of 8 deltas", |times| times.whole)];
    for (what, pick) in measured {
        let mut group = criterion.benchmark_group(what);
        for target in &bench.targets {
            group.bench_function(BenchmarkId::from_parameter(target.name), |bencher| {
                bencher.iter_custom(|n| bench.sum(target, n, pick));
            });
        }
        group.finish();
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(50).measurement_time(Duration::from_secs(5));
    targets = turns
}
criterion_main!(benches);
