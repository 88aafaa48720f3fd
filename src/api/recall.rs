//! What was kept, put back into a request before it is sent.

use super::{Dialect, Error, Reference, dialect::Continues};
use crate::{protocol::Item, shaping::Ignored, state::Shelf};

/// Puts the items that the client named by their ids where they belong. Without its reasoning the
/// model only thinks again, so what is not known of that is left out; without anything else it
/// would answer another question.
pub(super) async fn references<D: Dialect>(
    references: Vec<Reference>,
    shelf: Option<&Shelf>,
    dialect: &mut D,
    input: &mut Vec<Item>,
    ignored: &mut Ignored,
) -> Result<(), Error> {
    let mut known = Vec::with_capacity(references.len());
    for Reference { place, id, param } in references {
        let item = match shelf {
            Some(shelf) => shelf.item(&id).await?,
            None => None,
        };
        match item {
            Some(item) => {
                dialect.recalled(&id, &item);
                let items = D::again(std::slice::from_ref(&item))?;
                if items.is_empty() {
                    ignored.drop(param); // It was kept without its seal.
                }
                known.push((place, items));
            }
            None if id.starts_with("rs_") => ignored.drop(param),
            None => {
                let message = format!("Item with id '{id}' not found.");
                return Err(Error::not_found(message).param("input"));
            }
        }
    }
    // From the end, so that the places before stay what they are.
    for (place, items) in known.into_iter().rev() {
        input.splice(place..place, items);
    }
    Ok(())
}

/// What comes before the request's own input.
pub(super) async fn context<D: Dialect>(
    continues: &Continues,
    shelf: Option<&Shelf>,
) -> Result<Vec<Item>, Error> {
    match continues {
        Continues::Response(id) => {
            let chain = match shelf {
                Some(shelf) => shelf.chain(id).await?,
                None => None,
            };
            let Some(chain) = chain else {
                return Err(Error::invalid(format!("Previous response with id '{id}' not found."))
                    .code("previous_response_not_found")
                    .param("previous_response_id"));
            };
            if chain.iter().any(|record| record.running) {
                return Err(Error::invalid(format!(
                    "Previous response with id '{id}' has not finished yet."
                ))
                .code("previous_response_not_finished")
                .param("previous_response_id"));
            }
            let items: Vec<Item> = chain
                .iter()
                .flat_map(|record| record.input.iter().chain(&record.output))
                .cloned()
                .collect();
            D::again(&items)
        }
        Continues::Conversation(id) => {
            let items = match shelf {
                Some(shelf) => shelf.items(id).await?,
                None => None,
            };
            match items {
                Some(items) => D::again(&items),
                None => Err(Error::not_found(format!("Conversation with id '{id}' not found."))
                    .param("conversation")),
            }
        }
    }
}
