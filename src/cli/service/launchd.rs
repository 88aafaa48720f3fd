//! A launch agent of macOS.

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::anyhow;

use super::{Manager, Plan, State, Trouble, ask};

const LABEL: &str = "org.codexway";

/// What it says of a service that it does not know: `Could not find service "…" in domain for …`.
const NOT_LOADED: &str = "Could not find service";

pub(super) struct Launchd {
    program: PathBuf,
    file: PathBuf,
    log: PathBuf,
    user: u32,
}

impl Launchd {
    pub(super) fn new(home: &Path) -> Self {
        Self::asking("launchctl".into(), home)
    }

    fn asking(program: PathBuf, home: &Path) -> Self {
        #[cfg(unix)]
        let user = rustix::process::getuid().as_raw();
        #[cfg(not(unix))]
        let user = 0;
        Self {
            program,
            file: home.join("Library/LaunchAgents").join(format!("{LABEL}.plist")),
            log: home.join("Library/Logs/codexway.log"),
            user,
        }
    }

    fn launchctl(&self, args: &[&str]) -> Result<String, Trouble> {
        ask(Command::new(&self.program).args(args)).map_err(|trouble| match trouble {
            // As over SSH, where nobody has logged in at the screen: "Could not find domain for",
            // "Domain does not support specified action".
            Trouble::Failed(error)
                if error.to_string().contains("omain")
                    && !error.to_string().contains(NOT_LOADED) =>
            {
                Trouble::Absent(format!("{error:#}"))
            }
            other => other,
        })
    }

    /// Everything that the user runs.
    fn domain(&self) -> String {
        format!("gui/{}", self.user)
    }

    fn target(&self) -> String {
        format!("{}/{LABEL}", self.domain())
    }

    fn is_loaded(&self) -> bool {
        self.launchctl(&["print", &self.target()]).is_ok()
    }
}

impl Manager for Launchd {
    fn name(&self) -> &'static str {
        "launchd"
    }

    fn file(&self) -> &Path {
        &self.file
    }

    fn text(&self, plan: &Plan) -> String {
        let command: String = plan
            .command
            .iter()
            .map(|word| format!("\t\t<string>{}</string>\n", xml(word)))
            .collect();
        let variables: String = plan
            .variables
            .iter()
            .map(|(name, value)| {
                format!("\t\t<key>{}</key>\n\t\t<string>{}</string>\n", xml(name), xml(value))
            })
            .collect();
        let log = xml(&self.log.to_string_lossy());
        // An umask is a decimal number here: 077.
        format!(
            r#"<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
	<key>Label</key>
	<string>{LABEL}</string>
	<key>ProgramArguments</key>
	<array>
{command}	</array>
	<key>EnvironmentVariables</key>
	<dict>
{variables}	</dict>
	<key>RunAtLoad</key>
	<true/>
	<key>KeepAlive</key>
	<dict>
		<key>SuccessfulExit</key>
		<false/>
	</dict>
	<key>ThrottleInterval</key>
	<integer>10</integer>
	<key>ExitTimeOut</key>
	<integer>{stop}</integer>
	<key>Umask</key>
	<integer>63</integer>
	<key>StandardErrorPath</key>
	<string>{log}</string>
</dict>
</plist>
"#,
            stop = plan.stop.as_secs(),
        )
    }

    fn comment(&self, text: &str) -> String {
        format!("<!-- Written by `codexway service install`, which replaces it; {text} -->")
    }

    fn start(&self) -> Result<(), Trouble> {
        if self.is_loaded() {
            // One that runs already is to run what the file says now; it is gone when its turns
            // have ended.
            self.launchctl(&["bootout", &self.target()])?;
            for _ in 0..400 {
                if !self.is_loaded() {
                    break;
                }
                std::thread::sleep(Duration::from_millis(250));
            }
        }
        self.launchctl(&["enable", &self.target()])?;
        let file = self.file.to_str().ok_or_else(|| {
            Trouble::Failed(anyhow!("{} has a name that is no text", self.file.display()))
        })?;
        self.launchctl(&["bootstrap", &self.domain(), file]).map(drop)
    }

    fn stop(&self) -> Result<(), Trouble> {
        if self.is_loaded() {
            self.launchctl(&["bootout", &self.target()])?;
        }
        Ok(())
    }

    fn forget(&self) -> Result<(), Trouble> {
        Ok(()) // It reads the folder at the next login.
    }

    fn state(&self) -> Result<State, Trouble> {
        match self.launchctl(&["print", &self.target()]) {
            Ok(told) => Ok(state(&told)),
            Err(Trouble::Failed(error)) if error.to_string().contains(NOT_LOADED) => {
                Ok(State::default())
            }
            Err(trouble) => Err(trouble),
        }
    }

    fn by_hand(&self) -> String {
        format!("launchctl bootstrap {} '{}'", self.domain(), self.file.display())
    }

    fn notes(&self) -> Vec<String> {
        vec![format!("it logs to {}", self.log.display())]
    }
}

/// Reads what `print` tells of a service that is loaded: lines `NAME = VALUE`, ours less deep than
/// those of what belongs to it.
fn state(told: &str) -> State {
    let value = |name: &str| {
        told.lines()
            .find_map(|line| line.strip_prefix('\t')?.strip_prefix(name)?.strip_prefix(" = "))
    };
    let pid = value("pid").and_then(|pid| pid.parse().ok());
    let running = value("state") == Some("running");
    State { enabled: true, running, pid: pid.filter(|_| running), since: None }
}

fn xml(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs;

    use insta::assert_snapshot;
    use pretty_assertions::assert_eq;

    use super::*;

    /// A `launchctl` that writes down what it is asked, and knows a service while `loaded` exists.
    const SCRIPT: &str = r#"#!/bin/sh
cd "$(dirname "$0")" || exit
echo "$*" >>asked
case $1 in
    print)
        [ -e loaded ] || { echo 'Could not find service in domain for user gui' >&2; exit 113; }
        printf 'gui/501/org.codexway = {\n\tactive count = 1\n\tstate = running\n\n\tpid = 4711\n\tendpoints = {\n\t\tstate = other\n\t}\n}\n'
        ;;
    bootstrap) : >loaded ;;
    bootout) rm loaded ;;
esac
"#;

    #[expect(clippy::unwrap_used, reason = "a test may panic")]
    fn launchd() -> (tempfile::TempDir, Launchd) {
        let home = tempfile::tempdir().unwrap();
        let program = home.path().join("launchctl");
        // By a child: a file that this process had open could not be run beside another's fork.
        let mut write = Command::new("sh");
        write.args(["-c", "printf %s \"$1\" >\"$2\" && chmod 755 \"$2\"", "sh", SCRIPT]);
        assert!(write.arg(&program).status().unwrap().success());
        let launchd = Launchd { user: 501, ..Launchd::asking(program, home.path()) };
        (home, launchd)
    }

    #[test]
    fn the_agent_names_the_program_and_what_it_is_given() {
        let (_home, mut launchd) = launchd();
        launchd.log = "/Users/ada/Library/Logs/codexway.log".into();
        let words = ["/usr/local/bin/codexway", "serve", "--config", "/Users/ada/a <&> b.toml"];
        let plan = Plan {
            command: words.map(str::to_owned).to_vec(),
            variables: vec![("CODEX_HOME".to_owned(), "/Users/ada/codex".to_owned())],
            writable: Vec::new(),
            stop: Duration::from_secs(70),
        };
        assert_snapshot!(launchd.text(&plan).replace('\t', "  "), @r#"
        <?xml version="1.0" encoding="UTF-8"?>
        <!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
        <plist version="1.0">
        <dict>
          <key>Label</key>
          <string>org.codexway</string>
          <key>ProgramArguments</key>
          <array>
            <string>/usr/local/bin/codexway</string>
            <string>serve</string>
            <string>--config</string>
            <string>/Users/ada/a &lt;&amp;&gt; b.toml</string>
          </array>
          <key>EnvironmentVariables</key>
          <dict>
            <key>CODEX_HOME</key>
            <string>/Users/ada/codex</string>
          </dict>
          <key>RunAtLoad</key>
          <true/>
          <key>KeepAlive</key>
          <dict>
            <key>SuccessfulExit</key>
            <false/>
          </dict>
          <key>ThrottleInterval</key>
          <integer>10</integer>
          <key>ExitTimeOut</key>
          <integer>70</integer>
          <key>Umask</key>
          <integer>63</integer>
          <key>StandardErrorPath</key>
          <string>/Users/ada/Library/Logs/codexway.log</string>
        </dict>
        </plist>
        "#);
    }

    #[test]
    fn what_launchd_is_asked() {
        let (home, launchd) = launchd();
        let asked = || {
            let asked = fs::read_to_string(home.path().join("asked")).unwrap_or_default();
            let _ = fs::remove_file(home.path().join("asked"));
            asked.replace(home.path().to_str().unwrap(), "HOME")
        };
        assert_eq!(launchd.state().unwrap(), State::default());
        asked();
        launchd.start().unwrap();
        assert_snapshot!(asked(), @"
        print gui/501/org.codexway
        enable gui/501/org.codexway
        bootstrap gui/501 HOME/Library/LaunchAgents/org.codexway.plist
        ");
        let state = State { enabled: true, running: true, pid: Some(4711), since: None };
        assert_eq!(launchd.state().unwrap(), state);
        asked();
        launchd.start().unwrap();
        assert_snapshot!(asked(), @"
        print gui/501/org.codexway
        bootout gui/501/org.codexway
        print gui/501/org.codexway
        enable gui/501/org.codexway
        bootstrap gui/501 HOME/Library/LaunchAgents/org.codexway.plist
        ");
        launchd.stop().unwrap();
        assert_snapshot!(asked(), @"
        print gui/501/org.codexway
        bootout gui/501/org.codexway
        ");
        assert_eq!(launchd.state().unwrap(), State::default());
    }
}
