//! The outcome rules on real sockets: servers that are scripted to misbehave.

use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::thread::JoinHandle;
use std::time::Duration;

use rashomon_core::client::Outcome;
use serde_json::{Value, json};

use super::*;
use crate::clock::Clock;

/// What a server does with a connection.
type Script = fn(TcpStream, BufReader<TcpStream>, u64);

/// Starts a server that treats as many connections as there are scripts, one after the other.
fn serve(scripts: Vec<Script>) -> (SocketAddrV4, JoinHandle<()>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let SocketAddr::V4(address) = listener.local_addr().unwrap() else { panic!("bound to v4") };
    let thread = std::thread::spawn(move || {
        for script in scripts {
            let (stream, _) = listener.accept().unwrap();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let msg_id = request(&mut reader)["msg_id"].as_u64().unwrap();
            script(stream, reader, msg_id);
        }
    });
    (address, thread)
}

fn request(reader: &mut BufReader<TcpStream>) -> Value {
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    serde_json::from_str(&line).unwrap()
}

/// An address where nobody listens.
fn nobody() -> SocketAddrV4 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let SocketAddr::V4(address) = listener.local_addr().unwrap() else { panic!("bound to v4") };
    address
}

/// The clients of a cluster, and the loop that the world would run.
struct Loop {
    clients: Clients,
    poller: Poller,
    clock: Clock,
    events: VecDeque<Event>,
}

impl Loop {
    fn new(addresses: &[SocketAddrV4], sessions: bool) -> Loop {
        let policy = Policy {
            deadline: Duration::from_millis(400),
            attempt: Duration::from_millis(100),
            sessions,
            ..Policy::default()
        };
        let addresses = (1..).map(NodeId).zip(addresses.iter().copied()).collect();
        Loop {
            clients: Clients::new(policy, &addresses, 0),
            poller: Poller::new().unwrap(),
            clock: Clock::starting_now(),
            events: VecDeque::new(),
        }
    }

    fn call(&mut self, process: u64) -> Outcome {
        let body = json!({"type": "write", "value": 1}).as_object().unwrap().clone();
        let call = Call { process, sequence: 1, home: NodeId(1), read_only: false, body };
        self.clients.call(call, self.clock.now(), &self.poller, &mut self.events);
        let mut ready = Vec::new();
        loop {
            if let Some(Event::Completion { outcome, .. }) = self.events.pop_front() {
                return outcome;
            }
            let timeout = self.clients.next().map(|next| next.since(self.clock.now()));
            self.poller.wait(timeout, &mut ready).unwrap();
            let now = self.clock.now();
            for ready in &ready {
                self.clients.handle(*ready, now, &self.poller, &mut self.events);
            }
            self.clients.expire(now, &self.poller, &mut self.events);
        }
    }
}

fn outcome(script: Script) -> Outcome {
    let (address, thread) = serve(vec![script]);
    let outcome = Loop::new(&[address], false).call(1);
    thread.join().unwrap();
    outcome
}

fn say(stream: &mut TcpStream, line: &Value) {
    writeln!(stream, "{line}").unwrap();
}

fn info(outcome: &Outcome, reason: &str) {
    assert!(matches!(outcome, Outcome::Info(text) if text.contains(reason)), "{outcome:?}, not {reason}");
}

#[test]
fn refused_everywhere_is_fail() {
    let outcome = Loop::new(&[nobody(), nobody()], false).call(1);
    assert!(matches!(&outcome, Outcome::Fail(text) if text.contains("refused")), "{outcome:?}");
}

#[test]
fn refused_and_then_served_is_ok() {
    let (address, thread) =
        serve(vec![|mut stream, _, id| say(&mut stream, &json!({"type": "ok", "in_reply_to": id}))]);
    let outcome = Loop::new(&[nobody(), address], false).call(1);
    assert!(matches!(outcome, Outcome::Ok(NodeId(2), _)), "{outcome:?}");
    thread.join().unwrap();
}

#[test]
fn an_end_of_stream_is_doubtful() {
    info(&outcome(|stream, reader, _| drop((stream, reader))), "end of stream");
}

#[test]
fn a_reset_is_doubtful() {
    // What is closed with unread bytes is reset.
    let reset: Script = |stream, reader, _| {
        rustix::net::sockopt::set_socket_linger(&stream, Some(Duration::ZERO)).unwrap();
        drop((stream, reader));
    };
    info(&outcome(reset), "connection lost");
}

#[test]
fn silence_after_connecting_is_doubtful() {
    info(&outcome(|_stream, mut reader, _| drop(reader.read_line(&mut String::new()))), "timed out");
}

#[test]
fn a_reply_that_makes_no_sense_is_doubtful() {
    info(&outcome(|mut stream, _, _| stream.write_all(b"what?\n").unwrap()), "unparsable");
    info(&outcome(|mut stream, _, id| say(&mut stream, &json!({"in_reply_to": id}))), "unparsable");
    info(
        &outcome(|mut stream, _, id| say(&mut stream, &json!({"type": "ok", "in_reply_to": id + 1}))),
        "unparsable",
    );
}

#[test]
fn a_late_reply_is_skipped() {
    let (address, thread) = serve(vec![|mut stream, mut reader, id| {
        let reply = |id: u64| json!({"type": "ok", "in_reply_to": id, "for": id});
        say(&mut stream, &reply(id));
        // The next request comes over the same connection, and the first is answered once more before it.
        let next = request(&mut reader)["msg_id"].as_u64().unwrap();
        say(&mut stream, &reply(id));
        say(&mut stream, &reply(next));
    }]);
    let mut looped = Loop::new(&[address], false);
    let Outcome::Ok(_, first) = looped.call(1) else { panic!("served") };
    let Outcome::Ok(_, second) = looped.call(2) else { panic!("served") };
    assert_ne!(first["for"], second["for"]);
    assert!(!second.contains_key("in_reply_to"), "that is the connection's affair");
    thread.join().unwrap();
}

#[test]
fn attempts_carry_the_same_session_and_sequence() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let SocketAddr::V4(address) = listener.local_addr().unwrap() else { panic!("bound to v4") };
    let thread = std::thread::spawn(move || {
        // The first attempt is lost; the session table settles the doubt on the second.
        let first = request(&mut BufReader::new(listener.accept().unwrap().0));
        let (mut stream, _) = listener.accept().unwrap();
        let second = request(&mut BufReader::new(stream.try_clone().unwrap()));
        say(&mut stream, &json!({"type": "ok", "in_reply_to": second["msg_id"]}));
        (first, second)
    });
    let outcome = Loop::new(&[address], true).call(9);
    assert!(matches!(outcome, Outcome::Ok(..)), "{outcome:?}");
    let (first, second) = thread.join().unwrap();
    assert_eq!((&first["session"], &first["sequence"]), (&json!(9), &json!(1)));
    assert_eq!((&second["session"], &second["sequence"]), (&json!(9), &json!(1)));
    assert_ne!(first["msg_id"], second["msg_id"]);
}

#[test]
fn a_request_that_never_left_is_no_doubt() {
    // A queue for one connection, which is taken: the kernel does not let the next one in.
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    rustix::net::listen(&listener, 0).unwrap();
    let SocketAddr::V4(address) = listener.local_addr().unwrap() else { panic!("bound to v4") };
    let _taken = TcpStream::connect(address).unwrap();
    let outcome = Loop::new(&[address], false).call(1);
    assert!(matches!(outcome, Outcome::Fail(_)), "{outcome:?}");
}
