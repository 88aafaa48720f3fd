//! Images and files: they are looked at, not only named.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;

use super::wording::{refuse, wrong_type};
use crate::simulator::reply::Refusal;

/// Looks at every image and file in the item's content or output.
pub(super) fn check(item: &Value, path: &str) -> Result<(), Refusal> {
    for key in ["content", "output"] {
        for (index, part) in item[key].as_array().into_iter().flatten().enumerate() {
            let path = format!("{path}.{key}[{index}]");
            if let Some(id) = part["file_id"].as_str() {
                let message = format!("Files [{id}] were not found");
                return Err(Refusal::engine(400, message, Some("input"), None));
            }
            if part["type"] == "input_image" {
                image_url(&part["image_url"], &format!("{path}.image_url"))?;
            }
        }
    }
    Ok(())
}

fn image_url(url: &Value, path: &str) -> Result<(), Refusal> {
    let Some(url) = url.as_str() else {
        return Err(wrong_type(path, "an image URL", url));
    };
    if url.starts_with("https://") || url.starts_with("http://") {
        return Ok(());
    }
    let Some(data) = url.strip_prefix("data:") else {
        return Err(refuse(
            format!(
                "Invalid '{path}'. Expected a valid URL, but got a value with an invalid format."
            ),
            path,
            "invalid_value",
        ));
    };
    match data.split_once(";base64,").map(|(_, data)| BASE64_STANDARD.decode(data)) {
        Some(Ok(bytes)) if is_image(&bytes) => Ok(()),
        _ => Err(refuse(
            "The image data you provided does not represent a valid image. Please check your input \
             and try again with one of the supported image formats: ['image/jpeg', 'image/png', \
             'image/gif', 'image/webp'].",
            "input",
            "invalid_value",
        )),
    }
}

fn is_image(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\x89PNG\r\n\x1a\n")
        || bytes.starts_with(b"\xff\xd8\xff")
        || bytes.starts_with(b"GIF87a")
        || bytes.starts_with(b"GIF89a")
        || (bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP"))
}
