//! Why there is no such model here.

use std::cmp::Ordering;

use super::{Catalog, compare_versions};

/// Why a catalogue has no model of some name, as far as can be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lack {
    /// Nothing is known of such a model.
    Unknown,
    /// There is one, and the account's plan does not have it.
    NotInPlan,
    /// There is one, for clients of the version `needs` and later; the upstream was asked as
    /// `claimed`.
    Newer { needs: String, claimed: String },
}

impl Catalog {
    /// Why it has no model called `slug`, judged by what is known of all models.
    #[must_use]
    pub fn lack(&self, slug: &str) -> Lack {
        let known = Self::builtin();
        let (Some(claimed), Some(model)) = (&self.asked_as, known.find(slug)) else {
            return Lack::Unknown;
        };
        match &model.minimal_client_version {
            Some(needs) if compare_versions(needs, claimed) == Ordering::Greater => {
                Lack::Newer { needs: needs.clone(), claimed: claimed.clone() }
            }
            _ => Lack::NotInPlan,
        }
    }

    /// Whether a plan pays for its turns, so that an API key may have more models.
    #[must_use]
    pub fn is_of_a_plan(&self) -> bool {
        self.models.iter().any(|model| !model.billed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_told_apart() {
        let shown = br#"{"models":[{"slug":"gpt-5.5"}]}"#;
        let lack = |version: Option<&str>, slug: &str| {
            let catalog = Catalog::parse(shown).unwrap();
            version.map_or(catalog.clone(), |version| catalog.asked_as(version)).lack(slug)
        };
        let newer = Lack::Newer { needs: "0.153.0".to_owned(), claimed: "0.99.0".to_owned() };
        assert_eq!(lack(Some("0.99.0"), "gpt-6-astra"), newer);
        assert_eq!(lack(Some("0.153.0"), "gpt-6-astra"), Lack::NotInPlan);
        assert_eq!(lack(Some("0.153.0"), "gpt-4o"), Lack::Unknown);
        assert_eq!(lack(None, "gpt-6-astra"), Lack::Unknown);
        assert!(Catalog::builtin().is_of_a_plan() && !Catalog::builtin().billed().is_of_a_plan());
    }
}
