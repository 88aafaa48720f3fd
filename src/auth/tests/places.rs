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
    };
    let none = places(None, None);
    assert_eq!(find("own", &none), Folder::Own(own.path().to_owned()));
    assert_eq!(find("~/x", &none), Folder::Borrowed("/home/u/x".into()));
    assert_eq!(find("~", &none), Folder::Borrowed("/home/u".into()));
    assert_eq!(find("/x/auth.json", &none), Folder::Borrowed("/x".into()));
    assert_eq!(find("auto", &none), Folder::Borrowed("/home/u/.codex".into()));
    assert_eq!(
        find("auto", &places(path("/a"), path("/b"))),
        Folder::Variable("OPENAI_CODEX_PATH", "/a".into())
    );
    assert_eq!(
        find("auto", &places(path(""), path("~/b"))),
        Folder::Variable("CODEX_HOME", "/home/u/b".into())
    );
    assert_eq!(find("auto", &Places { home: None, ..none }), Folder::Own(own.path().to_owned()));
    fs::write(own.path().join("auth.json"), "{}").unwrap();
    assert_eq!(find("auto", &places(path("/a"), None)), Folder::Own(own.path().to_owned()));
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
