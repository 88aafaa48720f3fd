/// The official `codex exec` as a child process: a script in its place, which needs a shell.
#[cfg(unix)]
mod codex_exec;
/// The OpenAI platform with an API key.
mod openai;
