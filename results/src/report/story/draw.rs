//! The drawing: a space-time diagram with time running down, as inline SVG.

use maud::{Markup, html};

use super::place::{Places, Point, Room, place};
use super::scene::{Arrow, Bar, End, Mark, Scene, Sign, Who};
use super::words;
use crate::describe;

/// Measures, in the drawing's own pixels.
const GUTTER: f64 = 104.0;
const CLIENT: f64 = 168.0;
const NARROWEST: f64 = 132.0;
const WIDEST: f64 = 320.0;
/// The width that is filled where there are few lanes.
const USUAL: f64 = 1134.0;
/// Of a client's column, what is left of its lane.
const INSET: f64 = 24.0;
/// The width of a letter of the labels of arrows and of pills.
const LETTER: f64 = 5.5;
const PILL_LETTER: f64 = 5.9;

/// The lanes, and where each of them is.
struct Lanes<'s> {
    who: &'s [Who],
    xs: Vec<f64>,
    width: f64,
}

impl Lanes<'_> {
    fn new(who: &[Who]) -> Lanes<'_> {
        let clients = who.iter().filter(|who| matches!(who, Who::Client(_))).count() as f64;
        let nodes = who.len() as f64 - clients;
        let column = ((USUAL - GUTTER - clients * CLIENT) / nodes.max(1.0)).clamp(NARROWEST, WIDEST);
        let mut left = GUTTER;
        let xs = who
            .iter()
            .map(|who| match who {
                Who::Client(_) => {
                    left += CLIENT;
                    left - CLIENT + INSET
                }
                Who::Node(_) => {
                    left += column;
                    left - column / 2.0
                }
            })
            .collect();
        Lanes { who, xs, width: left }
    }

    /// The distance from a lane to the next one on the way to another.
    fn next(&self, lane: usize, towards: usize) -> f64 {
        let neighbour = if towards < lane { lane.checked_sub(1) } else { Some(lane + 1) };
        let x = neighbour.and_then(|lane| self.xs.get(lane)).copied();
        x.map_or(NARROWEST, |x| (x - self.xs[lane]).abs())
    }
}

fn name(who: Who) -> String {
    match who {
        Who::Client(process) => format!("client {process}"),
        Who::Node(node) => node.to_string(),
    }
}

/// The points of a scene, and which of them belongs to what.
struct Plotted {
    places: Places,
    /// Tail and head of each arrow; one that is lost has no head.
    arrows: Vec<(usize, Option<usize>)>,
    marks: Vec<usize>,
    bars: Vec<(usize, Option<usize>)>,
    rules: Vec<usize>,
}

impl Plotted {
    fn new(scene: &Scene) -> Plotted {
        let mut points: Vec<Point> = Vec::new();
        let mut add = |at, lane, room| {
            points.push(Point { at, lane, room });
            points.len() - 1
        };
        let marks = scene.marks.iter().map(|mark| {
            let room = match mark.sign {
                Sign::Timer => Room::Timer,
                Sign::Durable => Room::Durable,
                Sign::Dot => Room::Dot,
                Sign::Pill(_) => Room::Pill,
            };
            add(mark.at, Some(mark.lane), room)
        });
        let marks = marks.collect();
        let bars = scene.bars.iter().map(|bar| {
            let end = bar.to.map(|to| add(to, Some(bar.lane), Room::End));
            (add(bar.from, Some(bar.lane), Room::Begin), end)
        });
        let bars = bars.collect();
        let arrows = scene.arrows.iter().map(|arrow| {
            let head = match arrow.end {
                End::Arrives(at) | End::Unheard(at) => Some(add(at, Some(arrow.to), Room::Head)),
                End::Lost | End::UnderWay => None,
            };
            (add(arrow.at, Some(arrow.from), Room::Tail), head)
        });
        let arrows = arrows.collect();
        let rules = scene.rules.iter().map(|rule| {
            let room = if rule.class == "found" { Room::LastRule } else { Room::Rule };
            add(rule.at, None, room)
        });
        let rules = rules.collect();
        Plotted { places: place(&points, scene.lanes.len()), arrows, marks, bars, rules }
    }

    /// How far from a lane a label must keep to stand clear of what is on the lane just above.
    fn clear(&self, scene: &Scene, lane: usize, y: f64) -> f64 {
        let above = |(mark, point): &(&Mark, &usize)| {
            let over = y - self.y(**point);
            mark.lane == lane && matches!(mark.sign, Sign::Pill(_)) && (0.0..34.0).contains(&over)
        };
        let widths =
            scene.marks.iter().zip(&self.marks).filter(above).map(|(mark, _)| pill(mark) / 2.0 + 4.0);
        widths.fold(10.0, f64::max)
    }

    fn y(&self, point: usize) -> f64 {
        self.places.ys[point]
    }
}

pub(super) fn draw(scene: &Scene) -> Markup {
    let lanes = Lanes::new(&scene.lanes);
    let plotted = Plotted::new(scene);
    let (width, height) = (lanes.width, plotted.places.height);
    html! {
        div.story tabindex="0" role="group" aria-label="Space-time diagram; scrolls" {
            div.lanes style=(format!("width:{width:.0}px")) aria-hidden="true" {
                span.clock { "time" }
                @for (who, x) in lanes.who.iter().zip(&lanes.xs) {
                    span class=(if matches!(who, Who::Client(_)) { "client" } else { "node" })
                        style=(format!("left:{x:.0}px")) { (name(*who)) }
                }
            }
            svg.spacetime xmlns="http://www.w3.org/2000/svg" width=(px(width)) height=(px(height))
                viewBox={ "0 0 " (px(width)) " " (px(height)) } role="img"
                aria-label={ "Space-time diagram of " (scene.lanes.len()) " lanes and " (scene.arrows.len()) " messages" } {
                defs {
                    @for head in ["message", "request"] {
                        marker id={ "st-" (head) } class=(head) viewBox="0 0 8 8" refX="7.5" refY="4" markerWidth="6.5"
                            markerHeight="6.5" orient="auto" { path d="M0 0.6L8 4L0 7.4z" {} }
                    }
                    pattern #st-gone width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)" {
                        rect.ground width="6" height="6" {}
                        line y2="6" {}
                    }
                }
                (background(scene, &plotted, &lanes))
                @for (arrow, ends) in scene.arrows.iter().zip(&plotted.arrows) {
                    (way(arrow, *ends, scene, &plotted, &lanes))
                }
                @for (bar, ends) in scene.bars.iter().zip(&plotted.bars) { (op(bar, *ends, &plotted, &lanes)) }
                @for (sign, point) in scene.marks.iter().zip(&plotted.marks) {
                    (mark(sign, lanes.xs[sign.lane], plotted.y(*point)))
                }
            }
        }
    }
}

/// Lanes, times, faults: everything that lies below the story itself.
fn background(scene: &Scene, plotted: &Plotted, lanes: &Lanes<'_>) -> Markup {
    let (width, bottom) = (lanes.width, plotted.places.height);
    let rule = |number: Option<usize>| number.map(|number| plotted.y(plotted.rules[number]));
    html! {
        @for (place, band) in scene.bands.iter().enumerate() {
            @let (top, end) = (rule(band.from).unwrap_or(0.0), rule(band.to).unwrap_or(bottom));
            g.fault.(band.class) {
                title { (band.words) }
                rect.shade x="0" y=(px(top)) width=(px(width)) height=(px(end - top)) {}
                rect.strip x=(px(GUTTER - 12.0 - 7.0 * (place % 3) as f64)) y=(px(top)) width="5" height=(px(end - top)) {}
            }
        }
        @for x in &lanes.xs { line.lane x1=(px(*x)) x2=(px(*x)) y1="0" y2=(px(bottom)) {} }
        @for absence in &scene.absences {
            @let x = lanes.xs[absence.lane];
            @let top = plotted.y(plotted.marks[absence.from]);
            @let end = absence.to.map_or(bottom, |to| plotted.y(plotted.marks[to]));
            rect.absence.(absence.class) x=(px(x - 6.0)) y=(px(top)) width="12" height=(px(end - top)) {}
        }
        @for (y, time) in &plotted.places.times {
            text.time x=(px(GUTTER - 34.0)) y=(px(y + 3.5)) { (format!("{:.2} ms", time.as_secs_f64() * 1e3)) }
        }
        @for quiet in &plotted.places.quiet {
            rect.quiet x="0" y=(px(quiet.y - 5.0)) width=(px(width)) height="10" {}
            text.quiet x=(px(GUTTER + 6.0)) y=(px(quiet.y + 3.5)) {
                (describe::span(quiet.to.since(quiet.from)))
                @match scene.folds.iter().find(|fold| fold.from >= quiet.from && fold.to <= quiet.to) {
                    Some(fold) => { " of the same: " (describe::counted(fold.messages, "message", "messages")) }
                    None => { " in which nothing happens" }
                }
            }
        }
        @for (rule, point) in scene.rules.iter().zip(&plotted.rules) {
            @let y = plotted.y(*point);
            g.fault.rule.(rule.class) {
                line x1=(px(GUTTER - 26.0)) x2=(px(width)) y1=(px(y)) y2=(px(y)) {}
                text x=(px(GUTTER + 4.0)) y=(px(y - 4.5)) { (rule.words) }
            }
        }
    }
}

/// A message on its way, with its label along the last stretch.
fn way(
    arrow: &Arrow,
    (tail, head): (usize, Option<usize>),
    scene: &Scene,
    plotted: &Plotted,
    lanes: &Lanes<'_>,
) -> Markup {
    let (x1, y1) = (lanes.xs[arrow.from], plotted.y(tail));
    let to_right = arrow.to > arrow.from;
    let way = lanes.xs[arrow.to] - x1;
    let (x2, y2) = match head {
        Some(head) => (lanes.xs[arrow.to] - if to_right { 2.0 } else { -2.0 }, plotted.y(head)),
        // A message that is lost ends short of where it was to go.
        None if arrow.end == End::Lost => {
            (x1 + way - way.signum() * lanes.next(arrow.to, arrow.from) * 0.34, y1 + 11.0)
        }
        None => (x1 + way.signum() * 34.0, y1 + 5.0),
    };
    let under_way = arrow.end == End::UnderWay;
    let gone = matches!(arrow.end, End::Lost | End::Unheard(_));
    let angle = ((y2 - y1) / (x2 - x1)).atan().to_degrees();
    let away = if head.is_some() { plotted.clear(scene, arrow.to, y2) } else { 10.0 };
    let room = lanes.next(arrow.to, arrow.from) * if gone { 0.5 } else { 0.7 } - away - 4.0;
    let label = if arrow.again || under_way || arrow.text.is_empty() {
        String::new()
    } else if arrow.class == "request" {
        arrow.text.clone()
    } else {
        words::label(&arrow.text, (room / LETTER) as usize)
    };
    let away = if to_right { -away } else { away };
    let marker = if arrow.class == "request" { "request" } else { "message" };
    html! {
        g class={ (arrow.class) @if gone { " gone" } @if arrow.again || under_way { " again" } } {
            title { (arrow.tip) }
            line.grip x1=(px(x1)) y1=(px(y1)) x2=(px(x2)) y2=(px(y2)) {}
            line.way x1=(px(x1)) y1=(px(y1)) x2=(px(x2)) y2=(px(y2))
                marker-end=[(!gone && !under_way).then(|| format!("url(#st-{marker})"))] {}
            @if gone { path.cross d=(format!("M{:.1} {:.1}l8 8m0 -8l-8 8", x2 - 4.0, y2 - 4.0)) {} }
            @if !label.is_empty() {
                text text-anchor=(if to_right { "end" } else { "start" }) x=(px(x2 + away)) y=(px(y2 - 3.0))
                    transform=(format!("rotate({angle:.1} {x2:.1} {y2:.1})")) { (label) }
            }
        }
    }
}

/// An op as a bar on its client's lane, with what was asked and answered above.
fn op(bar: &Bar, (begin, end): (usize, Option<usize>), plotted: &Plotted, lanes: &Lanes<'_>) -> Markup {
    let (x, top) = (lanes.xs[bar.lane], plotted.y(begin));
    let bottom = end.map_or(plotted.places.height, |end| plotted.y(end));
    let words: String = if bar.words.chars().count() > 26 {
        bar.words.chars().take(25).chain(['…']).collect()
    } else {
        bar.words.clone()
    };
    html! {
        g class={ "op " (bar.class) @if bar.core { " core" } @if bar.illegal { " illegal" } } {
            title { (bar.tip) }
            rect x=(px(x - 6.0)) y=(px(top)) width="12" height=(px((bottom - top).max(5.0))) rx="3" {}
            text x=(px(x - 14.0)) y=(px(top - 6.0)) { (words) }
        }
    }
}

/// What happens on a lane alone.
fn mark(mark: &Mark, x: f64, y: f64) -> Markup {
    let width = pill(mark);
    html! {
        @match mark.sign {
            Sign::Timer => g.timer { title { (mark.tip) }
                circle cx=(px(x)) cy=(px(y)) r="5" {}
                path d=(format!("M{x:.1} {:.1}v3.2h2.4", y - 3.2)) {}
            },
            Sign::Durable => g.durable { title { (mark.tip) }
                rect x=(px(x - 4.0)) y=(px(y - 4.0)) width="8" height="8" rx="1" {}
            },
            Sign::Dot => g.dot { title { (mark.tip) } circle cx=(px(x)) cy=(px(y)) r="2.6" {} },
            Sign::Pill(class) => g.pill.(class) { title { (mark.tip) }
                rect x=(px(x - width / 2.0)) y=(px(y - 8.0)) width=(px(width)) height="16" rx="8" {}
                text x=(px(x)) y=(px(y + 3.6)) { (mark.words) }
            },
        }
    }
}

/// The width of a label.
fn pill(mark: &Mark) -> f64 {
    mark.words.chars().count() as f64 * PILL_LETTER + 12.0
}

fn px(length: f64) -> String {
    format!("{length:.1}")
}
