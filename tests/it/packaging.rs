use std::collections::BTreeSet;

use codexway::{simulator::Script, telemetry::metrics};
use pretty_assertions::assert_eq;
use serde_json::Value;
use yaml_rust2::{Yaml, YamlLoader};

use crate::support::{TestServer, ask, is_alone};

const DASHBOARD: &str = include_str!("../../docker/grafana.json");
const COMPOSE: &str = include_str!("../../docker/compose.yaml");
const KUBERNETES: &str = include_str!("../../docker/kubernetes.yaml");
const DOCKERFILE: &str = include_str!("../../Dockerfile");

#[tokio::test]
async fn the_dashboard_shows_every_metric_and_no_other() {
    if !is_alone("packaging::the_dashboard_shows_every_metric_and_no_other") {
        return;
    }
    let server = TestServer::start().await;
    server.simulator.expire_access_tokens(); // One refresh …
    server.simulator.script(Script::overloaded_503()); // … and one turn that is sent again.
    server.chat(&ask("hi")).await.ok();
    metrics::panicked(); // No request is known that would.
    let told = server.get("/metrics").await.ok().body;
    let types = told.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    let known: BTreeSet<&str> = types.filter_map(|line| line.split(' ').next()).collect();

    let dashboard: Value = serde_json::from_str(DASHBOARD).unwrap();
    let mut queries = Vec::new();
    for panel in dashboard["panels"].as_array().unwrap() {
        let targets = panel["targets"].as_array().unwrap();
        assert!(!targets.is_empty(), "{}", panel["title"]);
        queries.extend(targets.iter().map(|target| target["expr"].as_str().unwrap()));
    }
    let no_name = |c: char| !c.is_ascii_alphanumeric() && c != '_';
    let words = queries.iter().flat_map(|query| query.split(no_name));
    let shown: BTreeSet<&str> = words
        .filter(|word| word.starts_with("codexway_"))
        .map(|word| word.strip_suffix("_bucket").unwrap_or(word))
        .collect();
    assert_eq!(shown, known);
    for query in queries {
        let labels = query.split("by (").skip(1).map(|rest| rest.split(')').next().unwrap());
        for label in labels.flat_map(|labels| labels.split(", ")) {
            assert!(told.contains(&format!("{label}=\"")), "{label} of {query}\n{told}");
        }
    }
}

#[test]
fn the_image_is_built_with_the_toolchain_and_called_the_version_of_the_manifest() {
    let manifest: toml_edit::DocumentMut = include_str!("../../Cargo.toml").parse().unwrap();
    let text = |key: &str| manifest["package"][key].as_str().unwrap();
    assert_eq!(text("version"), env!("CARGO_PKG_VERSION"));
    let base = format!("\nARG RUST=rust:{}.0-slim-bookworm\n", text("rust-version"));
    assert!(DOCKERFILE.contains(&base), "{base}");
    let label = format!("org.opencontainers.image.version=\"{}\"", text("version"));
    assert!(DOCKERFILE.contains(&label), "{label}");
    let image = format!("image: codexway:{}\n", text("version"));
    assert!(COMPOSE.contains(&image) && KUBERNETES.contains(&image), "{image}");
}

#[test]
fn compose_publishes_to_this_machine_alone_and_gives_no_rights() {
    let file = YamlLoader::load_from_str(COMPOSE).unwrap().remove(0);
    let service = &file["services"]["codexway"];
    assert_eq!(words(&service["ports"]), ["127.0.0.1:7531:7531"]);
    assert_eq!(service["read_only"].as_bool(), Some(true));
    assert_eq!(words(&service["cap_drop"]), ["ALL"]);
    assert_eq!(words(&service["security_opt"]), ["no-new-privileges:true"]);
    assert_eq!(words(&service["volumes"]), ["codexway:/var/lib/codexway"]);
    assert!(file["volumes"].as_hash().unwrap().contains_key(&Yaml::from_str("codexway")));
}

#[test]
fn the_pod_runs_without_root_on_a_root_that_cannot_be_written_to() {
    let files = YamlLoader::load_from_str(KUBERNETES).unwrap();
    let kinds: Vec<_> = files.iter().map(|file| file["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["PersistentVolumeClaim", "Deployment", "Service"]);
    let pod = &files[1]["spec"]["template"]["spec"];
    assert_eq!(pod["securityContext"]["runAsNonRoot"].as_bool(), Some(true));
    let container = &pod["containers"][0];
    let security = &container["securityContext"];
    assert_eq!(security["readOnlyRootFilesystem"].as_bool(), Some(true));
    assert_eq!(security["allowPrivilegeEscalation"].as_bool(), Some(false));
    assert_eq!(words(&security["capabilities"]["drop"]), ["ALL"]);
    // As a setting reads it.
    let names: Vec<String> =
        serde_json::from_str(container["env"][0]["value"].as_str().unwrap()).unwrap();
    assert_eq!(names.len(), 4);
    // The service leads to the pod, and the pod's port is that of the image.
    assert_eq!(files[2]["spec"]["selector"], files[1]["spec"]["template"]["metadata"]["labels"]);
    assert_eq!(container["ports"][0]["containerPort"].as_i64(), Some(7531));
    assert_eq!(files[2]["spec"]["ports"][0]["targetPort"], container["ports"][0]["name"]);
}

/// Who stops it waits for as long as it may take: running turns, then a login's refresh.
#[test]
fn nobody_kills_it_while_turns_may_still_end() {
    let grace = codexway::config::Settings::default().server.shutdown_grace.as_secs();
    let refresh = 35;
    assert!(COMPOSE.contains(&format!("stop_grace_period: {}s\n", grace + refresh + 5)));
    assert!(
        KUBERNETES.contains(&format!("terminationGracePeriodSeconds: {}\n", grace + refresh + 5))
    );
}

fn words(list: &Yaml) -> Vec<&str> {
    list.as_vec().unwrap().iter().map(|word| word.as_str().unwrap()).collect()
}
