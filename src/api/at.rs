//! Where something stands in a request, put into words only when there is something to say of it.

use std::fmt;

/// The path to a value, such as `messages[3].content[0]`.
#[derive(Clone, Copy, Debug)]
pub(super) enum At<'a> {
    Field(&'a str),
    /// One of a list, by its number.
    Item(&'a Self, usize),
    Member(&'a Self, &'a str),
}

impl<'a> At<'a> {
    pub(super) const fn item(&'a self, index: usize) -> Self {
        Self::Item(self, index)
    }

    pub(super) const fn member(&'a self, name: &'a str) -> Self {
        Self::Member(self, name)
    }
}

impl fmt::Display for At<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Field(name) => f.write_str(name),
            Self::Item(list, index) => write!(f, "{list}[{index}]"),
            Self::Member(object, name) => write!(f, "{object}.{name}"),
        }
    }
}

impl From<At<'_>> for String {
    fn from(at: At<'_>) -> Self {
        at.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_reads_as_it_would_be_written_in_code() {
        let messages = At::Field("messages");
        assert_eq!(
            messages.item(3).member("content").item(0).to_string(),
            "messages[3].content[0]"
        );
    }
}
