//! The protocol of clients, by hand and by the harness.

use std::io::{BufRead, BufReader, Write};
use std::net::{Shutdown, TcpStream};

use rashomon_core::World;
use rashomon_core::client::Outcome;
use serde_json::{Value, json};

use crate::support::Trial;
use crate::trials;

pub(crate) const TRIALS: &[trials::Trial] = &[
    ("a_terminal_is_a_usable_client", a_terminal_is_a_usable_client),
    ("malformed_lines_are_answered", malformed_lines_are_answered),
    ("a_line_without_end_is_cut_short", a_line_without_end_is_cut_short),
    ("outcomes_follow_the_rules", outcomes_follow_the_rules),
    ("many_clients_are_served_at_once", many_clients_are_served_at_once),
];

fn connect(trial: &Trial) -> TcpStream {
    TcpStream::connect(trial.world.addresses()[&trial.world.nodes()[0]]).unwrap()
}

/// What the node answers to these bytes, up to the end of the stream.
fn answers(trial: &Trial, bytes: &[u8]) -> Vec<Value> {
    let mut stream = connect(trial);
    stream.write_all(bytes).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    BufReader::new(stream).lines().map(|line| serde_json::from_str(&line.unwrap()).unwrap()).collect()
}

fn a_terminal_is_a_usable_client() {
    let trial = Trial::start(3);
    // The sender has said all before it is answered, as in `echo ... | nc -N`.
    assert_eq!(answers(&trial, b"{\"type\":\"write\",\"value\":\"by hand\"}\n"), [json!({"type": "done"})]);
    assert_eq!(
        answers(&trial, b"\n  \n{\"type\":\"read\",\"msg_id\":3}\n{\"type\":\"round_trip\",\"msg_id\":4}\n"),
        [
            json!({"type": "notes", "values": ["by hand"], "in_reply_to": 3}),
            json!({"type": "done", "in_reply_to": 4})
        ]
    );
}

fn malformed_lines_are_answered() {
    let trial = Trial::start(1);
    let codes: Vec<(Value, Value)> = answers(
        &trial,
        b"hello\n{\"type\":\"grow\",\"msg_id\":1}\n{\"type\":\"echo\",\"msg_id\":2}\n{\"msg_id\":3}\n\
          {\"type\":\"echo\",\"value\":4,\"msg_id\":4}\n\xff\xfe\n",
    )
    .into_iter()
    .map(|body| (body["in_reply_to"].clone(), body.get("code").unwrap_or(&body["type"]).clone()))
    .collect();
    assert_eq!(
        codes,
        [
            (Value::Null, json!(12)),
            (json!(1), json!(10)),
            (json!(2), json!(12)),
            (json!(3), json!(12)),
            (json!(4), json!("echo_ok")),
            (Value::Null, json!(12)),
        ]
    );
}

fn a_line_without_end_is_cut_short() {
    let mut trial = Trial::start(1);
    let mut stream = connect(&trial);
    stream.write_all(&vec![b'x'; 100 * 1024]).unwrap();
    let mut line = String::new();
    BufReader::new(stream.try_clone().unwrap()).read_line(&mut line).unwrap();
    let body: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(body["code"], 12);
    assert!(body["text"].as_str().unwrap().contains("longer than"), "{body}");
    trial.ok(1, &json!({"type": "echo", "value": 1}));
}

fn outcomes_follow_the_rules() {
    let mut trial = Trial::start(1);
    assert_eq!(trial.ok(1, &json!({"type": "echo", "value": 7}))["value"], 7);
    let refused = trial.call(1, &json!({"type": "refuse"}));
    assert_eq!(refused, Outcome::Fail("no (22)".to_owned()));
    let unknown = trial.call(1, &json!({"type": "grow"}));
    assert!(matches!(&unknown, Outcome::Fail(reason) if reason.contains("(10)")), "{unknown:?}");
    let ignored = trial.call(1, &json!({"type": "ignore"}));
    assert_eq!(ignored, Outcome::Info("n1: timed out".to_owned()));
}

fn many_clients_are_served_at_once() {
    let mut trial = Trial::start(2);
    let calls: Vec<(u64, u64)> = (0..200)
        .map(|value| (value, trial.begin((value % 2) as u16 + 1, &json!({"type": "echo", "value": value}))))
        .collect();
    for (value, process) in calls {
        match trial.outcome(process) {
            Outcome::Ok(_, body) => assert_eq!(body["value"], value),
            other => panic!("{other:?}"),
        }
    }
}
