//! The variables of the process, handed down from where they may be read.

use std::{fmt, sync::Arc};

/// The variables of the process. `Debug` tells their names alone: any of them may hold a secret.
#[derive(Clone, Default)]
pub struct Variables(Arc<[(String, String)]>);

impl Variables {
    /// The value of one that is set to something.
    pub fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }
}

impl FromIterator<(String, String)> for Variables {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(variables: I) -> Self {
        Self(variables.into_iter().collect())
    }
}

impl fmt::Debug for Variables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_not_shown() {
        let variables: Variables = [("A", "sesame"), ("B", "")]
            .map(|(name, value)| (name.into(), value.into()))
            .into_iter()
            .collect();
        assert_eq!(format!("{variables:?}"), r#"{"A", "B"}"#);
        assert_eq!((variables.get("A"), variables.get("B")), (Some("sesame"), None));
    }
}
