//! The fields of a request that have no effect, told to the client rather than lost.

use crate::config::{Parameters, Policy};

/// What was dropped or emulated of one request, by field.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ignored {
    dropped: Vec<String>,
    emulated: Vec<String>,
}

/// A field that the profile does not let pass unnoticed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejected(pub String);

impl Ignored {
    /// Notes that `field` has no effect.
    pub fn drop(&mut self, field: impl Into<String>) {
        let field = field.into();
        if !self.dropped.contains(&field) {
            self.dropped.push(field);
        }
    }

    /// Notes that `field` is done here rather than upstream.
    pub fn emulate(&mut self, field: impl Into<String>) {
        let field = field.into();
        if !self.emulated.contains(&field) {
            self.emulated.push(field);
        }
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
    pub fn check(&self, policy: &Parameters) -> Result<(), Rejected> {
        let rejects = |field: &&String| match policy {
            Parameters::Lenient => false,
            Parameters::Strict => true,
            Parameters::Table(table) => table.get(*field) == Some(&Policy::Reject),
        };
        match self.dropped.iter().find(rejects) {
            Some(field) => Err(Rejected(field.clone())),
            None => Ok(()),
        }
    }
}
