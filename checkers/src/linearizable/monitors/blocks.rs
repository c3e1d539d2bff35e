//! The blocks of a register, and their order.

use super::super::partition::{Known, NEVER};
use super::Clash;
use super::register::{NONE, Versions};

/// About how much memory a block takes, its place in the order included.
pub(super) const BYTES: usize = size_of::<Block>() + 8;

/// All that happens while values follow each other by cas alone.
#[derive(Clone, Copy, Debug)]
struct Block {
    /// Its first value.
    root: u32,
    /// The least return, f.
    first_return: u32,
    /// The greatest call, s.
    last_call: u32,
}

impl Block {
    fn forward(&self) -> bool {
        self.first_return < self.last_call
    }

    /// Where it stands in the order: a forward block where it begins to be certain, a backward one as early as
    /// possible. A backward one that begins within a forward one so comes right after that.
    fn rank(&self) -> u32 {
        self.first_return.min(self.last_call)
    }
}

/// An order of the claims that explains all of them.
pub(super) fn order(versions: &Versions<'_>) -> Result<Vec<u32>, Clash> {
    let mut swaps = 0;
    let first = block(versions, versions.view.initial, &mut swaps)?;
    let mut blocks = Vec::with_capacity(roots(versions).count());
    for root in roots(versions) {
        blocks.push(block(versions, root, &mut swaps)?);
    }
    versions.circles(swaps, std::iter::once(versions.view.initial).chain(roots(versions)))?;
    blocks.sort_unstable_by_key(Block::rank);
    sweep(versions, &first, &blocks)?;
    let mut order = Vec::with_capacity(versions.view.claims.len());
    for block in std::iter::once(&first).chain(&blocks) {
        order.extend(members(versions, block.root));
    }
    Ok(order)
}

/// The values at which blocks begin, the initial one apart.
fn roots(versions: &Versions<'_>) -> impl Iterator<Item = u32> {
    versions.view.claims.iter().zip(0..).filter_map(|(claim, place)| match claim.effect {
        Known::Set(state) if versions.takes_part(place) => Some(state),
        _ => None,
    })
}

/// The claims of a block in the order of its values, readers by their calls.
fn members(versions: &Versions<'_>, root: u32) -> impl Iterator<Item = u32> {
    std::iter::successors(Some(root), |state| versions.after(*state)).flat_map(move |state| {
        let version = versions.version(state);
        let some = |claim: u32| (claim != NONE).then_some(claim);
        let readers = std::iter::successors(some(version.reader), move |reader| {
            some(versions.next_reader[*reader as usize])
        });
        some(version.giver).into_iter().chain(readers)
    })
}

/// Walks a block. A clash is an operation that returned before one was called that its value came after.
fn block(versions: &Versions<'_>, root: u32, swaps: &mut usize) -> Result<Block, Clash> {
    let mut block = Block { root, first_return: NEVER, last_call: 0 };
    let mut state = root;
    loop {
        let version = versions.version(state);
        if version.giver != NONE {
            let giver = &versions.view.claims[version.giver as usize];
            if giver.ret < block.last_call {
                return Err(disorder(versions, root, version.giver));
            }
            block.first_return = block.first_return.min(giver.ret);
            block.last_call = block.last_call.max(giver.call);
        }
        if version.first_return < block.last_call {
            let claims = &versions.view.claims;
            let readers = members(versions, state).skip(usize::from(version.giver != NONE));
            let early = readers.take_while(|reader| claims[*reader as usize].effect == Known::Observe(state));
            let culprit = early.min_by_key(|reader| claims[*reader as usize].ret);
            return Err(disorder(versions, root, culprit.unwrap_or(version.reader)));
        }
        block.first_return = block.first_return.min(version.first_return);
        block.last_call = block.last_call.max(version.last_call);
        let Some(next) = versions.after(state) else { return Ok(block) };
        *swaps += 1;
        state = next;
    }
}

/// The clash of a claim that returned too early for its place in its block with all those that it cannot follow
/// and nothing but the block demands: the first of them, and the first that gave a value.
fn disorder(versions: &Versions<'_>, root: u32, culprit: u32) -> Clash {
    let claims = &versions.view.claims;
    let end = claims[culprit as usize].ret;
    let late = |claim: &u32| claims[*claim as usize].call > end;
    let before = || members(versions, root).take_while(|claim| *claim != culprit).filter(late);
    let gives = |claim: &u32| claims[*claim as usize].effect.gives().is_some();
    Clash::of(before().find(gives).into_iter().chain(before().next()).chain([culprit]))
}

/// Finds two blocks each of which must precede the other, among blocks in the order of their ranks.
fn sweep(versions: &Versions<'_>, first: &Block, blocks: &[Block]) -> Result<(), Clash> {
    // The initial value holds from the beginning, up to the last call that needs it.
    let mut cover = Block { first_return: 0, ..*first };
    for block in blocks {
        if block.first_return < cover.last_call {
            return Err(overlap(versions, first.root, &cover, block));
        }
        if block.forward() {
            cover = *block;
        }
    }
    Ok(())
}

/// The clash of two blocks each of which must precede the other.
fn overlap(versions: &Versions<'_>, initial: u32, one: &Block, two: &Block) -> Clash {
    let mut pool = Vec::new();
    let mut precedes = |before: &Block, after: &Block| {
        // What came first needs no proof that it did.
        if before.root == initial {
            return;
        }
        let claims = &versions.view.claims;
        let returns = |claim: &u32| claims[*claim as usize].ret;
        let late = |claim: &u32| claims[*claim as usize].call > before.first_return;
        let gives = |claim: &u32| claims[*claim as usize].effect.gives().is_some();
        pool.extend(members(versions, before.root).min_by_key(returns));
        pool.extend(members(versions, after.root).filter(late).min_by_key(returns));
        pool.extend(members(versions, after.root).filter(gives).find(late));
        pool.extend(members(versions, before.root).find(gives));
    };
    precedes(one, two);
    precedes(two, one);
    Clash::of(pool)
}
