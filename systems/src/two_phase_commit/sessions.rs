//! What became of the latest request of each session, so that a repeated one is not carried out again.
//!
//! A client repeats a request under the same name until it hears an answer, and only then makes the next. What committed
//! is known from the log. What was under way when the coordinator died is aborted for good, so a repetition may begin
//! it anew; what was answered with an abort before that is never asked again.

use std::collections::BTreeMap;

use rashomon_core::rpc::{RequestId, RpcError};

use super::transaction::TransactionId;

/// The latest request of a session.
#[derive(Debug)]
struct Session {
    sequence: u64,
    progress: Progress,
}

/// What is known of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    New,
    UnderWay(TransactionId),
    Committed,
    Aborted(RpcError),
    /// The session has made another request since, so nobody waits for this one.
    Past,
}

/// All sessions. They never expire; a plan bounds their number.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    latest: BTreeMap<u64, Session>,
}

impl Sessions {
    /// From the last request of each session that committed.
    pub(super) fn restore(committed: BTreeMap<u64, u64>) -> Sessions {
        let session = |sequence| Session { sequence, progress: Progress::Committed };
        Sessions { latest: committed.into_iter().map(|(id, sequence)| (id, session(sequence))).collect() }
    }

    pub(super) fn progress(&self, id: RequestId) -> Progress {
        match self.latest.get(&id.session) {
            Some(session) if session.sequence == id.sequence => session.progress.clone(),
            Some(session) if session.sequence > id.sequence => Progress::Past,
            Some(_) | None => Progress::New,
        }
    }

    pub(super) fn begin(&mut self, id: RequestId, transaction: TransactionId) {
        self.note(id, Progress::UnderWay(transaction));
    }

    pub(super) fn commit(&mut self, id: RequestId) {
        self.note(id, Progress::Committed);
    }

    pub(super) fn abort(&mut self, id: RequestId, error: RpcError) {
        self.note(id, Progress::Aborted(error));
    }

    /// A later request is never overtaken by what an earlier one comes to.
    fn note(&mut self, id: RequestId, progress: Progress) {
        if self.progress(id) != Progress::Past {
            self.latest.insert(id.session, Session { sequence: id.sequence, progress });
        }
    }

    /// The latest requests that committed.
    pub(super) fn committed(&self) -> impl Iterator<Item = RequestId> + '_ {
        self.latest
            .iter()
            .filter(|(_, session)| session.progress == Progress::Committed)
            .map(|(id, session)| RequestId { session: *id, sequence: session.sequence })
    }
}

#[cfg(test)]
mod tests {
    use rashomon_core::rpc::ErrorCode;

    use super::*;

    fn id(session: u64, sequence: u64) -> RequestId {
        RequestId { session, sequence }
    }

    #[test]
    fn a_request_is_known_until_the_next() {
        let mut sessions = Sessions::restore(BTreeMap::from([(1, 5)]));
        assert_eq!(sessions.progress(id(1, 4)), Progress::Past);
        assert_eq!(sessions.progress(id(1, 5)), Progress::Committed);
        assert_eq!(sessions.progress(id(1, 6)), Progress::New);
        let transaction = TransactionId { epoch: 2, number: 1 };
        sessions.begin(id(1, 6), transaction);
        assert_eq!(sessions.progress(id(1, 6)), Progress::UnderWay(transaction));
        assert_eq!(sessions.committed().count(), 0, "the request before it is over");
        let error = RpcError::new(ErrorCode::TxnConflict, "no");
        sessions.abort(id(1, 6), error.clone());
        assert_eq!(sessions.progress(id(1, 6)), Progress::Aborted(error));
        sessions.commit(id(1, 7));
        sessions.begin(id(1, 6), transaction);
        assert_eq!(sessions.committed().collect::<Vec<_>>(), [id(1, 7)]);
        assert_eq!(sessions.progress(id(2, 1)), Progress::New);
    }
}
