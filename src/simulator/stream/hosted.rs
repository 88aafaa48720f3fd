//! Output items that the backend works off itself.

use serde_json::{Value, json};

use super::items::{Drawn, Pen, added, merge};

/// A transparent PNG of one pixel.
const PIXEL: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGNgYGBgAAAABQABpfZF\
                     QAAAAABJRU5ErkJggg==";

impl Pen<'_> {
    pub(super) fn web_search(&self, index: usize, query: &str) -> Drawn {
        let id = self.ids.id("ws");
        let item = |status: &str| {
            let action = json!({ "type": "search", "query": query });
            json!({ "id": id, "type": "web_search_call", "status": status, "action": action })
        };
        let step = || json!({ "item_id": id, "output_index": index });
        Drawn {
            opening: vec![
                added(
                    index,
                    &json!({
                        "id": id,
                        "type": "web_search_call",
                        "status": "in_progress",
                    }),
                ),
                ("response.web_search_call.in_progress", step()),
            ],
            deltas: vec![("response.web_search_call.searching", step())],
            closing: vec![("response.web_search_call.completed", step())],
            item: item("completed"),
        }
    }

    pub(super) fn image(&self, index: usize) -> Drawn {
        let id = self.ids.id("ig");
        let item = |status: &str, result: Value| {
            json!({
                "id": id,
                "type": "image_generation_call",
                "status": status,
                "output_format": "png",
                "result": result,
                "revised_prompt": "A transparent pixel.",
            })
        };
        let step = || json!({ "item_id": id, "output_index": index });
        let mut partial = step();
        merge(&mut partial, json!({ "partial_image_b64": PIXEL, "partial_image_index": 0 }));
        Drawn {
            opening: vec![
                added(index, &item("in_progress", Value::Null)),
                ("response.image_generation_call.in_progress", step()),
            ],
            deltas: vec![
                ("response.image_generation_call.generating", step()),
                ("response.image_generation_call.partial_image", partial),
            ],
            closing: vec![("response.image_generation_call.completed", step())],
            item: item("completed", PIXEL.into()),
        }
    }

    pub(super) fn compaction(&self, index: usize) -> Drawn {
        let sealed = self.sealed("everything so far");
        let item =
            json!({ "id": self.ids.id("cmp"), "type": "compaction", "encrypted_content": sealed });
        Drawn { opening: vec![added(index, &item)], deltas: Vec::new(), closing: Vec::new(), item }
    }
}
