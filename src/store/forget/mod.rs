//! Forgetting: a person's data on request, closed threads past retention, and what must not come back.
//!
//! An erased message keeps its row for the counts: account, thread, kind, direction, times, flags. It is judged no more, and the closed
//! tickets that depend on it are settled: they stand as they are, so that no figure changes. What comes later in the same place is judged
//! without it.
//!
//! # What is held of a person, column by column
//!
//! | column | on erasure |
//! | --- | --- |
//! | `message.text`, `attachments`, `reactions`, `tags`, `permalink`, `parent`, `private_reply`, `author_name`, `author_username` | empty |
//! | `message.author_id`, `ticket.author` | `~`: somebody who was named once, so that it is still counted how many Meta names |
//! | `message.key`, `external_id`; `thread.key`, `name` | `~` and the row's own number: Meta's id leads to what was written |
//! | `thread.citizen_id`, `permalink` | empty |
//! | `post.key`, `external_id` | of a citizen's post: `~` and its keyed hash, by which poll knows that it need not be read |
//! | `post.author_id`, `permalink` | empty |
//! | `thread.post_key` | as the post's |
//! | `ticket.reason`, `action.text`, `event.detail` | what staff wrote (of `dismiss`, `resolve`, `note`) is emptied; our own words, names of staff and slugs of OPDs stay |
//! | `letter.payload` | emptied whole: one letter tells of several; one that is still to be sent is written anew without them |
//! | `reply.text`, `target`, `external_id` | emptied; one not sent yet is not sent |
//! | `hint`, `restricted` | rows about them are deleted |
//! | `deletion.author` | emptied when done |
//! | `quick_reply.text_hash` | stays: of what the government wrote, names aside |
//! | `delivery`, `alert`, `gap`, `concern`, `source`, `account`, `trail` | hold nothing of citizens: offices, times, our own words |
//!
//! What the government wrote goes with the person where it stands in their conversation or thread, answers a message of theirs, or names
//! them. Tags of them in other people's messages are taken out. What another citizen wrote is that citizen's and stays, even where it holds
//! the person's name; so does Meta's id of a thread as long as somebody else's message stands in it.
//!
//! What a citizen took back is emptied by intake as soon as it is sure to be gone. Their name stays until the thread is erased, shown to
//! nobody: judging needs it to tell whom an answer named and which answers are one text sent to many.
//!
//! # What must not come back
//!
//! Sweeps read old comments again and again. So erased messages, threads and posts leave an HMAC-SHA256 of their identity in `erased`, under
//! a key made at the first erasure. It is apart from the rows: no row can be linked to a hash. What has such a hash is stored by no read.
//! An erased author leaves one too, with the time: what they wrote before it and is found later is not stored; what they write afterwards is
//! a citizen's message like any other. The key stands in the same database: whoever has a copy of all of it can ask whether a known id was
//! erased, and nothing else; whoever has the hashes alone, nothing at all.

mod again;
mod blank;
mod deletion;
mod export;
mod letters;
mod person;
mod purge;

pub(super) use again::{Erased, Key, known, posts};
pub use deletion::{Deletion, done, pending, request, status};
pub use export::{Held, export};
pub use person::{Erasure, Holding, erase, holdings};
pub(super) use person::{Person, owned};
pub use purge::{Purged, claim, due, purge, release, stale};

pub(super) use letters::rewrite;
