//! Every rule of the settings, a sentence each.

use std::{fs, path::PathBuf};

use secrecy::ExposeSecret;
use tempfile::TempDir;

use super::*;

mod defaults;
mod docs;
mod faults;
mod layers;
mod values;

/// A user with a settings file, variables and flags.
struct User {
    folder: TempDir,
    sources: Sources,
}

impl User {
    fn new() -> Self {
        Self { folder: TempDir::new().unwrap(), sources: Sources::default() }
    }

    fn toml(text: &str) -> Self {
        Self::new().file("config.toml", text)
    }

    fn yaml(text: &str) -> Self {
        Self::new().file("config.yaml", text)
    }

    fn variables(env: &[(&str, &str)]) -> Self {
        env.iter().fold(Self::new(), |user, (name, value)| user.variable(name, value))
    }

    fn file(mut self, name: &str, text: &str) -> Self {
        self.sources.file = Some(self.put(name, text));
        self
    }

    fn variable(mut self, name: &str, value: &str) -> Self {
        self.sources.env.push((name.to_owned(), value.to_owned()));
        self
    }

    fn flag(mut self, key: &str, flag: &str, value: &str) -> Self {
        self.sources.flags.push((key.to_owned(), flag.to_owned(), value.into()));
        self
    }

    fn put(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    fn loaded(&self) -> Loaded {
        load(&self.sources).unwrap_or_else(|error| panic!("{error}"))
    }

    fn settings(&self) -> Settings {
        self.loaded().settings
    }

    fn profile(&self) -> Profile {
        self.settings().profiles["codex"].clone()
    }

    /// What the user is told, without the folder's name.
    fn told(&self) -> String {
        let told = load(&self.sources).expect_err("a refusal").to_string();
        told.replace(&format!("{}/", self.folder.path().display()), "")
    }

    fn origin(&self, key: &str) -> String {
        let entry = self.loaded().entries().into_iter().find(|entry| entry.key == key).unwrap();
        entry.origin.replace(&format!("{}/", self.folder.path().display()), "")
    }
}
