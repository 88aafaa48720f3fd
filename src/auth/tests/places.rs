use pretty_assertions::assert_eq;

use super::*;

#[test]
fn the_source_setting_finds_the_folder() {
    let own = tempfile::tempdir().unwrap();
    let path = |path: &str| Some(PathBuf::from(path));
    let places = |openai_codex_path, codex_home| Places {
        own: own.path().to_owned(),
        openai_codex_path,
        codex_home,
        home: path("/home/u"),
        ..Places::default()
    };
    let none = places(None, None);
    let found = |source, places: &Places| find(source, places).folder();
    assert_eq!(found("own", &none), Folder::Own(own.path().to_owned()));
    assert_eq!(found("~/x", &none), Folder::Borrowed("/home/u/x".into()));
    assert_eq!(found("~", &none), Folder::Borrowed("/home/u".into()));
    assert_eq!(found("/x/auth.json", &none), Folder::Borrowed("/x".into()));
    assert_eq!(found("auto", &none), Folder::Borrowed("/home/u/.codex".into()));
    assert_eq!(
        found("auto", &places(path("/a"), path("/b"))),
        Folder::Variable("OPENAI_CODEX_PATH", "/a".into())
    );
    assert_eq!(
        found("auto", &places(path(""), path("~/b"))),
        Folder::Variable("CODEX_HOME", "/home/u/b".into())
    );
    assert_eq!(found("auto", &Places { home: None, ..none }), Folder::Own(own.path().to_owned()));
    let auto = find("auto", &places(path("/a"), None));
    fs::write(own.path().join("auth.json"), "{}").unwrap();
    assert_eq!(auto.folder(), Folder::Own(own.path().to_owned()), "a login that came later");
    fs::remove_file(own.path().join("auth.json")).unwrap();
    assert_eq!(auto.folder(), Folder::Variable("OPENAI_CODEX_PATH", "/a".into()), "a logout");
    fs::write(own.path().join("auth.json"), r#"{"OPENAI_API_KEY":"sk-1"}"#).unwrap();
    assert_eq!(
        auto.folder(),
        Folder::Variable("OPENAI_CODEX_PATH", "/a".into()),
        "an API key is no ChatGPT login"
    );
    assert_eq!(found("own", &places(None, None)), Folder::Own(own.path().to_owned()));
}

#[tokio::test]
async fn a_folder_without_a_login_is_named_with_its_variable() {
    let world = World::new().await;
    let folder = Folder::Variable("CODEX_HOME", world.dir.path().join("none"));
    let error = world.manager_of(folder).access().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        world.said("there is no ChatGPT login in `{dir}/none` (which `$CODEX_HOME` names); run `codexway login`")
    );
}
