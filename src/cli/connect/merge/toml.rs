use toml_edit::{DocumentMut, Item, TableLike};

use super::Refusal;

pub(super) fn merge(text: &str, ours: &str) -> Result<String, Refusal> {
    let parse = |text: &str| {
        text.parse::<DocumentMut>().map_err(|error| Refusal::Unreadable(error.to_string()))
    };
    let mut file = parse(text)?;
    lay(file.as_table_mut(), parse(ours)?.as_table(), "")?;
    Ok(file.to_string())
}

fn lay(into: &mut dyn TableLike, ours: &dyn TableLike, path: &str) -> Result<(), Refusal> {
    for (key, item) in ours.iter() {
        let path = format!("{path}{key}");
        let Some(known) = into.get_mut(key) else {
            into.insert(key, at_the_end(item.clone()));
            continue;
        };
        match (item.as_table_like(), item.as_value()) {
            (Some(ours), _) => {
                let into = known.as_table_like_mut();
                let into =
                    into.ok_or_else(|| Refusal::InTheWay(format!("`{path}` is no table")))?;
                lay(into, ours, &format!("{path}."))?;
            }
            (None, Some(ours)) => {
                let known = known.as_value_mut();
                let known =
                    known.ok_or_else(|| Refusal::InTheWay(format!("`{path}` is a table")))?;
                if known.to_string().trim() != ours.to_string().trim() {
                    // The blanks and the comment around the old value stay.
                    let around = known.decor().clone();
                    *known = ours.clone();
                    *known.decor_mut() = around;
                }
            }
            (None, None) => {}
        }
    }
    Ok(())
}

/// Without the place that a table had in our text, which would put it between those of the file.
fn at_the_end(mut item: Item) -> Item {
    if let Item::Table(table) = &mut item {
        table.set_position(None);
        for (_, below) in table.iter_mut() {
            *below = at_the_end(std::mem::take(below));
        }
    }
    item
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    const OURS: &str = "model = \"m\"\n\n[providers.codexway]\nurl = \"u\"\n";

    #[test]
    fn what_the_user_wrote_stays_with_its_comments_and_order() {
        let text = "# mine\nmodel = \"x\" # why\nb=1\n\n[z]\nq = [ 1,2 ]\n\n[providers.other]\nurl = 'o'\n\n[a]\n# end\n";
        let merged = merge(text, OURS).unwrap();
        let wanted = "# mine\nmodel = \"m\" # why\nb=1\n\n[z]\nq = [ 1,2 ]\n\n[providers.other]\nurl = 'o'\n\n[providers.codexway]\nurl = \"u\"\n\n[a]\n# end\n";
        assert_eq!(merged, wanted);
        assert_eq!(merge(&merged, OURS).unwrap(), merged);
    }

    #[test]
    fn what_is_no_table_is_told_by_its_path() {
        let refused = merge("providers = 1\n", OURS).unwrap_err();
        assert_eq!(refused, Refusal::InTheWay("`providers` is no table".to_owned()));
    }
}
