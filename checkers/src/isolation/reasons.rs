//! Why one transaction comes before another, in words.

use super::graph::Class;
use super::lists::Append;
use super::observed::Observed;
use super::transactions::Transaction;

impl Observed<'_> {
    /// A transaction as sentences name it.
    pub(super) fn tell(&self, transaction: u32) -> String {
        tell(&self.transactions.get(transaction))
    }

    /// Why one transaction comes before another: the key, and a sentence.
    pub(super) fn why(&self, from: u32, class: Class, to: u32) -> Option<(String, String)> {
        let (lists, names) = (self.lists, self.names);
        let element =
            |key: u32, place: u32| names.value(lists.chains[key as usize].versions[place as usize].element);
        match class {
            Class::WW => lists.appends_of(from).find_map(|append| {
                let place = append.place?;
                let (key, first) = (names.key(append.key), names.value(append.element));
                match self.writer_from(append.key, place + 1) {
                    Some((writer, next)) if writer == to => {
                        let second = element(append.key, next);
                        Some((key.clone(), format!(
                            "it appended {first} to key {key} at place {place}, and the other {second} at place {next}"
                        )))
                    }
                    None if self.unobserved(append.key).contains(&to) => Some((key.clone(), format!(
                        "it appended {first} to key {key}, which is in the longest read, and what the other appended \
                         is in none"
                    ))),
                    _ => None,
                }
            }),
            Class::WR => {
                let whole = lists.reads_of(to).find_map(|read| {
                    let (writer, place) = self.writer_before(read.key, read.length)?;
                    (writer == from).then(|| (read.key, element(read.key, place)))
                });
                let stray = || lists.strays.iter().filter(|stray| stray.transaction == to).find_map(|stray| {
                    let last = *stray.list[..stray.length as usize].last()?;
                    (self.writer_in(stray, last) == Some(from)).then(|| (stray.key, names.value(last)))
                });
                whole.or_else(stray).map(|(key, element)| {
                    let key = names.key(key);
                    (key.clone(), format!("it appended {element} to key {key}, and the other read it"))
                })
            }
            Class::RW => lists.reads_of(from).find_map(|read| {
                let later = |append: &Append| {
                    append.key == read.key && append.place.is_none_or(|place| place >= read.length)
                };
                let append = lists.appends_of(to).find(later)?;
                let key = names.key(read.key);
                let shown = names.show(&lists.chains[read.key as usize].elements(read.length));
                let missing = names.value(append.element);
                let because =
                    format!("it read {shown} from key {key}, without {missing} that the other appended");
                Some((key, because))
            }),
            _ => None,
        }
    }
}

/// A transaction as sentences name it.
pub(super) fn tell(transaction: &Transaction) -> String {
    match transaction.completion {
        Some(completion) => {
            format!(
                "the transaction of process {} (events {}-{completion})",
                transaction.process, transaction.invoke
            )
        }
        None => format!("the transaction of process {} (event {})", transaction.process, transaction.invoke),
    }
}
