use std::{fs, path::Path, sync::LazyLock};

use codexway::{
    auth::{self, OAuth, Own, Places, TokenManager},
    config::{self, Sources},
};
use secrecy::ExposeSecret;
use serde_json::Value;
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

thread_local! {
    /// A folder for the one file that is looked at, and what waits for it.
    static HERE: (TempDir, Runtime) = (
        tempfile::tempdir().expect("a folder"),
        Builder::new_current_thread().enable_all().build().expect("a runtime"),
    );
}

fn here(look: impl FnOnce(&Path, &Runtime)) {
    HERE.with(|(folder, runtime)| look(folder.path(), runtime));
}

/// A file of settings is understood, or refused with words; its keys are not shown.
pub(crate) fn config(bytes: &[u8]) {
    here(|folder, _| {
        for name in ["settings.toml", "settings.yaml"] {
            let file = folder.join(name);
            fs::write(&file, bytes).expect("a file");
            match config::load(&Sources { file: Some(file), ..Sources::default() }) {
                Ok(loaded) => {
                    let shown = format!("{}{}", loaded.show(), loaded.show_json());
                    for key in &loaded.settings.server.keys {
                        hides(&shown, key.key.expose_secret(), bytes);
                    }
                }
                Err(error) => assert!(!error.to_string().is_empty(), "it says nothing"),
            }
        }
    });
}

/// A file with a login is understood, or refused with words; neither says what is in it.
pub(crate) fn auth_json(bytes: &[u8]) {
    static CLIENT: LazyLock<auth::Client> =
        LazyLock::new(|| auth::Client::new("http://127.0.0.1:1"));
    here(|folder, runtime| {
        fs::write(folder.join("auth.json"), bytes).expect("a file");
        let mut said = String::new();
        let own = Own::of(&Places { own: folder.to_owned(), ..Places::default() });
        match own.holds() {
            Ok(holds) => said.push_str(&format!("{holds:?}")),
            Err(error) => said.push_str(&format!("{error} {error:?}")),
        }
        said.push_str(&format!("{:?}", own.api_key()));
        let oauth = OAuth {
            client: CLIENT.clone(),
            auth_url: "http://127.0.0.1:1".to_owned(),
            originator: "codexway".to_owned(),
            user_agent: "codexway".to_owned(),
        };
        let source = auth::find(folder.to_str().expect("text"), &Places::default());
        match runtime.block_on(TokenManager::new(source, oauth).snapshot()) {
            Ok(summary) => said.push_str(&format!("{summary:?}")),
            Err(error) => {
                assert!(!error.to_string().is_empty(), "it says nothing");
                said.push_str(&format!("{error} {error:?}"));
            }
        }
        let Ok(document) = serde_json::from_slice::<Value>(bytes) else { return };
        let tokens = &document["tokens"];
        let secrets = ["access_token", "refresh_token", "id_token"].map(|name| &tokens[name]);
        for secret in secrets.into_iter().chain([&document["OPENAI_API_KEY"]]) {
            hides(&said, secret.as_str().unwrap_or_default(), bytes);
        }
    });
}

/// Whether what is `said` is silent about `secret`. One that is short, or stands elsewhere in the
/// file too, may be said for another reason.
fn hides(said: &str, secret: &str, bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if secret.len() >= 16 && text.matches(secret).count() == 1 {
        assert!(!said.contains(secret), "{secret} is in {said}");
    }
}
