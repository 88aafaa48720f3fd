//! Files in the answer's text, for agents that offer no tools and say how they read an edit.

use super::conversation::Conversation;
use super::words;

/// The file that the user wants, as the agent wants it written; `None` if neither does.
pub(super) fn listing(conversation: &Conversation) -> Option<String> {
    let said = &conversation.words;
    let blocks = said.contains("SEARCH/REPLACE");
    if !blocks && !said.contains("*file listing*") {
        return None;
    }
    // The agent's rules follow the user's words.
    let task = said.split("\n\n").next()?;
    if !words::wants_file(task) {
        return None;
    }
    let name = words::file_name(task)?;
    let content = words::file_content(task);
    Some(match blocks {
        true => {
            format!("{name}\n```\n<<<<<<< SEARCH\n=======\n{content}\n>>>>>>> REPLACE\n```\n")
        }
        false => format!("{name}\n```\n{content}\n```\n"),
    })
}
