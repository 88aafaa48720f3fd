/// The official `codex exec` as a child process: a script in its place, which needs a shell.
#[cfg(unix)]
mod codex_exec;
/// The simulator, for profiles that name it.
mod demo;
/// The OpenAI platform with an API key.
mod openai;
