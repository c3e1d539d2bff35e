//! How far down each moment is drawn: in order, not to scale, and never one label on another.

use rashomon_core::Time;

/// What takes room at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Room {
    /// A line across all lanes.
    Rule,
    /// The head of an arrow, with its label above.
    Head,
    /// A timer.
    Timer,
    /// A write.
    Durable,
    /// A dot.
    Dot,
    /// A label on the lane.
    Pill,
    /// The end of an op.
    End,
    /// The beginning of an op, with its label above.
    Begin,
    /// The tail of an arrow.
    Tail,
    /// A line across all lanes that comes last of its moment.
    LastRule,
}

impl Room {
    /// What it needs above and below it on its lane.
    fn extent(self) -> (f64, f64) {
        match self {
            Room::Rule | Room::LastRule => (17.0, 9.0),
            Room::Head => (12.0, 2.0),
            Room::Timer | Room::Durable => (6.0, 5.0),
            Room::Dot => (3.5, 3.5),
            Room::Pill => (9.0, 9.0),
            Room::End => (4.0, 5.0),
            Room::Begin => (19.0, 3.0),
            Room::Tail => (3.0, 3.0),
        }
    }
}

/// A moment on a lane, or on all of them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Point {
    pub(super) at: Time,
    pub(super) lane: Option<usize>,
    pub(super) room: Room,
}

/// A stretch of time in which nothing happens that is drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Quiet {
    pub(super) y: f64,
    pub(super) from: Time,
    pub(super) to: Time,
}

/// Where everything is.
#[derive(Debug)]
pub(super) struct Places {
    /// How far down each point is, in their order.
    pub(super) ys: Vec<f64>,
    /// Where long stretches of time are passed over.
    pub(super) quiet: Vec<Quiet>,
    /// The moments that are worth their time in the margin.
    pub(super) times: Vec<(f64, Time)>,
    pub(super) height: f64,
}

/// A gap that is passed over, and says so.
const LONG: u64 = 30_000_000;

/// The room that a gap in time takes: it grows with its logarithm.
fn gap(nanoseconds: u64) -> f64 {
    if nanoseconds == 0 {
        0.0
    } else if nanoseconds >= LONG {
        34.0
    } else {
        1.0 + 3.6 * (1.0 + nanoseconds as f64 / 40_000.0).log10()
    }
}

/// Places points on so many lanes.
pub(super) fn place(points: &[Point], lanes: usize) -> Places {
    let mut order: Vec<usize> = (0..points.len()).collect();
    order.sort_by_key(|number| (points[*number].at, points[*number].room));
    let mut last: Vec<Option<(f64, Room, Time)>> = vec![None; lanes];
    let mut places =
        Places { ys: vec![0.0; points.len()], quiet: Vec::new(), times: Vec::new(), height: 0.0 };
    let (mut now, mut y) = (order.first().map_or(Time::ZERO, |number| points[*number].at), 8.0);
    let mut told = f64::NEG_INFINITY;
    for number in order {
        let point = points[number];
        let passed = point.at.0 - now.0;
        if passed >= LONG {
            places.quiet.push(Quiet { y: y + 20.0, from: now, to: point.at });
        }
        y += gap(passed);
        now = point.at;
        let taken = match point.lane {
            Some(lane) => last[lane].map(|before| below(before, point)),
            None => last.iter().flatten().map(|before| below(*before, point)).reduce(f64::max),
        };
        y = y.max(taken.unwrap_or(point.room.extent().0 + 4.0));
        places.ys[number] = y;
        match point.lane {
            Some(lane) => last[lane] = Some((y, point.room, point.at)),
            None => last.fill(Some((y, point.room, point.at))),
        }
        if y - told >= 24.0 {
            places.times.push((y, point.at));
            told = y;
        }
    }
    places.height = y + 26.0;
    places
}

/// The least that a point is drawn down, given what is above it on its lane.
fn below((y, room, at): (f64, Room, Time), point: Point) -> f64 {
    let joined = match (room, point.room) {
        // What a timer, an op or a record brings about leaves from where that is drawn.
        (Room::Timer | Room::Pill | Room::Begin | Room::Durable | Room::Dot | Room::Tail, Room::Tail)
        | (Room::Dot | Room::Head | Room::Durable | Room::Timer, Room::Dot) => true,
        _ => false,
    };
    if joined && at == point.at { y } else { y + room.extent().1 + point.room.extent().0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(at: u64, lane: usize, room: Room) -> Point {
        Point { at: Time(at), lane: Some(lane), room }
    }

    #[test]
    fn time_never_runs_up_and_labels_of_a_lane_keep_apart() {
        let points: Vec<Point> = (0..200)
            .map(|number: u64| point(number * 7919 % 500 * 1000, (number % 3) as usize, Room::Pill))
            .collect();
        let places = place(&points, 3);
        for (a, one) in points.iter().zip(&places.ys) {
            for (b, other) in points.iter().zip(&places.ys) {
                assert!(a.at >= b.at || one <= other, "{a:?} at {one} is below {b:?} at {other}");
                let same = a.lane == b.lane && std::ptr::from_ref(a) != std::ptr::from_ref(b);
                assert!(!same || (one - other).abs() >= 17.9);
            }
        }
    }

    #[test]
    fn what_one_moment_brings_about_leaves_from_one_place() {
        let points = [point(5, 0, Room::Timer), point(5, 0, Room::Tail), point(5, 0, Room::Tail)];
        let ys = place(&points, 1).ys;
        assert!((ys[0] - ys[1]).abs() < 1e-9 && (ys[1] - ys[2]).abs() < 1e-9);
    }

    #[test]
    fn a_long_silence_is_passed_over_and_said() {
        let points = [point(0, 0, Room::Dot), point(900_000_000, 0, Room::Dot)];
        let places = place(&points, 1);
        assert_eq!(places.quiet.len(), 1);
        assert_eq!((places.quiet[0].from, places.quiet[0].to), (Time(0), Time(900_000_000)));
        assert!(places.ys[1] - places.ys[0] < 60.0);
    }
}
