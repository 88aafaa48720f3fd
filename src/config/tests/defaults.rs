use std::{collections::BTreeSet, fmt, net::SocketAddr, time::Duration};

use pretty_assertions::assert_eq;
use serde::{Deserialize, Deserializer, de};

use super::{
    super::{schema::ROOT, shape::Shape},
    *,
};

#[test]
fn without_anything_the_defaults_hold() {
    let loaded = User::new().loaded();
    assert_eq!(loaded.settings, Settings::default());
    assert_eq!(loaded.file, None);
    assert!(loaded.entries().iter().all(|entry| entry.origin == "default"));

    let Settings { server, state, .. } = loaded.settings;
    assert_eq!(
        server,
        Server {
            listen: SocketAddr::from(([127, 0, 0, 1], 7531)),
            profile: "codex".to_owned(),
            keys: vec![],
            allowed_hosts: vec![],
            allowed_origins: vec![],
            max_body: 64 << 20,
            max_turns: 256,
            keepalive: Duration::from_secs(15),
            idle_timeout: Duration::from_secs(300),
            shutdown_grace: Duration::from_secs(30),
        }
    );
    let ttl = Duration::from_secs(30 * 24 * 60 * 60);
    assert_eq!(state, State { store: Store::Memory, ttl, max_bytes: 256 << 20 });
}

#[test]
fn the_default_upstreams_are_the_four_kinds() {
    let upstreams = Settings::default().upstreams;
    let named = |(name, upstream): (&String, &Upstream)| name == upstream.kind.as_str();
    assert!(upstreams.iter().all(named));
    assert_eq!(upstreams.len(), UpstreamKind::WORDS.len());
    assert_eq!(upstreams["codex"].base_url, "https://chatgpt.com/backend-api");
    assert_eq!(upstreams["codex"].user_agent, "codexway/{version}");
    assert_eq!(upstreams["openai"].base_url, "https://api.openai.com/v1");
}

#[test]
fn every_setting_stands_in_default_toml_after_its_sentence() {
    let lines: Vec<_> = default_toml().lines().collect();
    let mut section = "";
    let mut found = BTreeSet::new();
    for (above, line) in lines.iter().zip(&lines[1..]) {
        if let Some(name) = line.strip_prefix('[') {
            section = name.trim_end_matches(']');
        }
        let optional = line.strip_prefix("# prompt_mode");
        let key = match (line.split_once(" = "), optional) {
            (_, Some(_)) => "prompt_mode",
            (Some((key, _)), None) if !line.starts_with('#') => key,
            _ => continue,
        };
        let sentence = above.strip_prefix("# ").unwrap_or_else(|| panic!("nothing on {key}"));
        assert!(sentence.starts_with(|c: char| c.is_uppercase() || c == '`'), "{sentence}");
        assert!(sentence.ends_with('.'), "{sentence}");
        found.insert(format!("{section}.{key}"));
    }
    let mut expected = BTreeSet::new();
    keys(&ROOT, "", &mut expected);
    // A setting stands where the kind is that has a use for it.
    let found: BTreeSet<_> = found.iter().map(|key| of_one_kind(key)).collect();
    assert_eq!(found, expected);
}

fn of_one_kind(key: &str) -> String {
    let kinds = ["openai", "demo", "codex-exec"].iter();
    let rest = kinds.filter_map(|kind| key.strip_prefix(&format!("upstreams.{kind}."))).next();
    rest.map_or(key.to_owned(), |rest| format!("upstreams.codex.{rest}"))
}

fn keys(shape: &Shape, key: &str, into: &mut BTreeSet<String>) {
    let below = |name: &str| if key.is_empty() { name.to_owned() } else { format!("{key}.{name}") };
    match shape {
        Shape::Table(fields) => {
            fields.iter().for_each(|(name, shape)| keys(shape, &below(name), into));
        }
        Shape::Map(_, section @ Shape::Table(_)) => {
            keys(section, &below(if key == "accounts" { "default" } else { "codex" }), into);
        }
        _ => {
            into.insert(key.to_owned());
        }
    }
}

#[test]
fn the_schema_holds_every_field_of_the_types_and_nothing_else() {
    let Shape::Table(root) = &ROOT else { panic!("a table") };
    let section = |name: &str| match &root.iter().find(|(field, _)| *field == name).unwrap().1 {
        Shape::Map(_, section) => section,
        section => section,
    };
    let profile = section("profiles");
    let Shape::Table(fields) = profile else { panic!("a table") };
    let reasoning = &fields.iter().find(|(field, _)| *field == "reasoning").unwrap().1;

    assert_eq!(names(&ROOT), fields_of::<Settings>());
    assert_eq!(names(section("server")), fields_of::<Server>());
    assert_eq!(names(section("state")), fields_of::<State>());
    assert_eq!(names(section("accounts")), fields_of::<Account>());
    assert_eq!(names(section("upstreams")), fields_of::<Upstream>());
    assert_eq!(names(profile), fields_of::<Profile>());
    assert_eq!(names(reasoning), fields_of::<Reasoning>());
}

fn names(shape: &Shape) -> Vec<&'static str> {
    let Shape::Table(fields) = shape else { panic!("a table") };
    fields.iter().map(|(name, _)| *name).collect()
}

/// The fields that a type asks its deserializer for.
fn fields_of<T: for<'de> Deserialize<'de>>() -> Vec<&'static str> {
    T::deserialize(FieldSpy).err().unwrap().0.to_vec()
}

struct FieldSpy;

#[derive(Debug)]
struct Fields(&'static [&'static str]);

impl<'de> Deserializer<'de> for FieldSpy {
    type Error = Fields;

    fn deserialize_any<V: de::Visitor<'de>>(self, _: V) -> Result<V::Value, Fields> {
        Err(Fields(&[]))
    }

    fn deserialize_struct<V: de::Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Fields> {
        Err(Fields(fields))
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        unit unit_struct newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

impl de::Error for Fields {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self(&[])
    }
}

impl fmt::Display for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

impl std::error::Error for Fields {}
