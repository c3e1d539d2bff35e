//! The node's clients: TCP, one JSON object per line.

use std::collections::{BTreeMap, VecDeque};
use std::io::{self, Read, Write};
use std::net::{SocketAddrV4, TcpListener, TcpStream};

use rashomon_core::rpc::{Body, ErrorCode, RpcError, parse_request};
use rashomon_core::{Ticket, Value};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{NodeError, doing};
use crate::poller::{Interest, Poller};

/// The longest request.
pub(super) const LONGEST_LINE: usize = 64 * 1024;
/// The most replies that wait for a client that does not read.
const LONGEST_BACKLOG: usize = 1024 * 1024;
/// The most connections at once.
const MOST_CONNECTIONS: usize = 768;
/// The most clients that have said all and still wait for replies, as `echo ... | nc` does.
const MOST_LINGERING: usize = 64;

/// A client's connection.
#[derive(Debug)]
struct Connection {
    stream: TcpStream,
    input: Vec<u8>,
    output: Vec<u8>,
    /// Nothing more is understood: a line was too long.
    deaf: bool,
    /// The client has said all; it is let go after the last reply.
    ended: bool,
    interest: Interest,
    /// Tickets not yet answered.
    open: u64,
}

/// A request as far as the driver understands it.
#[derive(Debug)]
pub(super) struct Asked {
    /// The connection's token.
    pub(super) from: u64,
    /// The line's bytes.
    pub(super) line: Vec<u8>,
}

/// The listener, the connections, and whom each ticket belongs to.
#[derive(Debug)]
pub(super) struct Server {
    listener: TcpListener,
    connections: BTreeMap<u64, Connection>,
    next_token: u64,
    tickets: BTreeMap<Ticket, (u64, Option<u64>)>,
    next_ticket: u64,
    lingering: VecDeque<u64>,
    /// Connections whose interest may have changed.
    unsettled: Vec<u64>,
    chunk: Vec<u8>,
}

#[derive(Serialize)]
struct Reply<'a, R> {
    #[serde(skip_serializing_if = "Option::is_none")]
    in_reply_to: Option<u64>,
    #[serde(flatten)]
    body: &'a R,
}

impl Server {
    /// Listens, registered under `token`; connections get the tokens after it.
    pub(super) fn open(address: SocketAddrV4, poller: &Poller, token: u64) -> Result<Server, NodeError> {
        let listener = TcpListener::bind(address).map_err(doing("listening for clients"))?;
        listener.set_nonblocking(true).map_err(doing("listening for clients"))?;
        poller.add(&listener, token, Interest::Read).map_err(doing("waiting for clients"))?;
        Ok(Server {
            listener,
            connections: BTreeMap::new(),
            next_token: token + 1,
            tickets: BTreeMap::new(),
            next_ticket: 1,
            lingering: VecDeque::new(),
            unsettled: Vec::new(),
            chunk: vec![0; 64 * 1024],
        })
    }

    /// Lets in whoever knocks.
    pub(super) fn accept(&mut self, poller: &Poller) -> Result<(), NodeError> {
        loop {
            let stream = match self.listener.accept() {
                Ok((stream, _)) => stream,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                // The client was gone before we came to it.
                Err(error)
                    if matches!(
                        error.kind(),
                        io::ErrorKind::ConnectionAborted | io::ErrorKind::Interrupted
                    ) =>
                {
                    continue;
                }
                Err(error) => return Err(doing("accepting a client")(error)),
            };
            if self.connections.len() >= MOST_CONNECTIONS {
                eprintln!("a client was sent away: there are {MOST_CONNECTIONS} already");
                continue;
            }
            stream.set_nonblocking(true).map_err(doing("preparing a client's connection"))?;
            stream.set_nodelay(true).map_err(doing("preparing a client's connection"))?;
            let token = self.next_token;
            self.next_token += 1;
            poller.add(&stream, token, Interest::Read).map_err(doing("waiting for a client"))?;
            let connection = Connection {
                stream,
                input: Vec::new(),
                output: Vec::new(),
                deaf: false,
                ended: false,
                interest: Interest::Read,
                open: 0,
            };
            self.connections.insert(token, connection);
        }
    }

    /// Reads what a client has sent. Complete lines are put into `asked`.
    pub(super) fn read(&mut self, token: u64, asked: &mut Vec<Asked>) {
        let Some(connection) = self.connections.get_mut(&token) else { return };
        let count = match connection.stream.read(&mut self.chunk) {
            Ok(count) if count > 0 => count,
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {
                return;
            }
            Ok(_) => return self.ended(token),
            Err(_) => return self.close(token),
        };
        if connection.deaf {
            return;
        }
        let mut rest = &self.chunk[..count];
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            let mut line = std::mem::take(&mut connection.input);
            line.extend_from_slice(&rest[..end]);
            rest = &rest[end + 1..];
            if !line.trim_ascii().is_empty() {
                asked.push(Asked { from: token, line });
            }
        }
        connection.input.extend_from_slice(rest);
        if connection.input.len() > LONGEST_LINE {
            connection.deaf = true;
            connection.input = Vec::new();
            let error = RpcError::new(
                ErrorCode::MalformedRequest,
                format!("a line is longer than {LONGEST_LINE} bytes; the connection hears no more"),
            );
            self.answer(token, None, &error.to_body());
        }
    }

    /// Understands a request: gives it a ticket, or answers it with an error.
    pub(super) fn understand<R: DeserializeOwned>(&mut self, asked: Asked) -> Option<(Ticket, R)> {
        let Asked { from, line } = asked;
        match parse(&line) {
            Ok((msg_id, request)) => {
                let connection = self.connections.get_mut(&from)?;
                connection.open += 1;
                let ticket = Ticket(self.next_ticket);
                self.next_ticket += 1;
                self.tickets.insert(ticket, (from, msg_id));
                Some((ticket, request))
            }
            Err((msg_id, error)) => {
                self.answer(from, msg_id, &error.to_body());
                None
            }
        }
    }

    /// Answers a ticket. Nobody hears it when the client is gone, or when it has been answered before.
    pub(super) fn reply<R: Serialize>(
        &mut self,
        ticket: Ticket,
        reply: &Result<R, RpcError>,
    ) -> Result<(), NodeError> {
        let Some((token, msg_id)) = self.tickets.remove(&ticket) else { return Ok(()) };
        if let Some(connection) = self.connections.get_mut(&token) {
            connection.open -= 1;
        }
        let unspeakable =
            |error: serde_json::Error| NodeError::Unspeakable { what: "a reply", reason: error.to_string() };
        match reply {
            // Serialised by way of a value: not every type can be flattened directly.
            Ok(reply) => {
                let body = serde_json::to_value(reply).map_err(unspeakable)?;
                if !body.get("type").is_some_and(Value::is_string) {
                    return Err(NodeError::Unspeakable {
                        what: "a reply",
                        reason: format!("it must be an object with a `type`, and is {body}"),
                    });
                }
                self.answer(token, msg_id, &body);
            }
            Err(error) => self.answer(token, msg_id, &error.to_body()),
        }
        Ok(())
    }

    fn answer<B: Serialize>(&mut self, token: u64, in_reply_to: Option<u64>, body: &B) {
        let Some(connection) = self.connections.get_mut(&token) else { return };
        if serde_json::to_writer(&mut connection.output, &Reply { in_reply_to, body }).is_err() {
            // A body that was a JSON value before cannot fail to be one now.
            return self.close(token);
        }
        connection.output.push(b'\n');
        if connection.output.len() > LONGEST_BACKLOG {
            eprintln!("a client that does not read its replies is dropped");
            return self.close(token);
        }
        self.write(token);
    }

    /// Sends a client what waits for it.
    pub(super) fn write(&mut self, token: u64) {
        let Some(connection) = self.connections.get_mut(&token) else { return };
        self.unsettled.push(token);
        while !connection.output.is_empty() {
            match connection.stream.write(&connection.output) {
                Ok(count) => {
                    connection.output.drain(..count);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return self.close(token),
            }
        }
    }

    /// Takes note of the end of a client's requests: it may still wait for replies.
    fn ended(&mut self, token: u64) {
        let Some(connection) = self.connections.get_mut(&token) else { return };
        connection.ended = true;
        self.unsettled.push(token);
        self.lingering.push_back(token);
        if self.lingering.len() > MOST_LINGERING
            && let Some(oldest) = self.lingering.pop_front()
        {
            self.close(oldest);
        }
    }

    /// Waits for room where replies did not fit, and lets go of clients that have all they asked for.
    pub(super) fn settle(&mut self, poller: &Poller) -> Result<(), NodeError> {
        while let Some(token) = self.unsettled.pop() {
            let Some(connection) = self.connections.get_mut(&token) else { continue };
            let interest = match (connection.output.is_empty(), connection.ended) {
                (true, true) if connection.open == 0 => {
                    self.close(token);
                    continue;
                }
                (true, true) => Interest::Nothing,
                (true, false) => Interest::Read,
                (false, true) => Interest::Write,
                (false, false) => Interest::ReadWrite,
            };
            if interest != connection.interest {
                connection.interest = interest;
                poller.modify(&connection.stream, token, interest).map_err(doing("waiting for a client"))?;
            }
        }
        Ok(())
    }

    fn close(&mut self, token: u64) {
        if let Some(connection) = self.connections.remove(&token)
            && connection.open > 0
        {
            self.tickets.retain(|_, (owner, _)| *owner != token);
        }
        self.lingering.retain(|other| *other != token);
    }
}

/// A request off the wire: its `msg_id`, and what it asks or why that makes no sense.
fn parse<R: DeserializeOwned>(line: &[u8]) -> Result<(Option<u64>, R), (Option<u64>, RpcError)> {
    let malformed = |text: String| RpcError::new(ErrorCode::MalformedRequest, text);
    let mut body: Body = serde_json::from_slice(line)
        .map_err(|error| (None, malformed(format!("not a JSON object: {error}"))))?;
    let msg_id = match body.remove("msg_id") {
        None => None,
        Some(id) => Some(id.as_u64().ok_or_else(|| {
            (None, malformed(format!("`msg_id` is {id}; it must be a non-negative integer")))
        })?),
    };
    match parse_request(body) {
        Ok(request) => Ok((msg_id, request)),
        Err(error) => Err((msg_id, error)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rashomon_core::rpc::Meaning;
    use serde::Deserialize;

    use super::*;
    use crate::lines::lines;

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(tag = "type", rename_all = "lowercase")]
    enum Request {
        Read { key: String, session: Option<u64> },
    }

    fn refusal(line: &str) -> (Option<u64>, u32) {
        let (msg_id, error) = parse::<Request>(line.as_bytes()).unwrap_err();
        assert_eq!(error.code.meaning(), Meaning::Hopeless);
        (msg_id, error.code.code())
    }

    #[test]
    fn requests_are_understood_with_and_without_a_number() {
        let read = |session| Request::Read { key: "k".to_owned(), session };
        let line = br#"{"type":"read","key":"k","msg_id":7,"session":3}"#;
        assert_eq!(parse(line).unwrap(), (Some(7), read(Some(3))));
        assert_eq!(parse(br#"{"type":"read","key":"k"}"#).unwrap(), (None, read(None)));
    }

    #[test]
    fn what_makes_no_sense_is_told_apart() {
        assert_eq!(refusal("hello"), (None, 12));
        assert_eq!(refusal("[1]"), (None, 12));
        assert_eq!(refusal(r#"{"msg_id":"one","type":"read","key":"k"}"#), (None, 12));
        assert_eq!(refusal(r#"{"msg_id":1}"#), (Some(1), 12));
        assert_eq!(refusal(r#"{"msg_id":2,"type":"read"}"#), (Some(2), 12));
        assert_eq!(refusal(r#"{"msg_id":3,"type":"read","key":5}"#), (Some(3), 12));
        assert_eq!(refusal(r#"{"msg_id":4,"type":"grow"}"#), (Some(4), 10));
    }

    proptest! {
        #[test]
        fn no_request_panics_and_what_makes_no_sense_is_said_to(line in lines(&["type", "msg_id", "key", "session"])) {
            if let Err((_, error)) = parse::<Request>(&line) {
                prop_assert_eq!(error.code.meaning(), Meaning::Hopeless);
            }
        }
    }
}
