use pretty_assertions::assert_eq;

use super::*;

#[tokio::test]
async fn the_least_recently_used_goes_first() {
    everywhere(room_for(3), async |store, _| {
        for id in ["a", "b", "c"] {
            put(store, record(id)).await;
        }
        assert!(has(store, "a").await);
        put(store, record("d")).await;
        assert_eq!(those_there(store, "abcd").await, "acd");
        // A look at an item is one at its response.
        assert!(item_text(store, "a_in").await.is_some());
        put(store, record("e")).await;
        put(store, record("f")).await;
        assert_eq!(those_there(store, "acdef").await, "aef");
    })
    .await;
}

#[tokio::test]
async fn what_makes_room_is_found_nowhere() {
    everywhere(room_for(1), async |store, _| {
        put(store, record("a")).await;
        put(store, record("b")).await;
        assert_eq!(chain(store, "a").await, None);
        assert_eq!(item_text(store, "a_in").await, None);
        put(store, record("a")).await;
        assert_eq!(item_text(store, "a_in").await, Some("question".into()));
    })
    .await;
}

#[tokio::test]
async fn a_conversation_is_not_cut_in_its_middle() {
    everywhere(room_for(5), async |store, _| {
        put(store, record("a")).await;
        put(store, record("b").after("a")).await;
        put(store, record("x")).await;
        put(store, record("c").after("b")).await;
        put(store, record("y")).await;
        // `a` and `b` have not been looked at since long before `x`, but `c` builds on them.
        put(store, record("z")).await;
        assert_eq!(chain(store, "c").await.unwrap(), ["a", "b", "c"]);
        // Reading the chain has renewed all of it.
        put(store, record("w")).await;
        assert_eq!(chain(store, "c").await.unwrap(), ["a", "b", "c"]);
        assert_eq!(those_there(store, "xyzw").await, "zw");
    })
    .await;
}

#[tokio::test]
async fn what_is_deleted_stays_for_a_newcomer_that_builds_on_it() {
    everywhere(room_for(2), async |store, _| {
        put(store, record("a")).await;
        put(store, record("b").after("a")).await;
        assert!(store.delete(ME, "a").await.unwrap());
        // `b` has to go, for which alone `a` was still there.
        put(store, record("c").after("a")).await;
        assert_eq!(chain(store, "c").await.unwrap(), ["a", "c"]);
        assert!(!has(store, "b").await);
    })
    .await;
}

#[tokio::test]
async fn an_old_conversation_goes_from_its_young_end() {
    everywhere(room_for(3), async |store, _| {
        put(store, record("a")).await;
        put(store, record("b").after("a")).await;
        put(store, record("c").after("b")).await;
        put(store, record("x")).await;
        assert_eq!(chain(store, "b").await.unwrap(), ["a", "b"]);
        assert_eq!(those_there(store, "abcx").await, "abx");
    })
    .await;
}

#[tokio::test]
async fn a_conversation_goes_as_a_whole() {
    everywhere(room_for(4), async |store, _| {
        store.put_conversation(ME, conversation("c")).await.unwrap();
        store.add_items(ME, "c", vec![item("i", "text"), item("j", "text")]).await.unwrap();
        for id in ["a", "b", "d", "e"] {
            put(store, record(id)).await;
        }
        assert!(store.conversation(ME, "c").await.unwrap().is_none());
        assert_eq!(item_text(store, "j").await, None);
        assert_eq!(those_there(store, "abde").await, "abde");
    })
    .await;
}

#[tokio::test]
async fn what_is_too_large_is_said_to_be_and_costs_nobody_his_place() {
    everywhere(room_for(3), async |store, _| {
        put(store, record("a")).await;
        put(store, record("b")).await;
        let error = store.put(ME, record("c").large(4096)).await.unwrap_err();
        let max_bytes = room_for(3).max_bytes;
        let bytes = record("c").large(4096).cost();
        assert_eq!(error, Error::TooLarge { bytes, max_bytes });
        assert_eq!(those_there(store, "abc").await, "ab");
    })
    .await;
}

#[tokio::test]
async fn a_response_that_would_push_out_its_own_beginning_is_too_large() {
    everywhere(room_for(3), async |store, _| {
        put(store, record("a")).await;
        put(store, record("b").after("a")).await;
        put(store, record("c").after("b")).await;
        let error = store.put(ME, record("d").after("c")).await.unwrap_err();
        assert!(matches!(error, Error::TooLarge { .. }), "{error}");
        assert_eq!(chain(store, "c").await.unwrap(), ["a", "b", "c"]);
        // A branch is short enough, and pushes out the other one.
        put(store, record("e").after("b")).await;
        assert_eq!(chain(store, "e").await.unwrap(), ["a", "b", "e"]);
        assert!(!has(store, "c").await);
    })
    .await;
}

#[tokio::test]
async fn a_running_response_makes_no_room_for_others() {
    everywhere(room_for(3), async |store, wall| {
        put(store, record("a")).await;
        put(store, record("r").after("a").running()).await;
        for id in ["b", "c", "d"] {
            put(store, record(id)).await;
        }
        wall.advance(DAY * 2);
        put(store, record("e")).await;
        assert_eq!(chain(store, "r").await.unwrap(), ["a", "r"]);
        assert_eq!(those_there(store, "bcde").await, "e");
        put(store, record("r").after("a")).await;
        for id in ["f", "g", "h"] {
            put(store, record(id)).await;
        }
        assert_eq!(those_there(store, "arfgh").await, "fgh");
    })
    .await;
}

#[tokio::test]
async fn what_has_no_room_beside_the_running_ones_is_too_large() {
    everywhere(room_for(3), async |store, _| {
        put(store, record("a")).await;
        put(store, record("r").after("a").running()).await;
        put(store, record("b")).await;
        let error = store.put(ME, record("s").after("b").running()).await.unwrap_err();
        assert!(matches!(error, Error::TooLarge { .. }), "{error}");
        assert_eq!(those_there(store, "arbs").await, "arb");
    })
    .await;
}

#[tokio::test]
async fn what_is_not_used_for_long_is_gone() {
    everywhere(AMPLE, async |store, wall| {
        put(store, record("a")).await;
        put(store, record("b").after("a")).await;
        put(store, record("x")).await;
        store.put_conversation(ME, conversation("c")).await.unwrap();
        wall.advance(DAY / 2);
        assert_eq!(chain(store, "b").await.unwrap(), ["a", "b"]);
        wall.advance(DAY / 2);
        // Gone for a reader, even before a writer has swept.
        assert_eq!(those_there(store, "x").await, "");
        assert_eq!(item_text(store, "x_in").await, None);
        assert!(store.conversation(ME, "c").await.unwrap().is_none());
        // Whoever used `b` has used `a`.
        assert_eq!(those_there(store, "ab").await, "ab");
        wall.advance(DAY);
        put(store, record("y").after("b")).await;
        assert_eq!(chain(store, "y").await, None);
    })
    .await;
}

#[tokio::test]
async fn a_clock_that_goes_back_loses_nothing_and_keeps_nothing_for_ever() {
    everywhere(AMPLE, async |store, wall| {
        put(store, record("a")).await;
        let before = wall.set(0);
        put(store, record("b")).await;
        assert_eq!(those_there(store, "ab").await, "ab");
        wall.set(before);
        assert_eq!(those_there(store, "ab").await, "ab");
        wall.set(before - 10 * DAY.as_secs());
        assert_eq!(those_there(store, "ab").await, "ab");
        wall.advance(DAY);
        assert_eq!(those_there(store, "ab").await, "");
    })
    .await;
}
