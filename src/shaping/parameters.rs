//! What becomes of the fields that the upstream may refuse, told to the client rather than lost.

use crate::config::{Parameters, Policy};

/// What was dropped or emulated of one request, by field, and the profile's word on it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ignored {
    policy: Parameters,
    /// Whether the upstream is the platform, which takes most of what the backend refuses.
    platform: bool,
    dropped: Vec<String>,
    emulated: Vec<String>,
    rejected: Option<String>,
}

/// A field that the profile does not let pass unnoticed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejected(pub String);

/// What becomes of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// The upstream is to have it.
    Forward,
    /// It is done here.
    Emulate,
    /// It has no effect, and that has been noted.
    Drop,
}

/// What can be done with a field instead of dropping it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Can {
    /// codexway can do it itself, truthfully.
    pub emulate: bool,
    /// The platform takes it.
    pub platform: bool,
}

impl Ignored {
    #[must_use]
    pub fn new(policy: &Parameters, platform: bool) -> Self {
        Self { policy: policy.clone(), platform, ..Self::default() }
    }

    /// Decides on a field that the backend refuses, and notes what was decided.
    pub fn decide(&mut self, field: &str, can: Can) -> Fate {
        let usual = if self.platform && can.platform { Policy::Forward } else { Policy::Emulate };
        match self.asked(field).unwrap_or(usual) {
            Policy::Forward => Fate::Forward,
            Policy::Emulate if can.emulate => {
                note(&mut self.emulated, field);
                Fate::Emulate
            }
            Policy::Emulate | Policy::Drop | Policy::Reject => {
                self.drop(field);
                Fate::Drop
            }
        }
    }

    /// The profile's own word on a field.
    #[must_use]
    pub fn asked(&self, field: &str) -> Option<Policy> {
        match &self.policy {
            Parameters::Table(table) => table.get(field).copied(),
            Parameters::Lenient | Parameters::Strict => None,
        }
    }

    /// Notes that `field` has no effect.
    pub fn drop(&mut self, field: impl Into<String>) {
        let field = field.into();
        let rejects =
            self.policy == Parameters::Strict || self.asked(&field) == Some(Policy::Reject);
        if rejects && self.rejected.is_none() {
            self.rejected = Some(field.clone());
        }
        note(&mut self.dropped, &field);
    }

    #[must_use]
    pub fn dropped(&self) -> &[String] {
        &self.dropped
    }

    #[must_use]
    pub fn emulated(&self) -> &[String] {
        &self.emulated
    }

    /// # Errors
    /// When the profile wants one of the dropped fields rejected instead.
    pub fn check(&self) -> Result<(), Rejected> {
        self.rejected.clone().map_or(Ok(()), |field| Err(Rejected(field)))
    }
}

fn note(fields: &mut Vec<String>, field: &str) {
    if !fields.iter().any(|known| known == field) {
        fields.push(field.to_owned());
    }
}
