use std::{fs, io::Write, process::Stdio};

use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use super::{Told, World, mode};

impl World {
    /// Runs a command with something on its stdin.
    fn piped(&self, args: &[&str], input: &str) -> Told {
        let mut command = self.command(args);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // A command that refuses before it reads closes the pipe.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        Told::of(child.wait_with_output().unwrap())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_api_key_is_kept_in_the_official_shape_and_shown_nowhere() {
    let world = World::new().await;
    let told = world.piped(&["login", "--api-key", "--account", "platform"], "  sk-secret\n").ok();
    let kept = json!({"auth_mode": "apikey", "OPENAI_API_KEY": "sk-secret"});
    assert_eq!(world.on_disk("platform"), kept);
    assert_eq!(mode(&world.own("platform")), 0o600);
    assert!(told.stderr.contains("[accounts.platform]\nkind = \"api-key\""), "{told:?}");
    let status = world.run(&["status", "--json"]);
    let account = status.json()["accounts"][1].clone();
    assert_eq!(
        (&account["name"], &account["kind"], &account["state"]),
        (&json!("platform"), &json!("api-key"), &json!("ready"))
    );
    let told_of = [told.stdout, told.stderr, status.stdout, status.stderr].concat();
    assert!(!told_of.contains("sk-secret"), "{told_of}");
    assert!(world.simulator.requests().is_empty());

    let told = world.run(&["logout", "--account", "platform"]).ok();
    assert!(told.stderr.contains("it still works, until it is deleted on the web"), "{told:?}");
    assert!(!world.own("platform").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_an_api_key_is_not_kept() {
    let world = World::new().await;
    for (input, code, expected) in [
        ("", 2, "nothing was given"),
        ("sk-a sk-b", 1, "blanks"),
        ("at-token", 2, "`codexway login --access-token`"),
    ] {
        world.piped(&["login", "--api-key"], input).failed(code, &[expected]);
        assert!(!world.own("default").exists());
    }
    world.run(&["login", "--api-key", "sk-argument"]).failed(2, &["unexpected argument"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_does_not_take_the_place_of_one_of_another_kind() {
    let world = World::new().await;
    world.logged_in("default", &world.simulator.auth_json());
    let before = fs::read(world.own("default")).unwrap();
    let told = world.piped(&["login", "--api-key"], "sk-1");
    told.failed(1, &["`default` holds a ChatGPT login", "--account NAME", "codexway logout"]);
    assert_eq!(fs::read(world.own("default")).unwrap(), before);

    world.piped(&["login", "--api-key", "--account", "platform"], "sk-1").ok();
    let told = world.run(&["login", "--device", "--yes", "--account", "platform"]);
    told.failed(1, &["`platform` holds an API key"]);
    world.piped(&["login", "--api-key", "--account", "platform"], "sk-2").ok();
    assert_eq!(world.on_disk("platform")["OPENAI_API_KEY"], "sk-2");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_api_key_does_not_hide_the_login_that_is_borrowed() {
    let world = World::new().await;
    fs::create_dir(world.home.path().join(".codex")).unwrap();
    fs::write(world.home.path().join(".codex/auth.json"), world.simulator.auth_json()).unwrap();
    world.piped(&["login", "--api-key"], "sk-1").ok();
    let account = world.run(&["status", "--json"]).ok().json()["accounts"][0].clone();
    assert_eq!((&account["kind"], &account["state"]), (&json!("codex"), &json!("ready")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_personal_access_token_is_tried_and_then_kept() {
    let world = World::new().await;
    let token = world.simulator.personal_access_token();
    let args = ["login", "--access-token", "--yes"];
    world.piped(&args, "at-unknown").failed(1, &["does not know this personal access token"]);
    world.piped(&args, "sk-1").failed(2, &["`codexway login --api-key`"]);
    assert!(!world.own("default").exists());
    world.piped(&args, &token).ok();
    let kept = json!({"OPENAI_API_KEY": null, "personal_access_token": token});
    assert_eq!(world.on_disk("default"), kept);
    let account = world.run(&["status", "--json"]).ok().json()["accounts"][0].clone();
    assert_eq!(
        (&account["kind"], &account["plan"], &account["state"], &account["expires_at"]),
        (&json!("codex"), &json!("plus"), &json!("ready"), &Value::Null)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_terminal_somebody_has_to_have_agreed() {
    let world = World::new().await;
    for args in [&["login"][..], &["login", "--device"], &["login", "--access-token"]] {
        let told = world.run(args).failed(2, &["unofficial client", "own", "risk", "`--yes`"]);
        assert_eq!(told.stdout, "");
        assert!(!world.data().exists());
    }
    world.piped(&["login", "--access-token", "--yes"], "at-unknown").failed(1, &[]);
    // It is remembered, whatever became of the login.
    world.piped(&["login", "--access-token"], "at-unknown").failed(1, &["does not know"]);
}

/// `script` gives the command a terminal of its own.
#[cfg(target_os = "linux")]
mod on_a_terminal {
    use std::{
        io::Read,
        process::{Child, Command},
    };

    use pretty_assertions::assert_eq;

    use super::*;

    struct Terminal {
        child: Child,
        shown: String,
    }

    impl Terminal {
        fn start(world: &World, command: &str) -> Self {
            let program = env!("CARGO_BIN_EXE_codexway");
            let mut terminal = Command::new("script");
            let command = format!("tty > tty; exec {program} {command}");
            terminal.args(["-qefc", &command, "/dev/null"]).current_dir(world.home.path());
            for (name, value) in world.command(&[]).get_envs() {
                terminal.env(name, value.unwrap_or_default());
            }
            terminal.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
            Self { child: terminal.spawn().unwrap(), shown: String::new() }
        }

        /// Types a line once the terminal shows nothing of what is typed.
        fn answer_unseen(&mut self, world: &World, prompt: &str, line: &str) {
            let tty = || fs::read_to_string(world.home.path().join("tty")).unwrap_or_default();
            let modes = || {
                let output = Command::new("stty").args(["-a", "-F", tty().trim()]).output();
                String::from_utf8(output.unwrap().stdout).unwrap()
            };
            while !modes().contains(" -echo ") {
                std::thread::yield_now();
            }
            self.answer(prompt, line);
        }

        /// Types a line once `prompt` is there.
        fn answer(&mut self, prompt: &str, line: &str) {
            let mut byte = [0];
            while !self.shown.ends_with(prompt) {
                self.child.stdout.as_mut().unwrap().read_exact(&mut byte).unwrap();
                self.shown.push(char::from(byte[0]));
            }
            self.child.stdin.as_mut().unwrap().write_all(format!("{line}\n").as_bytes()).unwrap();
        }

        fn end(mut self) -> (i32, String) {
            let mut rest = Vec::new();
            self.child.stdout.as_mut().unwrap().read_to_end(&mut rest).unwrap();
            self.shown.push_str(&String::from_utf8_lossy(&rest));
            (self.child.wait().unwrap().code().unwrap(), self.shown)
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn the_text_is_shown_and_the_answer_decides() {
        let world = World::new().await;
        let mut terminal = Terminal::start(&world, "login --device");
        terminal.answer("[y/N] ", "");
        let (code, shown) = terminal.end();
        assert!(code == 1 && shown.contains("not agreed, so nothing was done"), "{shown}");
        assert!(!world.data().exists());
        world.simulator.stop();
        let mut terminal = Terminal::start(&world, "login --device");
        terminal.answer("[y/N] ", "yes");
        let (code, shown) = terminal.end();
        assert!(code == 1 && shown.contains("cannot reach"), "{shown}");
        // Nobody is asked twice.
        world.run(&["login", "--device"]).failed(1, &["cannot reach"]);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn an_api_key_is_typed_without_being_shown() {
        let world = World::new().await;
        let mut terminal = Terminal::start(&world, "login --api-key");
        terminal.answer_unseen(&world, "): ", "sk-typed");
        let (code, shown) = terminal.end();
        assert_eq!(code, 0, "{shown}");
        assert!(!shown.contains("sk-typed"), "{shown}");
        assert_eq!(world.on_disk("default")["OPENAI_API_KEY"], "sk-typed");
    }
}
