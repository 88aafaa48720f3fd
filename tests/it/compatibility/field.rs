//! Where in a request or an answer a field stands.

use serde_json::Value;

/// A path such as `messages[user].content[file].file.file_id`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Field {
    steps: Vec<Step>,
    /// Everything inside it as well: `.*`.
    pub(super) all: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    /// The member of that name.
    Name(String),
    /// The elements of that type or role; all of them where it is empty.
    Each(String),
    /// The object itself, if it is of that type.
    As(String),
}

impl Field {
    pub(super) fn parse(text: &str) -> Self {
        let (text, all) = match text.strip_suffix(".*") {
            Some(text) => (text, true),
            None => (text, false),
        };
        let mut steps = Vec::new();
        for part in text.split('.') {
            let end = part.find(['[', '(']).unwrap_or(part.len());
            let (name, mut places) = part.split_at(end);
            steps.push(Step::Name(name.to_owned()));
            while let Some(end) = places.find([']', ')']) {
                let kind = places[1..end].to_owned();
                steps.push(match places.as_bytes()[0] {
                    b'[' => Step::Each(kind),
                    _ => Step::As(kind),
                });
                places = &places[end + 1..];
            }
        }
        Self { steps, all }
    }

    /// Its names alone, which is what headers and errors call it.
    pub(super) fn label(&self) -> String {
        self.names().collect::<Vec<_>>().join(".")
    }

    /// The field of the request that it is or stands in.
    pub(super) fn first(&self) -> &str {
        self.names().next().expect("a path has a name")
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        self.steps.iter().filter_map(|step| match step {
            Step::Name(name) => Some(name.as_str()),
            Step::Each(_) | Step::As(_) => None,
        })
    }

    /// Whether a row about this field tells what becomes of `name`: it is that field, stands in it,
    /// or is all that is in a field around it.
    pub(super) fn tells_of(&self, name: &Self) -> bool {
        let like = |(own, other): (&Step, &Step)| match (own, other) {
            (Step::Each(own), Step::Each(other)) => own.is_empty() || own == other,
            (own, other) => own == other,
        };
        self.steps.iter().zip(&name.steps).all(like)
            && (name.steps.len() <= self.steps.len() || self.all)
    }

    /// Every value that stands there.
    pub(super) fn values<'v>(&self, value: &'v Value) -> Vec<&'v Value> {
        walk(&self.steps, vec![value])
    }

    /// The objects that it may stand in, and how many of them have it.
    pub(super) fn counted(&self, value: &Value) -> (usize, usize) {
        let is_name = |step: &Step| matches!(step, Step::Name(_));
        let last = self.steps.iter().rposition(is_name).expect("a path has a name");
        let (around, own) = self.steps.split_at(last);
        let around = walk(around, vec![value]).into_iter().filter(|value| value.is_object());
        let (mut objects, mut having) = (0, 0);
        for object in around {
            objects += 1;
            having += usize::from(!walk(own, vec![object]).is_empty());
        }
        (objects, having)
    }

    /// Takes it out of `value`, wherever it stands.
    pub(super) fn remove_from(&self, value: &mut Value) {
        remove(&self.steps, value);
    }

    /// The paths of all members of `value`, but for those that say which shape an object has.
    pub(super) fn all_in(value: &Value) -> Vec<Self> {
        let mut found = Vec::new();
        members(value, &mut Vec::new(), &mut found);
        found.into_iter().map(|steps| Self { steps, all: false }).collect()
    }

    /// The same path, whatever shape the objects on it have.
    pub(super) fn of_any_shape(mut self) -> Self {
        self.steps.retain(|step| !matches!(step, Step::As(_)));
        self
    }
}

fn is_kind(value: &Value, kind: &str) -> bool {
    kind.is_empty() || value["type"] == kind || (value["type"].is_null() && value["role"] == kind)
}

fn walk<'v>(steps: &[Step], from: Vec<&'v Value>) -> Vec<&'v Value> {
    steps.iter().fold(from, |values, step| match step {
        Step::Name(name) => values.into_iter().filter_map(|value| value.get(name)).collect(),
        Step::Each(kind) => {
            let all = values.into_iter().filter_map(Value::as_array).flatten();
            all.filter(|value| is_kind(value, kind)).collect()
        }
        Step::As(kind) => values.into_iter().filter(|value| is_kind(value, kind)).collect(),
    })
}

fn remove(steps: &[Step], value: &mut Value) {
    let rest = &steps[1..];
    let is_last = !rest.iter().any(|step| matches!(step, Step::Name(_)));
    match &steps[0] {
        Step::Name(name) if is_last => {
            drop(value.as_object_mut().map(|object| object.remove(name)))
        }
        Step::Name(name) => {
            if let Some(inner) = value.get_mut(name) {
                remove(rest, inner);
            }
        }
        Step::Each(kind) => {
            let all = value.as_array_mut().into_iter().flatten();
            all.filter(|value| is_kind(value, kind)).for_each(|value| remove(rest, value));
        }
        Step::As(kind) if is_kind(value, kind) => remove(rest, value),
        Step::As(_) => {}
    }
}

fn members(value: &Value, at: &mut Vec<Step>, found: &mut Vec<Vec<Step>>) {
    match value {
        Value::Object(object) => {
            for (name, member) in object.iter().filter(|(name, _)| *name != "type") {
                at.push(Step::Name(name.clone()));
                found.push(at.clone());
                members(member, at, found);
                at.pop();
            }
        }
        Value::Array(elements) => {
            for element in elements {
                let kind = element["type"].as_str().unwrap_or_default();
                at.push(Step::Each(kind.to_owned()));
                members(element, at, found);
                at.pop();
            }
        }
        _ => {}
    }
}

impl std::fmt::Display for Field {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (index, step) in self.steps.iter().enumerate() {
            match step {
                Step::Name(name) if index == 0 => write!(out, "{name}")?,
                Step::Name(name) => write!(out, ".{name}")?,
                Step::Each(kind) => write!(out, "[{kind}]")?,
                Step::As(kind) => write!(out, "({kind})")?,
            }
        }
        Ok(())
    }
}
