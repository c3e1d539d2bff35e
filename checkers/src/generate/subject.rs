//! What histories can be made of.

use std::fmt;
use std::str::FromStr;

use super::queues::{Order, Waiting};
use super::registers::{SwappedRegister, UniqueRegister};
use super::sets::Sets;
use super::stream::{Object, Stream};
use super::sums::{Accounts, Counter};
use super::transactions::{Data, Transactions};
use super::{Clients, Plant};

/// A kind of object, with clients of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// Half reads, half writes of unique values.
    Register,
    /// Reads, writes and cas of unique values.
    CasRegister,
    /// Half enqueues of unique values, half dequeues.
    Queue,
    /// Half pushes of unique values, half pops.
    Stack,
    /// Half inserts of unique integers, half polls of the greatest.
    PriorityQueue,
    /// Half adds, half reads of the whole; a key retires after some adds.
    Set,
    /// Half adds, half reads.
    Counter,
    /// Transfers between six accounts, and reads of all.
    Bank,
    /// Transactions that append to lists and read them; a key retires after some appends.
    ListAppend,
    /// Transactions that read registers and write unique values; a key retires after some writes.
    RwRegister,
}

impl Subject {
    /// All of them.
    pub const ALL: [Subject; 10] = [
        Subject::Register,
        Subject::CasRegister,
        Subject::Queue,
        Subject::Stack,
        Subject::PriorityQueue,
        Subject::Set,
        Subject::Counter,
        Subject::Bank,
        Subject::ListAppend,
        Subject::RwRegister,
    ];

    /// Its name, which is also that of the model that judges it.
    pub fn name(self) -> &'static str {
        match self {
            Subject::Register => "register",
            Subject::CasRegister => "cas-register",
            Subject::Queue => "queue",
            Subject::Stack => "stack",
            Subject::PriorityQueue => "priority-queue",
            Subject::Set => "set",
            Subject::Counter => "counter",
            Subject::Bank => "bank",
            Subject::ListAppend => "list-append",
            Subject::RwRegister => "rw-register",
        }
    }

    /// What its clients do, in a few words.
    pub fn about(self) -> &'static str {
        match self {
            Subject::Register => "half reads, half writes of unique values",
            Subject::CasRegister => "reads, writes and cas of unique values",
            Subject::Queue => "half enqueues of unique values, half dequeues",
            Subject::Stack => "half pushes of unique values, half pops",
            Subject::PriorityQueue => "half inserts of unique integers, half polls of the greatest",
            Subject::Set => "half adds, half reads of the whole; a key retires after 32 adds",
            Subject::Counter => "half adds, half reads",
            Subject::Bank => "transfers between six accounts, and reads of all",
            Subject::ListAppend => {
                "transactions that append to lists and read them; a key retires after 32 appends"
            }
            Subject::RwRegister => {
                "transactions that read and write registers; a key retires after 32 writes"
            }
        }
    }

    /// The violations that can be planted in it.
    pub fn plants(self) -> &'static [Plant] {
        match self {
            Subject::Register => &[Plant::StaleRead, Plant::Garbage],
            Subject::CasRegister => &[Plant::StaleRead, Plant::Garbage, Plant::LostUpdate],
            Subject::Queue | Subject::Stack | Subject::PriorityQueue => {
                &[Plant::Duplicate, Plant::Garbage, Plant::Reordered, Plant::FalseEmpty]
            }
            Subject::Set => &[Plant::Lost, Plant::Garbage, Plant::Duplicate],
            Subject::Counter => &[Plant::Overcount, Plant::Undercount],
            Subject::Bank => &[Plant::WrongTotal, Plant::NegativeBalance],
            Subject::ListAppend => &[
                Plant::StaleRead,
                Plant::Garbage,
                Plant::Duplicate,
                Plant::IncompatibleOrder,
                Plant::Internal,
                Plant::AbortedRead,
            ],
            Subject::RwRegister => &[Plant::StaleRead, Plant::Garbage, Plant::Internal, Plant::AbortedRead],
        }
    }

    /// A history of it, op by op. The violation must be one of its [`plants`](Subject::plants).
    pub fn stream(self, clients: Clients, plant: Option<Plant>) -> Stream {
        let many = clients.clients;
        let object: Box<dyn Object> = match self {
            Subject::Register => Box::new(UniqueRegister::new(many)),
            Subject::CasRegister => Box::new(SwappedRegister::new(many)),
            Subject::Queue => Box::new(Waiting::new(Order::First, &clients)),
            Subject::Stack => Box::new(Waiting::new(Order::Last, &clients)),
            Subject::PriorityQueue => Box::new(Waiting::new(Order::Greatest, &clients)),
            Subject::Set => Box::new(Sets::new(many)),
            Subject::Counter => Box::new(Counter::new(many)),
            Subject::Bank => Box::new(Accounts::default()),
            Subject::ListAppend => Box::new(Transactions::new(Data::Lists, many)),
            Subject::RwRegister => Box::new(Transactions::new(Data::Registers, many)),
        };
        Stream::new(clients, plant, object)
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Subject {
    type Err = String;

    fn from_str(name: &str) -> Result<Subject, String> {
        Subject::ALL.into_iter().find(|subject| subject.name() == name).ok_or_else(|| {
            let names: Vec<_> = Subject::ALL.iter().map(|subject| subject.name()).collect();
            format!("`{name}` is no kind of history; these are {}", names.join(", "))
        })
    }
}
