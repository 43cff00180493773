//! What people and scripts read: tickets, messages, accounts, in the shape of the contract's JSON. Reads only.

mod account;
mod message;
mod ticket;

pub use account::{AccountRow, accounts};
pub use message::{MessageFilter, MessagePages, MessageRow, history};
pub use ticket::{ActionRow, AlertRow, EventRow, TicketFilter, TicketRow, actions, alerts, events, ticket, tickets};

/// Who wrote something, as the contract shows it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct AuthorRow {
    /// Page-scoped or Instagram-scoped id.
    pub id: Option<String>,
    /// Display name, else user name.
    pub name: Option<String>,
}

impl AuthorRow {
    /// `None` where Meta says nothing of the author.
    fn of(id: Option<String>, name: Option<String>) -> Option<Self> {
        let id = id.filter(|id| !id.is_empty());
        (id.is_some() || name.is_some()).then_some(Self { id, name })
    }
}
