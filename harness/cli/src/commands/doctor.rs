//! `rashomon doctor`: what this machine allows, and what would enable the rest.

use std::fs;
use std::io::Write;
use std::net::{TcpListener, UdpSocket};
use std::path::Path;
use std::time::Instant;

use comfy_table::{ContentArrangement, Table, presets};
use serde_json::json;

use crate::args::DoctorArguments;
use crate::exit::Exit;

/// One thing that was looked at.
struct Finding {
    what: &'static str,
    status: Status,
    /// What was seen.
    seen: String,
    /// What would mend it, or what it is for.
    note: &'static str,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Status {
    /// As it should be.
    Ok,
    /// The main job works; something else does not, or not as well.
    Limited,
    /// The main job does not work.
    Missing,
}

impl Status {
    fn name(self) -> &'static str {
        match self {
            Status::Ok => "ok",
            Status::Limited => "limited",
            Status::Missing => "missing",
        }
    }
}

pub(crate) fn run(arguments: &DoctorArguments) -> Exit {
    let findings = [
        self_exec(),
        loopback(),
        ephemeral_ports(),
        receive_buffer(),
        open_files(),
        cores(),
        disk(),
        user_namespaces(),
        device(
            "/dev/net/tun",
            "packet faults for unmodified binaries",
            "load the tun module, or run as root",
        ),
        device("/dev/fuse", "lost writes for unmodified binaries", "install and load fuse"),
    ];
    if arguments.json {
        let rows: Vec<_> = findings
            .iter()
            .map(|f| json!({"check": f.what, "status": f.status.name(), "seen": f.seen, "note": f.note}))
            .collect();
        outln!("{:#}", serde_json::Value::Array(rows));
    } else {
        let mut table = Table::new();
        table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
        table.set_header(["check", "status", "seen", "note"]);
        for f in &findings {
            table.add_row([f.what, f.status.name(), &f.seen, f.note]);
        }
        outln!("{table}");
    }
    if findings.iter().any(|finding| finding.status == Status::Missing) { Exit::Harness } else { Exit::Valid }
}

fn self_exec() -> Finding {
    let seen = fs::read_link("/proc/self/exe");
    Finding {
        what: "node processes",
        status: if seen.is_ok() { Status::Ok } else { Status::Missing },
        seen: seen.map_or_else(|error| error.to_string(), |_| "/proc/self/exe can be executed".into()),
        note: "nodes are this binary again; needs Linux with /proc mounted",
    }
}

/// Nodes have addresses of their own in 127.0.0.0/8.
fn loopback() -> Finding {
    let bound = TcpListener::bind("127.77.88.99:0").and_then(|_| UdpSocket::bind("127.77.88.99:0"));
    Finding {
        what: "loopback fabric",
        status: if bound.is_ok() { Status::Ok } else { Status::Missing },
        seen: bound.map_or_else(|error| error.to_string(), |_| "127.0.0.0/8 can be bound".into()),
        note: "partitions and packet faults between reference nodes; needs the loopback interface up",
    }
}

fn ephemeral_ports() -> Finding {
    let text = fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").unwrap_or_default();
    let low = text.split_whitespace().next().and_then(|low| low.parse::<u16>().ok());
    Finding {
        what: "ports",
        status: match low {
            Some(low) if low >= 2048 => Status::Ok,
            _ => Status::Limited,
        },
        seen: low
            .map_or("the ephemeral range is unknown".into(), |low| format!("ephemeral ports begin at {low}")),
        note: "nodes listen below the ephemeral range, so that a dead node's address stays refused",
    }
}

fn receive_buffer() -> Finding {
    let allowed = number("/proc/sys/net/core/rmem_max");
    Finding {
        what: "receive buffers",
        status: if allowed >= Some(1 << 20) { Status::Ok } else { Status::Limited },
        seen: allowed.map_or("unknown".into(), |bytes| format!("up to {} KiB", bytes / 1024)),
        note: "smaller ones make the kernel drop bursts, which is counted; raise net.core.rmem_max",
    }
}

fn open_files() -> Finding {
    let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let soft = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"))
        .and_then(|rest| rest.split_whitespace().next())
        .and_then(|soft| soft.parse::<u64>().ok());
    Finding {
        what: "open files",
        status: if soft >= Some(1024) { Status::Ok } else { Status::Limited },
        seen: soft.map_or("unlimited or unknown".into(), |soft| soft.to_string()),
        note: "a socket per pair of nodes, and per client and node; raise with `ulimit -n`",
    }
}

fn cores() -> Finding {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    Finding {
        what: "cores",
        status: if cores >= 2 { Status::Ok } else { Status::Limited },
        seen: cores.to_string(),
        note: "two are enough for five nodes at the default rate",
    }
}

/// The time of an fsync decides how much a correct node ever has unsynced.
fn disk() -> Finding {
    let path = Path::new(".rashomon-doctor");
    let timed = || -> std::io::Result<u128> {
        let mut file = fs::File::create(path)?;
        let mut times = Vec::new();
        for _ in 0..9 {
            file.write_all(&[0; 512])?;
            let begun = Instant::now();
            file.sync_data()?;
            times.push(begun.elapsed().as_micros());
        }
        times.sort_unstable();
        Ok(times[times.len() / 2])
    };
    let result = timed();
    // What was never created cannot be removed, and that is said above.
    let _ = fs::remove_file(path);
    Finding {
        what: "disk",
        status: match result {
            Ok(micros) if micros < 20_000 => Status::Ok,
            Ok(_) => Status::Limited,
            Err(_) => Status::Missing,
        },
        seen: result.map_or_else(|error| error.to_string(), |micros| format!("fsync takes {micros} us here")),
        note: "runs are written below the current directory; choose a faster disk with `--out`",
    }
}

fn user_namespaces() -> Finding {
    let root = fs::metadata("/proc/self").is_ok_and(|data| std::os::unix::fs::MetadataExt::uid(&data) == 0);
    let allowed = number("/proc/sys/user/max_user_namespaces");
    let restricted = number("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == Some(1);
    let open = root || allowed > Some(0) && !restricted;
    Finding {
        what: "network namespaces",
        status: if open { Status::Ok } else { Status::Limited },
        seen: if root {
            "root".into()
        } else {
            format!("user namespaces {}", if open { "allowed" } else { "closed" })
        },
        note: "for unmodified binaries only; reference systems need no privilege",
    }
}

fn device(path: &'static str, what_for: &'static str, mend: &'static str) -> Finding {
    let there = Path::new(path).exists();
    Finding {
        what: path,
        status: if there { Status::Ok } else { Status::Limited },
        seen: if there { "there".into() } else { "not there".into() },
        note: if there { what_for } else { mend },
    }
}

fn number(path: &str) -> Option<u64> {
    fs::read_to_string(path).ok()?.trim().parse().ok()
}
