//! The picture of a cycle: its transactions on a ring, an arrow from each to the next.
//!
//! It is drawn here and not by a script, so that it prints and is always there. Each transaction has a row of its own,
//! or one with its counterpart on the other side: boxes never overlap, however many there are.

use maud::{Markup, html};
use rashomon_core::{History, Value};

use super::card::{Card, is_on, is_read};
use super::cycle::{Class, Cycle, Edge};
use crate::describe;

/// The most transactions that are drawn; of a longer cycle the rest is one box.
const DRAWN: usize = 12;

/// Measures, in the drawing's own pixels.
const LINE: f64 = 19.0;
const HEAD: f64 = 46.0;
const LETTER: f64 = 7.3;
const NARROWEST: f64 = 168.0;
const BETWEEN: f64 = 84.0;
const MARGIN: f64 = 12.0;

/// How much the drawing shrinks on a narrow screen before it scrolls.
const SMALLEST: f64 = 0.68;

/// The longest line in a box, in characters.
const WIDTH: usize = 30;

/// The longest key on an arrow.
const KEY: usize = 14;

#[derive(Clone, Copy, Debug)]
struct Point {
    x: f64,
    y: f64,
}

impl Point {
    fn new(x: f64, y: f64) -> Point {
        Point { x, y }
    }

    fn between(self, other: Point, share: f64) -> Point {
        Point::new(self.x + (other.x - self.x) * share, self.y + (other.y - self.y) * share)
    }

    /// The point so far away in the direction of another.
    fn towards(self, other: Point, length: f64) -> Point {
        let (x, y) = (other.x - self.x, other.y - self.y);
        let all = x.hypot(y).max(1e-9);
        Point::new(self.x + x / all * length, self.y + y / all * length)
    }
}

/// What a box stands for.
enum Content {
    Transaction {
        title: String,
        card: Option<Card>,
    },
    /// Transactions that are left out, from one place to another.
    Gap {
        from: usize,
        to: usize,
    },
}

/// A box with its place.
struct Panel {
    content: Content,
    centre: Point,
    width: f64,
    height: f64,
}

/// An arrow and the place of its edge.
struct Arrow<'a> {
    edge: &'a Edge,
    place: usize,
    from: Point,
    bend: Point,
    to: Point,
    /// Where the middle of its label is: on the arrow, or outside beside a steep one.
    label: Point,
}

/// The drawing. `id` begins the names of the sentences to which arrows lead.
pub(crate) fn ring(cycle: &Cycle, history: &History, id: &str) -> Markup {
    let boxes = boxes(cycle, history);
    let arrows = arrows(cycle, &boxes);
    let (low, high) = extent(&boxes, &arrows);
    let (width, height) = (high.x - low.x, high.y - low.y);
    html! {
        div.wide tabindex="0" role="group" aria-label="Drawing of the cycle; scrolls sideways" {
            svg.ring xmlns="http://www.w3.org/2000/svg" width=(px(width)) height=(px(height))
                style=(format!("min-width: {:.0}px", width * SMALLEST))
                viewBox=(format!("{:.1} {:.1} {width:.1} {height:.1}", low.x, low.y)) role="img"
                aria-label={ "A cycle of " (cycle.members.len()) " transactions; each arrow is told below" } {
                @for arrow in &arrows { (drawn(arrow, cycle, id)) }
                @for one in &boxes { (filled(one, cycle)) }
            }
        }
    }
}

fn px(length: f64) -> String {
    format!("{length:.1}")
}

/// The boxes, in the order of the cycle, clockwise from the top.
fn boxes(cycle: &Cycle, history: &History) -> Vec<Panel> {
    let all = cycle.members.len();
    let drawn = if all > DRAWN { DRAWN - 1 } else { all };
    let mut contents: Vec<Content> = (0..drawn).map(|place| transaction(cycle, place, history)).collect();
    if drawn < all {
        contents.push(Content::Gap { from: drawn, to: all - 1 });
    }
    let sizes: Vec<(f64, f64)> = contents.iter().map(size).collect();
    let centres = centres(&sizes);
    let boxes = contents.into_iter().zip(sizes).zip(centres);
    boxes.map(|((content, (width, height)), centre)| Panel { content, centre, width, height }).collect()
}

fn transaction(cycle: &Cycle, place: usize, history: &History) -> Content {
    let member = &cycle.members[place];
    let [before, after] = cycle.around(place);
    let on = |edge: &Edge, parts: &[Value]| edge.key.as_ref().is_some_and(|key| is_on(parts, key));
    let matters = |_: usize, parts: &[Value]| {
        let led_to = on(before, parts) && is_read(parts) == (before.class == Class::Wr);
        let leads_on = on(after, parts) && is_read(parts) == (after.class == Class::Rw);
        led_to || leads_on
    };
    Content::Transaction {
        title: format!("{} · process {}", member.name, member.process),
        card: Card::find(history, member.invoke, WIDTH, matters),
    }
}

fn size(content: &Content) -> (f64, f64) {
    match content {
        Content::Gap { .. } => (NARROWEST, HEAD + LINE),
        Content::Transaction { title, card } => {
            let lines = card.iter().flat_map(|card| &card.lines).map(|line| line.text.chars().count());
            let events = card.as_ref().map_or(0, |card| card.events.chars().count());
            let letters = lines.chain([title.chars().count() + 2, events]).max().unwrap_or_default();
            let count = card.as_ref().map_or(1, |card| card.lines.len() + usize::from(card.left_out > 0));
            (NARROWEST.max(letters as f64 * LETTER + 26.0), HEAD + LINE * count as f64 + 6.0)
        }
    }
}

/// Where boxes of these sizes stand on a ring.
///
/// Two stand side by side. Else one is on top, then they come in pairs, right and left, and the last of an even number is at
/// the bottom; how far out a pair is follows an ellipse.
fn centres(sizes: &[(f64, f64)]) -> Vec<Point> {
    let count = sizes.len();
    let widest = sizes.iter().map(|size| size.0).fold(0.0, f64::max);
    if count == 2 {
        let x = widest / 2.0 + 54.0;
        return vec![Point::new(-x, 0.0), Point::new(x, 0.0)];
    }
    let pairs = (count - 1) / 2;
    let has_bottom = count.is_multiple_of(2);
    let rows = 1 + pairs + usize::from(has_bottom);
    // The members of each row: the one on the right first, which comes earlier.
    let row = |row: usize| {
        let left = (count - row) % count;
        if row == 0 || left == row { vec![row] } else { vec![row, left] }
    };
    let radius = widest * 0.56 + 96.0;
    let length = (rows - 1) as f64 + if has_bottom { 0.0 } else { 0.5 };
    let mut centres = vec![Point::new(0.0, 0.0); count];
    let mut y = 0.0;
    for number in 0..rows {
        let members = row(number);
        let tall = members.iter().map(|member| sizes[*member].1).fold(0.0, f64::max);
        let share = number as f64 / length;
        let out = radius * (1.0 - (1.0 - 2.0 * share).powi(2)).max(0.0).sqrt();
        for (side, member) in members.iter().enumerate() {
            let x = match (members.len(), side) {
                (1, _) => 0.0,
                (_, 0) => out.max(widest / 2.0 + 20.0),
                _ => -out.max(widest / 2.0 + 20.0),
            };
            centres[*member] = Point::new(x, y + tall / 2.0);
        }
        y += tall + BETWEEN;
    }
    centres
}

fn arrows<'a>(cycle: &'a Cycle, boxes: &[Panel]) -> Vec<Arrow<'a>> {
    let count = boxes.len();
    let sum = boxes
        .iter()
        .fold(Point::new(0.0, 0.0), |sum, one| Point::new(sum.x + one.centre.x, sum.y + one.centre.y));
    let middle = Point::new(sum.x / count as f64, sum.y / count as f64);
    let arrow = |place: usize| {
        let (one, two) = (&boxes[place], &boxes[(place + 1) % count]);
        let half = one.centre.between(two.centre, 0.5);
        let apart = (one.centre.x - two.centre.x).hypot(one.centre.y - two.centre.y);
        let bend = if count == 2 {
            // One way above, the other way below.
            let side = if place == 0 { -1.0 } else { 1.0 };
            Point::new(half.x, side * (one.height.max(two.height) / 2.0 + 74.0))
        } else {
            half.towards(middle, -(apart * 0.16).clamp(18.0, 46.0))
        };
        // The last edge of a cycle that is cut closes it.
        let place = if place + 1 == count { cycle.edges.len() - 1 } else { place };
        let edge = &cycle.edges[place];
        let (from, to) = (border(one, bend, 2.0), border(two, bend, 4.0));
        let on = from.between(bend, 0.5).between(bend.between(to, 0.5), 0.5);
        let steep = ((from.y - to.y) / (from.x - to.x).hypot(from.y - to.y).max(1e-9)).powi(2);
        let out = if half.x < middle.x { -steep } else { steep };
        let label = Point::new(on.x + out * (reach(edge) + 5.0), on.y);
        Arrow { edge, place, from, bend, to, label }
    };
    (0..count).map(arrow).collect()
}

/// Where the line from a box's centre to a point leaves the box, and a little further.
fn border(one: &Panel, to: Point, beyond: f64) -> Point {
    let (x, y) = (to.x - one.centre.x, to.y - one.centre.y);
    let share = |half: f64, way: f64| if way.abs() < 1e-9 { f64::INFINITY } else { half / way.abs() };
    let share = share(one.width / 2.0 + beyond, x).min(share(one.height / 2.0 + beyond, y)).min(1.0);
    Point::new(one.centre.x + x * share, one.centre.y + y * share)
}

/// Half the width of the ground of an edge's label.
fn reach(edge: &Edge) -> f64 {
    edge.label(KEY).chars().count() as f64 * LETTER / 2.0 + 9.0
}

/// The corners of everything.
fn extent(boxes: &[Panel], arrows: &[Arrow<'_>]) -> (Point, Point) {
    let of_box = |one: &Panel| (one.centre, one.width / 2.0, one.height / 2.0);
    let of_label = |arrow: &Arrow<'_>| (arrow.label, reach(arrow.edge), 12.0);
    let all = boxes.iter().map(of_box).chain(arrows.iter().map(of_label));
    let start = (Point::new(f64::INFINITY, f64::INFINITY), Point::new(f64::NEG_INFINITY, f64::NEG_INFINITY));
    let (low, high) = all.fold(start, |(low, high), (centre, wide, tall)| {
        (
            Point::new(low.x.min(centre.x - wide), low.y.min(centre.y - tall)),
            Point::new(high.x.max(centre.x + wide), high.y.max(centre.y + tall)),
        )
    });
    (Point::new(low.x - MARGIN, low.y - MARGIN), Point::new(high.x + MARGIN, high.y + MARGIN))
}

fn drawn(arrow: &Arrow<'_>, cycle: &Cycle, id: &str) -> Markup {
    let Arrow { edge, place, from, bend, to, label } = arrow;
    let reach = reach(edge);
    // The head is drawn by hand, as markers do not take the colour of their line everywhere.
    let (neck, side) = (to.towards(*bend, 11.0), 4.6);
    let across = Point::new(-(to.y - neck.y) / 11.0 * side, (to.x - neck.x) / 11.0 * side);
    html! {
        a.edge.(edge.class.name()) href=(format!("#{id}-{place}")) {
            title {
                (cycle.members[*place].name) " comes before " (cycle.after(*place).name) ": "
                (describe::clean(&edge.because, 300))
            }
            path.way d=(format!("M{:.1} {:.1}Q{:.1} {:.1} {:.1} {:.1}", from.x, from.y, bend.x, bend.y, neck.x, neck.y)) {}
            path.point d=(format!("M{:.1} {:.1}L{:.1} {:.1}L{:.1} {:.1}Z", to.x, to.y, neck.x + across.x, neck.y + across.y,
                neck.x - across.x, neck.y - across.y)) {}
            rect.ground x=(px(label.x - reach)) y=(px(label.y - 11.0)) width=(px(reach * 2.0)) height="22" rx="11" {}
            text.name x=(px(label.x)) y=(px(label.y + 4.5)) { (edge.label(KEY)) }
        }
    }
}

fn filled(one: &Panel, cycle: &Cycle) -> Markup {
    let (left, top) = (one.centre.x - one.width / 2.0, one.centre.y - one.height / 2.0);
    let body = |class: &str| {
        html! {
            rect.body.(class) x=(px(left)) y=(px(top)) width=(px(one.width)) height=(px(one.height)) rx="8" {}
        }
    };
    match &one.content {
        Content::Gap { from, to } => html! {
            g.gap {
                (body("gap"))
                text.title x=(px(one.centre.x)) y=(px(one.centre.y - 4.0)) { (to - from + 1) " more transactions" }
                text.events x=(px(one.centre.x)) y=(px(one.centre.y + 16.0)) {
                    (cycle.members[*from].name) " to " (cycle.members[*to].name) ", told below"
                }
            }
        },
        Content::Transaction { title, card } => html! {
            g.transaction {
                (body(card.as_ref().map_or("info", |card| card.outcome)))
                text.title x=(px(left + 12.0)) y=(px(top + 20.0)) { (title) }
                @match card {
                    None => { text.events x=(px(left + 12.0)) y=(px(top + 37.0)) { "not in the history that was read" } },
                    Some(card) => {
                        text.events x=(px(left + 12.0)) y=(px(top + 37.0)) { (card.events) }
                        @for (number, line) in card.lines.iter().enumerate() {
                            @let y = top + HEAD + LINE * (number as f64 + 0.5);
                            @if line.marked {
                                rect.hit x=(px(left + 6.0)) y=(px(y - LINE / 2.0 + 1.0)) width=(px(one.width - 12.0))
                                    height=(px(LINE - 2.0)) rx="4" {}
                            }
                            text.line.marked[line.marked] x=(px(left + 12.0)) y=(px(y + 4.5)) { (line.text) }
                        }
                        @if card.left_out > 0 {
                            text.events x=(px(left + 12.0)) y=(px(top + HEAD + LINE * (card.lines.len() as f64 + 0.5) + 4.0)) {
                                "and " (card.left_out) " more"
                            }
                        }
                    }
                }
            }
        },
    }
}

#[cfg(test)]
mod tests {
    use super::centres;

    #[test]
    fn boxes_never_overlap_and_stand_in_a_ring() {
        for count in 2..=12_u32 {
            let sizes: Vec<(f64, f64)> = (0..count)
                .map(|place| (180.0 + f64::from(place % 3) * 40.0, 60.0 + f64::from(place % 4) * 30.0))
                .collect();
            let centres = centres(&sizes);
            for one in 0..centres.len() {
                for two in 0..one {
                    let apart_x =
                        (centres[one].x - centres[two].x).abs() - f64::midpoint(sizes[one].0, sizes[two].0);
                    let apart_y =
                        (centres[one].y - centres[two].y).abs() - f64::midpoint(sizes[one].1, sizes[two].1);
                    assert!(apart_x >= 0.0 || apart_y >= 0.0, "{count}: {one} and {two}");
                }
            }
            // Clockwise: the right side goes down, the left side up.
            let half = count.div_ceil(2) as usize;
            assert!((1..half).all(|place| centres[place].x > 0.0), "{count}");
            assert!(count == 2 || (1..half).all(|place| centres[place].y > centres[place - 1].y), "{count}");
        }
    }
}
