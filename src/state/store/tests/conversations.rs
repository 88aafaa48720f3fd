use pretty_assertions::assert_eq;

use super::*;

#[tokio::test]
async fn a_conversation_is_found_as_it_was_put() {
    everywhere(AMPLE, async |store, _| {
        let mut kept = conversation("c");
        store.put_conversation(ME, kept.clone()).await.unwrap();
        store.add_items(ME, "c", vec![item("i", "text")]).await.unwrap();
        kept.metadata = raw(&json!({"topic": "demo"}));
        assert!(store.replace_conversation(ME, kept.clone()).await.unwrap());
        let found = store.conversation(ME, "c").await.unwrap().unwrap();
        assert_eq!(format!("{found:?}"), format!("{kept:?}"));
        assert_eq!(item_ids(store, "c").await.unwrap(), ["i"]);
    })
    .await;
}

#[tokio::test]
async fn what_is_said_of_a_conversation_does_not_bring_it_back() {
    everywhere(AMPLE, async |store, _| {
        store.put_conversation(ME, conversation("c")).await.unwrap();
        assert!(store.delete_conversation(ME, "c").await.unwrap());
        assert!(!store.replace_conversation(ME, conversation("c")).await.unwrap());
        assert!(store.conversation(ME, "c").await.unwrap().is_none());
    })
    .await;
}

#[tokio::test]
async fn items_stay_in_the_order_in_which_they_were_added() {
    everywhere(AMPLE, async |store, _| {
        store.put_conversation(ME, conversation("c")).await.unwrap();
        assert_eq!(item_ids(store, "c").await.unwrap(), [""; 0]);
        for ids in [["z", "y"], ["b", "a"], ["n", "m"]] {
            let items = ids.map(|id| item(id, "text")).to_vec();
            assert!(store.add_items(ME, "c", items).await.unwrap());
        }
        assert!(store.delete_item(ME, "c", "b").await.unwrap());
        assert!(!store.delete_item(ME, "c", "b").await.unwrap());
        assert_eq!(item_ids(store, "c").await.unwrap(), ["z", "y", "a", "n", "m"]);
        assert_eq!(item_text(store, "b").await, None);
    })
    .await;
}

#[tokio::test]
async fn a_conversation_takes_its_items_with_it() {
    everywhere(AMPLE, async |store, _| {
        store.put_conversation(ME, conversation("c")).await.unwrap();
        store.add_items(ME, "c", vec![item("i", "text")]).await.unwrap();
        assert!(store.delete_conversation(ME, "c").await.unwrap());
        assert!(!store.delete_conversation(ME, "c").await.unwrap());
        assert!(store.conversation(ME, "c").await.unwrap().is_none());
        assert_eq!(item_ids(store, "c").await, None);
        assert_eq!(item_text(store, "i").await, None);
        assert!(!store.add_items(ME, "c", vec![item("j", "text")]).await.unwrap());
        assert!(!store.delete_item(ME, "c", "i").await.unwrap());
        assert_eq!(item_text(store, "j").await, None);
    })
    .await;
}

#[tokio::test]
async fn a_response_and_its_conversation_are_finished_together() {
    everywhere(AMPLE, async |store, _| {
        store.put_conversation(ME, conversation("c")).await.unwrap();
        let items = || vec![item("a_in", "question"), item("a_out", "answer")];
        assert!(store.finish(ME, record("a"), Some(("c", items()))).await.unwrap());
        assert!(has(store, "a").await);
        assert_eq!(item_ids(store, "c").await.unwrap(), ["a_in", "a_out"]);
        // A conversation that was deleted in the meantime does not take the response with it.
        store.delete_conversation(ME, "c").await.unwrap();
        assert!(!store.finish(ME, record("b"), Some(("c", items()))).await.unwrap());
        assert!(has(store, "b").await);
        assert_eq!(item_ids(store, "c").await, None);
    })
    .await;
}

#[tokio::test]
async fn neither_is_finished_if_one_does_not_fit() {
    everywhere(room_for(4), async |store, _| {
        store.put_conversation(ME, conversation("c")).await.unwrap();
        let large = vec![item("i", &"x".repeat(4096))];
        let error = store.finish(ME, record("a"), Some(("c", large))).await.unwrap_err();
        assert!(matches!(error, Error::TooLarge { .. }), "{error}");
        assert!(!has(store, "a").await);
        assert_eq!(item_ids(store, "c").await.unwrap(), [""; 0]);
    })
    .await;
}
