//! The line by which we know a file of ours again, and see whether somebody has changed it.

use crate::cli::files::digest;

const MARK: &str = "codexway-service sha256:";

/// Who wrote a file.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Whose {
    Ours,
    /// We did, and somebody has changed it since.
    OursChanged,
    Others,
}

/// The text with our mark as its second line: an XML file's first one must stay that.
pub(super) fn marked(text: &str, comment: impl Fn(&str) -> String) -> String {
    let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
    let mark = comment(&format!("{MARK}{}", digest(text)));
    format!("{first}\n{mark}\n{rest}")
}

pub(super) fn whose(text: &str) -> Whose {
    let Some((first, rest)) = text.split_once('\n') else { return Whose::Others };
    let (mark, rest) = rest.split_once('\n').unwrap_or((rest, ""));
    let Some((_, told)) = mark.split_once(MARK) else {
        return if text.contains(MARK) { Whose::OursChanged } else { Whose::Others };
    };
    match told.starts_with(&digest(&format!("{first}\n{rest}"))) {
        true => Whose::Ours,
        false => Whose::OursChanged,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_ours_is_known_by_its_mark_and_any_change_is_seen() {
        let ours = marked("first\nsecond\n", |text| format!("# {text}"));
        assert_eq!(ours.lines().count(), 3);
        assert_eq!(whose(&ours), Whose::Ours);
        assert_eq!(whose(&ours.replace("second", "2nd")), Whose::OursChanged);
        assert_eq!(whose(&ours.replace("first", "1st")), Whose::OursChanged);
        assert_eq!(whose(&format!("# a line above\n{ours}")), Whose::OursChanged);
        assert_eq!(whose(&format!("{ours}# a line below\n")), Whose::OursChanged);
        for others in ["", "first", "first\nsecond\n"] {
            assert_eq!(whose(others), Whose::Others, "{others:?}");
        }
    }
}
