//! What became of the messages, link by link, and what each node had to say.

use std::collections::BTreeSet;

use maud::{Markup, html};
use rashomon_core::switch::LinkCounts;
use rashomon_core::{Link, NodeId};

use super::{NodeLog, Parts};
use crate::describe;
use crate::store::{Network, NodeReport};

/// The most nodes that the matrix shows.
const MOST: usize = 16;

pub(crate) fn section(parts: &Parts<'_>) -> Markup {
    html! {
        section #network {
            h2 { "Network and nodes" }
            @match parts.network {
                Some(network) => (matrix(network)),
                None => p.empty { "No messages were counted." },
            }
            (nodes(parts))
        }
    }
}

/// What was done to messages, in the order of a message's way.
fn fates(counts: &LinkCounts) -> [(u64, &'static str, bool); 7] {
    [
        (counts.cut, "cut", true),
        (counts.lost, "lost", true),
        (counts.kernel_dropped, "dropped by the kernel", true),
        (counts.corrupted, "damaged", true),
        (counts.delayed, "delayed", false),
        (counts.reordered, "overtaken", false),
        (counts.duplicated, "doubled", false),
    ]
}

fn sum(network: &Network) -> LinkCounts {
    let mut total = LinkCounts::default();
    for LinkCounts {
        sent,
        delivered,
        cut,
        lost,
        delayed,
        duplicated,
        reordered,
        corrupted,
        kernel_dropped,
        bytes,
    } in network.links.iter().map(|link| link.counts)
    {
        total.sent += sent;
        total.delivered += delivered;
        total.cut += cut;
        total.lost += lost;
        total.delayed += delayed;
        total.duplicated += duplicated;
        total.reordered += reordered;
        total.corrupted += corrupted;
        total.kernel_dropped += kernel_dropped;
        total.bytes += bytes;
    }
    total
}

fn matrix(network: &Network) -> Markup {
    let nodes: BTreeSet<NodeId> =
        network.links.iter().flat_map(|report| [report.link.from, report.link.to]).collect();
    let shown: Vec<NodeId> = nodes.iter().copied().take(MOST).collect();
    let total = sum(network);
    html! {
        p.lead {
            "Messages from node to node: how many were sent, and what the switch and the kernel did to them. "
            "The deeper the red, the more never arrived whole."
        }
        @if shown.is_empty() { p.empty { "No message was sent." } } @else {
            div.wide {
                table.matrix {
                    thead { tr { th { "from \\ to" } @for to in &shown { th { (to) } } } }
                    tbody {
                        @for from in &shown {
                            tr {
                                th scope="row" { (from) }
                                @for to in &shown { (cell(network, Link { from: *from, to: *to })) }
                            }
                        }
                    }
                }
            }
            @if nodes.len() > shown.len() {
                p.told { (nodes.len() - shown.len()) " more nodes are in network.json." }
            }
        }
        p.told {
            "In all " (describe::counted(total.sent, "message", "messages")) " (" (bytes(total.bytes)) "): "
            (describe::count(total.delivered)) " let through"
            @for (count, what, _) in fates(&total) {
                @if count > 0 { ", " (describe::count(count)) " " (what) }
            }
            "."
            @if network.unjournaled > 0 {
                " The journal was full: " (describe::count(network.unjournaled)) " of them are not in it."
            }
        }
    }
}

fn cell(network: &Network, link: Link) -> Markup {
    let Some(report) = network.links.iter().find(|report| report.link == link) else {
        return html! { td.none { @if link.from != link.to { "0" } } };
    };
    let counts = &report.counts;
    let harmed: u64 = fates(counts).iter().filter(|(.., harm)| *harm).map(|(count, ..)| count).sum();
    let share = harmed * 100 / counts.sent.max(1);
    html! {
        td style={ "--harm:" (share.min(100)) "%" } title={ (link) ": " (bytes(counts.bytes)) } {
            b { (describe::count(counts.sent)) }
            @for (count, what, harm) in fates(counts) {
                @if count > 0 { span class=[harm.then_some("harm")] { (describe::count(count)) " " (what) } }
            }
        }
    }
}

fn bytes(count: u64) -> String {
    match count as f64 {
        c if c < 10_000.0 => format!("{c} bytes"),
        c if c < 1_000_000.0 => format!("{:.0} kB", c / 1e3),
        c => format!("{:.1} MB", c / 1e6),
    }
}

/// Which columns of the table of nodes have anything to say.
#[derive(Clone, Copy)]
struct Known {
    starts: bool,
    crashes: bool,
}

fn nodes(parts: &Parts<'_>) -> Markup {
    let reports = parts.network.map(|network| &network.nodes[..]).unwrap_or_default();
    // Where starts and crashes were not recorded, a column of zeros or of "none" would claim what nobody saw.
    let known = Known {
        starts: reports.iter().any(|report| report.starts > 0),
        crashes: reports.iter().any(|report| report.crash.is_some()),
    };
    html! {
        @if !reports.is_empty() {
            h3 { "Nodes" }
            div.wide {
                table {
                    thead {
                        tr {
                            th { "node" } @if known.starts { th.number { "starts" } } th.number { "damaged frames" }
                            th.number { "foreign frames" } th.number { "unreadable frames" } @if known.crashes { th { "crash" } }
                        }
                    }
                    tbody { @for report in reports.iter().take(200) { (node(report, known)) } }
                }
            }
        }
        @for log in parts.logs { (last_words(log, reports)) }
    }
}

fn node(report: &NodeReport, known: Known) -> Markup {
    html! {
        tr class=[report.crash.as_ref().map(|_| "warn")] {
            td { (report.node) }
            @if known.starts { td.number { (report.starts) } }
            td.number { (describe::count(report.bad_checksum)) }
            td.number { (describe::count(report.foreign)) }
            td.number { (describe::count(report.malformed)) }
            @if known.crashes {
                td { @match &report.crash { Some(crash) => (describe::clean(crash, 400)), None => "none" } }
            }
        }
    }
}

fn last_words(log: &NodeLog, reports: &[NodeReport]) -> Markup {
    let crashed = reports.iter().any(|report| report.crash.is_some() && report.node.to_string() == log.node);
    html! {
        @if !log.last.is_empty() {
            details.log open[log.panicked || crashed] {
                summary {
                    "Last words of " (describe::clean(&log.node, 40))
                    @if log.panicked { " " span.warn { "a panic" } }
                    @else if crashed { " " span.warn { "crashed" } }
                }
                pre { @for line in &log.last { (describe::clean(line, 300)) "\n" } }
            }
        }
    }
}
