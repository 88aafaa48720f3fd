use proptest::{collection::vec, prelude::*};

use super::*;

/// Room for so few that something has to go at almost every step.
const FEW: usize = 6;

#[derive(Clone, Copy, Debug)]
enum Step {
    Put { id: u8, previous: Option<u8>, is_large: bool },
    Delete { id: u8 },
    Look { id: u8 },
    Chain { id: u8 },
    Say { id: u8 },
    Unsay { id: u8 },
    Hour,
    Reopen,
}

fn step() -> impl Strategy<Value = Step> {
    let id = 0..10_u8;
    prop_oneof![
        8 => (id.clone(), proptest::option::of(id.clone()), proptest::bool::weighted(0.1))
            .prop_map(|(id, previous, is_large)| Step::Put { id, previous, is_large }),
        2 => id.clone().prop_map(|id| Step::Delete { id }),
        2 => id.clone().prop_map(|id| Step::Look { id }),
        3 => id.clone().prop_map(|id| Step::Chain { id }),
        2 => id.clone().prop_map(|id| Step::Say { id }),
        1 => id.prop_map(|id| Step::Unsay { id }),
        1 => Just(Step::Hour),
        1 => Just(Step::Reopen),
    ]
}

/// Does one step, and tells all that can be seen of it.
async fn take(store: &Store, wall: &Wall, step: Step) -> String {
    match step {
        Step::Put { id, previous, is_large } => {
            let previous = previous.map(|id| id.to_string());
            let size = if is_large { 700 } else { 0 };
            let record = Record { previous, ..record(&id.to_string()).large(size) };
            format!("{:?}", store.put(ME, record).await)
        }
        Step::Delete { id } => format!("{:?}", store.delete(ME, &id.to_string()).await),
        Step::Look { id } => format!("{:?}", item_text(store, &format!("{id}_in")).await),
        Step::Chain { id } => format!("{:?}", chain(store, &id.to_string()).await),
        Step::Say { id } => {
            let name = (id % 2).to_string();
            if !store.add_items(ME, &name, vec![item(&id.to_string(), "text")]).await.unwrap() {
                store.put_conversation(ME, conversation(&name)).await.unwrap();
            }
            format!("{:?}", item_ids(store, &name).await)
        }
        Step::Unsay { id } => {
            let name = (id % 2).to_string();
            format!("{:?}", store.delete_item(ME, &name, &id.to_string()).await)
        }
        Step::Hour => {
            wall.advance(DAY / 24);
            String::new()
        }
        Step::Reopen => format!("{:?}", store.put(ME, record("before")).await),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_file_that_is_opened_now_and_then_keeps_what_memory_keeps(steps in vec(step(), 1..60)) {
        let limits = Limits { max_bytes: record("0").large(0).cost() * FEW, max_age: DAY / 3 };
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let wall = Wall::new();
            let memory = Store(Arc::new(Books::memory(limits, wall.clock())));
            let place = Place::new();
            let mut disk = Some(place.open(limits).unwrap());
            for (at, step) in steps.iter().enumerate() {
                let expected = take(&memory, &wall, *step).await;
                let told = take(disk.as_ref().unwrap(), &place.wall, *step).await;
                assert_eq!(told, expected, "step {at}: {step:?}");
                if matches!(step, Step::Reopen) {
                    drop(disk.take()); // First, for its lock.
                    disk = Some(place.open(limits).unwrap());
                }
                let (disk, memory) = (disk.as_ref().unwrap().0.audit(), memory.0.audit());
                assert_eq!(disk, memory, "after step {at}: {step:?}");
            }
        });
    }
}
