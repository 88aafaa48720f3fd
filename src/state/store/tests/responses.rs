use futures_util::future::join_all;
use pretty_assertions::assert_eq;

use super::*;

#[tokio::test]
async fn a_response_is_found_with_all_that_was_kept() {
    everywhere(AMPLE, async |store, _| {
        let kept = Record {
            object: serde_json::from_str(r#"{"id": "a",  "né": 1e400, "n": [1, 2.50]}"#).unwrap(),
            ..record("a").after("gone").large(70_000)
        };
        put(store, kept.clone()).await;
        let found = store.record(ME, "a").await.unwrap().unwrap();
        assert_eq!(format!("{found:?}"), format!("{kept:?}"));
        assert!(!has(store, "b").await);
    })
    .await;
}

#[tokio::test]
async fn what_is_kept_for_one_is_not_seen_by_another() {
    everywhere(AMPLE, async |store, _| {
        put(store, record("a")).await;
        store.put_conversation(ME, conversation("c")).await.unwrap();
        let other = "codex/other";
        assert!(store.record(other, "a").await.unwrap().is_none());
        assert!(store.chain(other, "a").await.unwrap().is_none());
        assert!(store.item(other, "a_in").await.unwrap().is_none());
        assert!(store.conversation(other, "c").await.unwrap().is_none());
        assert!(!store.delete(other, "a").await.unwrap());
        store.put(other, record("b").after("a")).await.unwrap();
        assert!(store.chain(other, "b").await.unwrap().is_none());
        store.put(other, record("a").large(10)).await.unwrap();
        assert_eq!(store.record(ME, "a").await.unwrap().unwrap().output.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_response_put_again_replaces_the_first() {
    everywhere(AMPLE, async |store, _| {
        put(store, record("a")).await;
        put(store, record("b").after("a").running()).await;
        put(store, record("c").after("b")).await;
        put(store, Record { output: vec![item("new", "text")], ..record("b").after("a") }).await;
        let found = store.record(ME, "b").await.unwrap().unwrap();
        assert!(!found.running);
        assert_eq!(item_text(store, "b_out").await, None);
        assert_eq!(item_text(store, "new").await, Some("text".into()));
        assert_eq!(chain(store, "c").await.unwrap(), ["a", "b", "c"]);
    })
    .await;
}

#[tokio::test]
async fn a_chain_begins_with_the_oldest() {
    everywhere(AMPLE, async |store, _| {
        put(store, record("a")).await;
        put(store, record("b").after("a")).await;
        put(store, record("c").after("b")).await;
        put(store, record("d").after("a")).await;
        assert_eq!(chain(store, "a").await.unwrap(), ["a"]);
        assert_eq!(chain(store, "c").await.unwrap(), ["a", "b", "c"]);
        assert_eq!(chain(store, "d").await.unwrap(), ["a", "d"]);
        assert_eq!(chain(store, "e").await, None);
    })
    .await;
}

#[tokio::test]
async fn a_response_whose_beginning_was_never_there_has_no_chain() {
    everywhere(AMPLE, async |store, _| {
        put(store, record("b").after("a")).await;
        put(store, record("c").after("b")).await;
        put(store, record("a")).await;
        assert!(has(store, "c").await);
        assert_eq!(chain(store, "b").await, None);
        assert_eq!(chain(store, "c").await, None);
        put(store, record("b").after("a")).await;
        assert_eq!(chain(store, "c").await.unwrap(), ["a", "b", "c"]);
    })
    .await;
}

#[tokio::test]
async fn a_response_cannot_build_on_itself() {
    everywhere(AMPLE, async |store, _| {
        put(store, record("a").after("a")).await;
        assert_eq!(chain(store, "a").await, None);
        put(store, record("a")).await;
        put(store, record("b").after("a")).await;
        put(store, record("a").after("b")).await;
        assert_eq!(chain(store, "b").await, None);
    })
    .await;
}

#[tokio::test]
async fn a_deleted_response_is_hidden_at_once() {
    everywhere(AMPLE, async |store, _| {
        put(store, record("a")).await;
        put(store, record("b").after("a")).await;
        for id in ["a", "b"] {
            assert!(store.delete(ME, id).await.unwrap());
            assert!(!store.delete(ME, id).await.unwrap());
            assert!(!has(store, id).await);
            assert_eq!(chain(store, id).await, None);
            assert_eq!(item_text(store, &format!("{id}_in")).await, None);
            assert_eq!(item_text(store, &format!("{id}_out")).await, None);
        }
    })
    .await;
}

#[tokio::test]
async fn a_deleted_response_stays_for_those_that_build_on_it() {
    everywhere(AMPLE, async |store, _| {
        put(store, record("a")).await;
        put(store, record("b").after("a")).await;
        put(store, record("c").after("b")).await;
        put(store, record("d").after("b")).await;
        store.delete(ME, "a").await.unwrap();
        store.delete(ME, "b").await.unwrap();
        store.delete(ME, "c").await.unwrap();
        assert_eq!(chain(store, "d").await.unwrap(), ["a", "b", "d"]);
        store.delete(ME, "d").await.unwrap();
        // What a client that still has the ids sends now builds on nothing.
        put(store, record("e").after("b")).await;
        put(store, record("f").after("a")).await;
        assert_eq!(chain(store, "e").await, None);
        assert_eq!(chain(store, "f").await, None);
    })
    .await;
}

#[tokio::test]
async fn a_turn_that_began_before_its_beginning_was_deleted_still_ends() {
    everywhere(AMPLE, async |store, _| {
        put(store, record("a")).await;
        put(store, record("b").after("a").running()).await;
        store.delete(ME, "a").await.unwrap();
        put(store, record("b").after("a")).await;
        assert_eq!(chain(store, "b").await.unwrap(), ["a", "b"]);
    })
    .await;
}

#[tokio::test]
async fn a_long_chain_is_deleted_from_its_beginning() {
    everywhere(AMPLE, async |store, _| {
        put(store, record("0")).await;
        for n in 1..200 {
            put(store, record(&n.to_string()).after(&(n - 1).to_string())).await;
        }
        for n in 0..199 {
            assert!(store.delete(ME, &n.to_string()).await.unwrap());
        }
        assert_eq!(chain(store, "199").await.unwrap().len(), 200);
        store.delete(ME, "199").await.unwrap();
        put(store, record("x").after("0")).await;
        assert_eq!(chain(store, "x").await, None);
    })
    .await;
}

#[tokio::test]
async fn an_item_is_found_by_its_id_and_the_youngest_wins() {
    everywhere(AMPLE, async |store, _| {
        let saying = |text: &str| vec![item("it", text)];
        put(store, Record { input: saying("one"), ..record("a") }).await;
        put(store, Record { output: saying("two"), ..record("b") }).await;
        assert_eq!(item_text(store, "it").await, Some("two".into()));
        store.put_conversation(ME, conversation("c")).await.unwrap();
        store.add_items(ME, "c", saying("three")).await.unwrap();
        assert_eq!(item_text(store, "it").await, Some("three".into()));
        store.delete_conversation(ME, "c").await.unwrap();
        assert_eq!(item_text(store, "it").await, Some("two".into()));
        put(store, Record { input: saying("four"), ..record("a") }).await;
        assert_eq!(item_text(store, "it").await, Some("four".into()));
        store.delete(ME, "a").await.unwrap();
        assert_eq!(item_text(store, "it").await, Some("two".into()));
    })
    .await;
}

#[tokio::test]
async fn what_many_keep_at_once_is_all_kept() {
    everywhere(AMPLE, async |store, _| {
        let ids: Vec<String> = (0..40).map(|n| n.to_string()).collect();
        join_all(ids.iter().map(|id| put(store, record(id)))).await;
        let found = join_all(ids.iter().map(|id| has(store, id))).await;
        assert!(found.into_iter().all(|found| found));
    })
    .await;
}
