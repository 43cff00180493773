//! Forgetting: nothing of an erased person is left anywhere, no read brings them back, and no figure changes.

mod callback;
mod dump;
mod kept;
mod person;
mod restricted;
