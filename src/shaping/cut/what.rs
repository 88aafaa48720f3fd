use crate::protocol::{Item, Kind};

/// What a text is, and so which events tell it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    Text,
    Refusal,
    Arguments,
    Input,
}

impl What {
    pub(super) const fn of_delta(kind: Kind) -> Option<Self> {
        Some(match kind {
            Kind::TextDelta => Self::Text,
            Kind::RefusalDelta => Self::Refusal,
            Kind::ArgumentsDelta => Self::Arguments,
            Kind::CustomInputDelta => Self::Input,
            _ => return None,
        })
    }

    pub(super) const fn of_done(kind: Kind) -> Option<Self> {
        Some(match kind {
            Kind::TextDone => Self::Text,
            Kind::RefusalDone => Self::Refusal,
            Kind::ArgumentsDone => Self::Arguments,
            Kind::CustomInputDone => Self::Input,
            _ => return None,
        })
    }

    /// The text of a part of this type.
    pub(super) fn of_part(name: &str) -> Option<Self> {
        Some(match name {
            "output_text" => Self::Text,
            "refusal" => Self::Refusal,
            _ => return None,
        })
    }

    /// The text that an item has itself.
    pub(super) fn of_item(item: &Item) -> Option<Self> {
        Some(match &*item.kind()? {
            "function_call" => Self::Arguments,
            "custom_tool_call" => Self::Input,
            _ => return None,
        })
    }

    /// The type of the part or item that has it.
    pub(super) const fn owner(self) -> &'static str {
        match self {
            Self::Text => "output_text",
            Self::Refusal => "refusal",
            Self::Arguments => "function_call",
            Self::Input => "custom_tool_call",
        }
    }

    pub(super) const fn delta(self) -> Kind {
        match self {
            Self::Text => Kind::TextDelta,
            Self::Refusal => Kind::RefusalDelta,
            Self::Arguments => Kind::ArgumentsDelta,
            Self::Input => Kind::CustomInputDelta,
        }
    }

    pub(super) const fn done(self) -> Kind {
        match self {
            Self::Text => Kind::TextDone,
            Self::Refusal => Kind::RefusalDone,
            Self::Arguments => Kind::ArgumentsDone,
            Self::Input => Kind::CustomInputDone,
        }
    }

    /// The member that holds the whole of it.
    pub(super) const fn member(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Refusal => "refusal",
            Self::Arguments => "arguments",
            Self::Input => "input",
        }
    }

    /// Whether it is one of an item's parts, rather than the item's own.
    pub(super) const fn is_part(self) -> bool {
        matches!(self, Self::Text | Self::Refusal)
    }
}
