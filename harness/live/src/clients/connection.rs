//! One TCP connection to a node, with at most one request under way.

use std::io::{self, Read, Write};
use std::net::{SocketAddrV4, TcpStream};

use rashomon_core::NodeId;
use rashomon_core::client::Attempt;
use rashomon_core::rpc::{self, Body};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, connect, socket_with};

use crate::poller::{Interest, Poller, Ready};

/// The longest reply.
const LONGEST_REPLY: usize = 4 * 1024 * 1024;
/// What is read at once.
const CHUNK: usize = 16 * 1024;

/// What came of an event.
#[derive(Debug)]
pub(super) enum Progress {
    /// Nothing that anybody waits for.
    Nothing,
    /// The request of this process has its reply; the connection is free.
    Answered(u64, Attempt),
    /// The connection is of no more use; perhaps a process waited on it.
    Broken(Option<(u64, Attempt)>),
}

/// The request under way.
#[derive(Debug)]
struct Pending {
    process: u64,
    msg_id: u64,
}

/// A connection.
#[derive(Debug)]
pub(super) struct Connection {
    stream: TcpStream,
    token: u64,
    node: NodeId,
    connected: bool,
    output: Vec<u8>,
    input: Vec<u8>,
    pending: Option<Pending>,
}

impl Connection {
    /// Begins to connect.
    pub(super) fn open(
        address: SocketAddrV4,
        token: u64,
        node: NodeId,
        poller: &Poller,
    ) -> io::Result<Connection> {
        let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
        let socket = socket_with(AddressFamily::INET, SocketType::STREAM, flags, None)?;
        match connect(&socket, &address) {
            Ok(()) | Err(Errno::INPROGRESS) => {}
            Err(error) => return Err(error.into()),
        }
        let stream = TcpStream::from(socket);
        stream.set_nodelay(true)?;
        poller.add(&stream, token, Interest::ReadWrite)?;
        Ok(Connection {
            stream,
            token,
            node,
            connected: false,
            output: Vec::new(),
            input: Vec::new(),
            pending: None,
        })
    }

    /// Where it leads.
    pub(super) fn node(&self) -> NodeId {
        self.node
    }

    /// Whether any of the request under way may have reached the node.
    pub(super) fn has_sent(&self) -> bool {
        self.connected
    }

    /// Puts a request aside until the connection stands.
    pub(super) fn prepare(&mut self, process: u64, msg_id: u64, line: Vec<u8>) {
        self.output = line;
        self.pending = Some(Pending { process, msg_id });
    }

    /// Sends a request on a connection that stands and is free.
    pub(super) fn request(
        &mut self,
        process: u64,
        msg_id: u64,
        line: Vec<u8>,
        poller: &Poller,
    ) -> io::Result<()> {
        self.prepare(process, msg_id, line);
        self.write()?;
        if !self.output.is_empty() {
            poller.modify(&self.stream, self.token, Interest::ReadWrite)?;
        }
        Ok(())
    }

    fn write(&mut self) -> io::Result<()> {
        while !self.output.is_empty() {
            match self.stream.write(&self.output) {
                Ok(count) => {
                    self.output.drain(..count);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Takes up what the poller reports.
    pub(super) fn progress(&mut self, ready: Ready, poller: &Poller) -> Progress {
        if !self.connected {
            // Not connected, nothing sent: whatever the error, the node never saw the request.
            if !matches!(self.stream.take_error(), Ok(None)) {
                return self.broken(Attempt::Refused);
            }
            if !ready.writable {
                return Progress::Nothing;
            }
            self.connected = true;
        }
        if ready.writable {
            let written = self.write().and_then(|()| {
                if self.output.is_empty() {
                    poller.modify(&self.stream, self.token, Interest::Read)?;
                }
                Ok(())
            });
            if let Err(error) = written {
                return self.broken(Attempt::Doubtful(format!("sending failed: {error}")));
            }
        }
        if ready.readable { self.read() } else { Progress::Nothing }
    }

    fn read(&mut self) -> Progress {
        let mut chunk = [0; CHUNK];
        match self.stream.read(&mut chunk) {
            Ok(0) => return self.broken(Attempt::Doubtful("end of stream".to_owned())),
            Ok(count) => self.input.extend_from_slice(&chunk[..count]),
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {
                return Progress::Nothing;
            }
            Err(error) => return self.broken(Attempt::Doubtful(format!("connection lost: {error}"))),
        }
        let mut begin = 0;
        while let Some(length) = self.input[begin..].iter().position(|byte| *byte == b'\n') {
            let line = &self.input[begin..begin + length];
            let end = begin + length + 1;
            let Some(pending) = &self.pending else {
                // A second reply to a request that has had one.
                begin = end;
                continue;
            };
            match parse(line, pending.msg_id) {
                Reply::Late => begin = end,
                Reply::Mine(attempt) => {
                    let process = pending.process;
                    self.input.drain(..end);
                    self.pending = None;
                    return Progress::Answered(process, attempt);
                }
                Reply::Garbage(reason) => {
                    return self.broken(Attempt::Doubtful(format!("unparsable reply: {reason}")));
                }
            }
        }
        self.input.drain(..begin);
        if self.input.len() > LONGEST_REPLY {
            return self.broken(Attempt::Doubtful(format!("a reply longer than {LONGEST_REPLY} bytes")));
        }
        Progress::Nothing
    }

    fn broken(&mut self, attempt: Attempt) -> Progress {
        Progress::Broken(self.pending.take().map(|pending| (pending.process, attempt)))
    }
}

/// What a line is to the request that waits.
#[derive(Debug, PartialEq)]
enum Reply {
    /// Its reply.
    Mine(Attempt),
    /// The reply to an earlier one.
    Late,
    /// Nothing that can be understood.
    Garbage(String),
}

fn parse(line: &[u8], msg_id: u64) -> Reply {
    let mut body: Body = match serde_json::from_slice(line) {
        Ok(body) => body,
        Err(error) => return Reply::Garbage(error.to_string()),
    };
    match body.remove("in_reply_to") {
        Some(id) if id.as_u64() == Some(msg_id) => {}
        Some(id) if id.as_u64().is_some_and(|id| id < msg_id) => return Reply::Late,
        Some(id) => return Reply::Garbage(format!("it replies to {id}, which nobody asked")),
        None => return Reply::Garbage("it does not say to what it replies".to_owned()),
    }
    match rpc::parse_reply(body) {
        Ok(Ok(body)) => Reply::Mine(Attempt::Reply(body)),
        Ok(Err(error)) => Reply::Mine(Attempt::Error(error)),
        Err(reason) => Reply::Garbage(reason),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rashomon_core::rpc::{ErrorCode, RpcError};

    use super::*;
    use crate::lines::lines;

    #[test]
    fn a_reply_must_name_the_request() {
        let mine = parse(br#"{"type":"read_ok","value":3,"in_reply_to":7}"#, 7);
        let Reply::Mine(Attempt::Reply(body)) = mine else { panic!("{mine:?}") };
        assert_eq!(serde_json::to_string(&body).unwrap(), r#"{"type":"read_ok","value":3}"#);
        assert_eq!(parse(br#"{"type":"read_ok","in_reply_to":6}"#, 7), Reply::Late);
        let error = parse(br#"{"type":"error","code":11,"text":"no","in_reply_to":7}"#, 7);
        let expected = RpcError::new(ErrorCode::TemporarilyUnavailable, "no");
        assert_eq!(error, Reply::Mine(Attempt::Error(expected)));
        for line in [
            &b"hello"[..],
            b"[]",
            br#"{"type":"read_ok"}"#,
            br#"{"type":"read_ok","in_reply_to":8}"#,
            br#"{"type":"read_ok","in_reply_to":"7"}"#,
            br#"{"value":3,"in_reply_to":7}"#,
            br#"{"type":"error","in_reply_to":7}"#,
        ] {
            assert!(matches!(parse(line, 7), Reply::Garbage(_)));
        }
    }

    proptest! {
        #[test]
        fn no_reply_panics_or_is_taken_for_another(line in lines(&["type", "in_reply_to", "code", "text", "value"])) {
            let taken = parse(&line, 7);
            let text = String::from_utf8_lossy(&line);
            prop_assert!(!matches!(taken, Reply::Mine(_)) || text.contains("\"in_reply_to\":7"), "{text}");
        }
    }
}
