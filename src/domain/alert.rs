//! What officials are told, and by which way.

use jiff::SignedDuration;

use super::{Cause, TicketId, Time, words};

super::row_id! {
    /// Our number of an alert: something to tell, written in the transaction of what it tells of.
    AlertId
}

/// What an alert tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AlertKind {
    /// A warning took effect.
    Warned,
    /// A deadline was missed.
    Breached,
    /// A step after the deadline took effect.
    Escalated,
    /// Another OPD has to answer from now on; the detail is the slug of the one before.
    HandedOver,
    /// Meta's window for direct answers ends soon; the detail is when (RFC 3339).
    WindowClosing,
    /// The ticket was answered; to those who had been told.
    Answered,
    /// Staff dismissed it; to those who had been told.
    Dismissed,
    /// It was withdrawn; to those who had been told.
    Withdrawn,
    /// Found already past the deadline at an account's first read or after blindness.
    Backlog,
    /// A step took effect unverified: the account can't be read. One message per account, to `operator`.
    Unverified,
    /// An account can't be read.
    Unhealthy,
    /// It can be read again.
    Recovered,
    /// An account's token ends soon; the detail is when (RFC 3339).
    Expiring,
    /// Our clock and Meta's differ.
    ClockSkewed,
    /// A letter was given up; to `operator`, by other channels than the one that failed. The detail is office and channel.
    Undelivered,
    /// The morning sheet of an official.
    Morning,
    /// The weekly recap of an official.
    Weekly,
}
words!(AlertKind {
    Warned = "ticket.warned", Breached = "ticket.breached", Escalated = "ticket.escalated", HandedOver = "ticket.handed_over", WindowClosing = "ticket.window_closing",
    Answered = "ticket.answered", Dismissed = "ticket.dismissed", Withdrawn = "ticket.withdrawn",
    Backlog = "account.backlog", Unverified = "account.unverified",
    Unhealthy = "account.unhealthy", Recovered = "account.recovered", Expiring = "token.expiring", ClockSkewed = "clock.skewed",
    Undelivered = "alert.undelivered", Morning = "sheet.morning", Weekly = "sheet.weekly",
});

impl AlertKind {
    /// Whether it is a sheet of its official's own, at its own time.
    pub const fn is_sheet(self) -> bool {
        matches!(self, Self::Morning | Self::Weekly)
    }
}

/// Something to tell. Written by the stage that found it, in the same transaction; routed by the alert stage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alert {
    /// Our number.
    pub id: AlertId,
    /// What it tells.
    pub kind: AlertKind,
    /// The ticket, unless it is about an account or the site.
    pub ticket: Option<TicketId>,
    /// The account (our number), unless it is about the site.
    pub account: Option<super::AccountId>,
    /// Policy of the step; empty if none.
    pub policy: String,
    /// The step's `at` as configured; empty if none.
    pub at: String,
    /// The step's number in time order; 0 if none.
    pub step: u32,
    /// The groups it goes to; empty for closing lines, which go to whoever was told before.
    pub notify: Vec<String>,
    /// An answer written in time takes a breach back.
    pub late_found: bool,
    /// What a person must do something about, if it is about an account's or the site's state.
    pub cause: Option<Cause>,
    /// Reason of an account's state, how many messages are in doubt (our own phrases, for the letter), or a slug as the kind has it.
    pub detail: String,
    /// When it was written.
    pub created_at: Time,
}

/// The detail of a step's alert that was due before the daemon started on a restored copy.
pub const RESTORED: &str = "restored";

impl Alert {
    /// Whether it belongs to a summary that waits for all accounts.
    pub fn is_summed_up(&self) -> bool {
        self.kind == AlertKind::Backlog || self.kind == AlertKind::Warned && self.detail == RESTORED
    }

    /// Of a letter that was given up: whom it was for, by which way, and why it failed; in [`Alert::detail`] as
    /// [`undelivered`] puts it.
    pub fn undelivered(&self) -> (&str, Option<Channel>, &str) {
        let (whom, why) = self.detail.split_once(": ").unwrap_or((&self.detail, ""));
        let (official, channel) = whom.rsplit_once(' ').unwrap_or((whom, ""));
        (official, Channel::from_word(channel), why)
    }
}

/// The detail of an alert about a letter that was given up.
pub fn undelivered(official: &str, channel: Channel, why: &str) -> String {
    format!("{official} {channel}: {why}")
}

/// A way to reach an official.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Channel {
    /// E-mail by SMTP.
    Smtp,
    /// Telegram's Bot API.
    Telegram,
    /// WhatsApp's Cloud API.
    Whatsapp,
    /// Standard Webhooks.
    Webhook,
    /// Prometheus Alertmanager.
    Alertmanager,
    /// The daemon's own log.
    Log,
    /// No way at all: the official can't be told, and a delivery that says so is kept.
    None,
}
words!(Channel {
    Smtp = "smtp", Telegram = "telegram", Whatsapp = "whatsapp", Webhook = "webhook", Alertmanager = "alertmanager", Log = "log", None = "none",
});

/// What a delivery waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Held {
    /// The end of the official's quiet hours.
    Quiet,
    /// The official's one message a day.
    Digest,
    /// The next message to the address, `letter.group` after the last.
    Group,
    /// `letter.per_hour` messages left in the last hour.
    Cap,
    /// Three urgent tickets under the same post were told of in the last hour.
    Storm,
}
words!(Held { Quiet = "quiet", Digest = "digest", Group = "grouped", Cap = "hourly cap", Storm = "storm" });
impl Channel {
    /// The least time between two messages to one address. WhatsApp's pair limit: one message in 6 s to one person, error 131056 beyond
    /// (Cloud API, Throughput).
    pub const fn pace(self) -> Option<SignedDuration> {
        match self {
            Self::Whatsapp => Some(SignedDuration::from_secs(6)),
            _ => None,
        }
    }

    /// How long a letter of unknown outcome is not sent again, since a status may still tell (semantics.md, Alerts, "At least once").
    pub const fn awaits(self) -> Option<SignedDuration> {
        match self {
            Self::Whatsapp => Some(SignedDuration::from_mins(5)),
            _ => None,
        }
    }
}

/// What a channel says of a message after it took it, each stronger than the one before: what was delivered did not fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// On its way.
    Sent,
    /// It will not arrive.
    Failed,
    /// On the official's telephone.
    Delivered,
    /// Opened there.
    Read,
}
words!(Status { Sent = "sent", Failed = "failed", Delivered = "delivered", Read = "read" });

/// Where a delivery stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DeliveryState {
    /// Not yet in a letter (grouping, quiet hours, digest).
    Waiting,
    /// In a letter that has not been accepted yet.
    Pending,
    /// Accepted by the channel.
    Delivered,
    /// Refused for good, or not accepted within a day.
    Abandoned,
    /// The ticket closed first; the reason says how.
    Dropped,
    /// Nobody was to be told, and the reason says why.
    Skipped,
}
words!(DeliveryState {
    Waiting = "waiting", Pending = "pending", Delivered = "delivered", Abandoned = "abandoned", Dropped = "dropped", Skipped = "skipped",
});
