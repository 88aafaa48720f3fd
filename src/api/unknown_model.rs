//! What is said of a model that cannot be had: why, and what to do about it.

use super::Error;
use crate::{
    models::Lack,
    shaping::{UnknownModel, Why},
};

impl From<UnknownModel> for Error {
    fn from(UnknownModel { name, why, nearest, plan }: UnknownModel) -> Self {
        let elsewhere = format!("Model {name} requires an API key or another upstream");
        let mut message =
            format!("The model `{name}` does not exist or you do not have access to it");
        message.push_str(&match &why {
            Why::Lack(Lack::Unknown) => ".".to_owned(),
            Why::Lack(Lack::NotInPlan) => format!(
                ": it is not in the plan of this account. {elsewhere}; or upgrade the plan, or log in to another account with `codexway login`."
            ),
            Why::Lack(Lack::Newer { needs, claimed }) => format!(
                ": it requires a newer version of Codex, `{needs}`, than the `{claimed}` that codexway says it is compatible with. Raise `upstreams.codex.version`, or set it to `auto`."
            ),
            Why::Tail(tail) => format!(
                ": `{tail}` behind its name is no setting; there are `reasoning_effort`, `verbosity` and `service_tier`."
            ),
        });
        if !nearest.is_empty() {
            message.push_str(&format!(" The nearest names are `{}`.", nearest.join("`, `")));
        }
        if plan && why == Why::Lack(Lack::Unknown) {
            message.push_str(&format!(
                " If it is none of them: {elsewhere}, such as a profile with `upstream = \"openai\"`; for development, `unlisted_models = \"forward\"` sends it all the same."
            ));
        }
        Self::not_found(message).code("model_not_found").param("model")
    }
}
