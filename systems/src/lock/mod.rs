//! A lock service: leases so that a lock comes back from the dead, and fencing tokens so that the dead do no harm.
//!
//! # The problem
//!
//! Several processes change something that only one may change at a time. They agree on who may by asking a lock
//! server. A holder can die, so a lock is given for a time, the *lease*, and must be renewed. But then nobody who
//! holds a lock can be sure that he still does: between the look at the clock and the write that follows, a process can
//! be stopped for as long as the scheduler, the garbage collector or the network pleases. When it goes on it writes,
//! and another has had the lock for long. No lease and no timer prevents that. The resource itself must refuse.
//!
//! Leases are Cary Gray's and David Cheriton's, *Leases: An Efficient Fault-Tolerant Mechanism for Distributed File
//! Cache Consistency* (1989). The number that lets a resource refuse is in Mike Burrows, *The Chubby Lock Service for
//! Loosely-Coupled Distributed Systems* (2006), section 2.4: a *sequencer* holds the lock generation number. Martin
//! Kleppmann, *How to Do Distributed Locking* (2016), calls it a *fencing token*, and shows with it what the Redlock
//! algorithm lacks.
//!
//! # The protocol
//!
//! The first node is the lock server, the second the resource; all others are holders, and work for clients.
//!
//! A holder that is asked for work begins a *critical section*, whose name no other ever has: the *owner*. It asks the
//! server for the lock. A free lock is given to the first who asks, and each time it is given out its *token* rises by
//! one. Only the owner renews it or gives it back, and when its lease has run its time, it is free again. `server.rs`
//!
//! With the lock the section *opens* the resource: it shows the token, and is told the value. It works, writes the value
//! raised by one, works, writes again, gives the lock back, and answers the client. While it lives it renews its
//! lease. `holder.rs`, `section.rs`
//!
//! The resource keeps the greatest token that it was ever shown, the *fence*, and turns away whoever shows a smaller
//! one. Reads raise the fence as writes do: a section that may still change what a later section has read would undo
//! the later one's work. It keeps a journal of all that it accepted, from which clients judge. `resource.rs`
//!
//! # What must hold
//!
//! | invariant             | says                                                                                    |
//! |-----------------------|-----------------------------------------------------------------------------------------|
//! | `tokens-rise`         | each grant of a lock has a greater token than all before it, restarts included          |
//! | `one-lease`           | a lock is granted again only when the lease before has run out or its owner is done     |
//! | `leases-end`          | when the time of a lease has run, it is neither renewed nor in the way of others        |
//! | `released-by-owner`   | a lock is freed before its time only when its owner asks for it                         |
//! | `one-owner-per-token` | no two critical sections have the same token of a lock                                  |
//! | `fence-holds`         | the resource accepts nothing with a smaller token than one before, restarts included    |
//! | `sections-apart`      | the effects of a section at the resource are not interleaved with those of another      |
//!
//! They are judged from probes: `grant`, `renew`, `deny`, `release` and `timeout` of the server, `act` of holders, `effect`
//! and `fenced` of the resource. The last two invariants are the purpose; a history shows them too, and the checker
//! `lock` judges it. The first four are what the server owes. The fence hides their breach from the resource, and
//! so nearly from clients: a section is turned away that should have had its way. So they are watched on their own.
//!
//! # Clocks
//!
//! The server measures leases by a timer, a holder measures its belief by another, and neither asks the clock on the
//! wall, which jumps. A holder reckons a lease from when it asked for it, and by nine tenths of its length: as long as
//! clocks differ in *rate* by less than a tenth and nobody stands still, a holder stops before the server lets
//! another begin. That makes two believers rare. It makes nothing safe, and safety does not rest on it: with tokens the
//! resource sees no two sections overlap whatever clocks do. Faults of clocks are therefore legal here without limit.
//!
//! # Disk
//!
//! The server writes down who has a lock and its last token before it says so, and that it was given back. It does not
//! write down that a lease was renewed or ran out: when it starts again it cannot know how much time has passed, and
//! lets each lease that it remembers begin anew. That costs a wait and breaks no promise. The resource writes down
//! each effect with its token, so the fence comes back with the journal. Holders keep nothing: their sections die
//! with them.
//!
//! # Redlock
//!
//! Salvatore Sanfilippo's *Distributed Locks with Redis* (2014) does without the resource's help. Five servers that know
//! nothing of each other each set a key with a time to live; whoever has a majority within the time has the lock.
//! There is no token, since the servers count nothing in common. `instance.rs` is such a server; holders and resource
//! are the same, so the difference in the outcome is that of the algorithms. It is a system of its own, `redlock`, and
//! *known to be weak*: it is what its author describes, not a mistake in building it, so it is no seeded bug of
//! `lock`. The zoo expects it to be accused as it stands. Three ways lead there: a holder that stands still; servers
//! that forget in a crash (no log, as Redis by default does not sync); and clocks whose rates differ. The rule that a
//! server which crashed stays away for one lease is left out, as it was from most of the libraries.
//!
//! # What is left out
//!
//! - The lock server is one node, and not replicated; Chubby's is a Paxos group. While it is down nobody gets a lock.
//! - Nobody waits in a queue: a holder asks again, and the order of grants is not that of requests.
//! - A request is not deduplicated: a client that is not answered does not know, and does not ask again.
//! - The journal of the resource is never shortened; a plan bounds its length.
//!
//! # Departures
//!
//! - Chubby's server invalidates a sequencer when the lock is lost, and a resource may ask it; here, as in Kleppmann's
//!   article, the resource remembers the greatest token that it has seen, and asks nobody.
//! - Kleppmann's storage checks writes. Here it checks reads as well, for the reason above; the seeded bug
//!   `fence-on-writes-only` shows what happens otherwise.

mod system;

mod message;
mod record;
mod request;
mod token;

mod server;

mod holder;
mod section;

mod resource;

mod instance;

mod bugs;
mod controls;
mod invariants;
mod options;

pub use bugs::Bug;
pub use message::Message;
pub use record::{Effect, Lease, Record};
pub use request::{Entry, Reply, Request};
pub use system::{Lock, LockProtocol, Redlock, Timer};
pub use token::{Owner, Round, SectionId, Token};
