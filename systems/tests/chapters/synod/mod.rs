//! The nodes of the Synod, their messages delivered by hand: the cases of the paper as prose that was read and approved.

mod cast;
mod paper;
