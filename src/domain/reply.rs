//! Answering a citizen through the Graph API: in which forms it can be done, to whom, for how long, and how long it may be. Pure.

use jiff::SignedDuration;

use super::{AccountId, Kind, Platform, Text, ThreadId, TicketId, TicketState, Time, message::key_of, words};

super::row_id! {
    /// Our number of a reply.
    ReplyId
}

/// In which form something is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Form {
    /// In public, below what was written.
    Comment,
    /// In the conversation.
    Message,
    /// By one direct message to the writer of a comment or of a post on the wall.
    Private,
}
words!(Form { Comment = "comment", Message = "message", Private = "private" });

/// Where a reply stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ReplyState {
    /// Recorded; nothing was handed to Meta.
    Waiting,
    /// Handed to Meta, whose answer is awaited.
    Sending,
    /// Meta took it.
    Sent,
    /// Whether Meta took it is not known; it is looked for, and never sent again.
    Uncertain,
    /// It was not sent, and won't be.
    Failed,
}
words!(ReplyState { Waiting = "waiting", Sending = "sending", Sent = "sent", Uncertain = "uncertain", Failed = "failed" });

impl ReplyState {
    /// Whether it is still to be seen what becomes of it.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Waiting | Self::Sending | Self::Uncertain)
    }
}

/// So long after a person's newest message an account may write freely (Messenger Platform, standard messaging window).
pub const WINDOW: SignedDuration = SignedDuration::from_hours(24);
/// So long a person of the account may, if the app has the feature Human Agent; and so long a comment can be answered privately.
pub const WEEK: SignedDuration = SignedDuration::from_hours(7 * 24);

/// What lets a direct message through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Window {
    /// The 24 hours after the newest message.
    Open,
    /// The 7 days: the app needs the feature Human Agent.
    HumanAgent,
}

impl Window {
    /// At `now` for somebody whose newest message is of `newest_at`; `None`: nothing does any more.
    pub fn at(newest_at: Time, now: Time) -> Option<Self> {
        match now.since(newest_at) {
            past if past < WINDOW => Some(Self::Open),
            past if past < WEEK => Some(Self::HumanAgent),
            _ => None,
        }
    }
}

/// The newest message of a ticket's citizen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Newest {
    /// Meta's id.
    pub external_id: String,
    /// When it was written.
    pub at: Time,
    /// Its writer's id.
    pub author: Option<String>,
    /// A Page or a configured account wrote it.
    pub by_page: bool,
    /// It was answered privately, by us or from elsewhere.
    pub private_reply: bool,
}

/// What of a ticket decides how it can be answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// Its number.
    pub ticket: TicketId,
    /// Where it stands.
    pub state: TicketState,
    /// Whose it is.
    pub account: AccountId,
    /// Meta's id of the account.
    pub account_id: String,
    /// Where it was written.
    pub platform: Platform,
    /// Slug of the OPD that answers for it.
    pub opd: String,
    /// Its thread.
    pub thread_id: ThreadId,
    /// What that is.
    pub kind: Kind,
    /// Meta's id of the conversation, the top-level comment, the post or the medium.
    pub thread: String,
    /// The post or medium above a comment thread, as the last part of its id.
    pub post: Option<String>,
    /// Conversations: the citizen's id.
    pub citizen: Option<String>,
    /// The top-level comment is hidden.
    pub thread_hidden: bool,
    /// The citizen's newest message that is still there.
    pub newest: Option<Newest>,
    /// Where a person can look at it.
    pub permalink: Option<String>,
}

/// A form in which a ticket can be answered now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Way {
    /// The form.
    pub form: Form,
    /// Meta's id of what it answers: comment, post, or citizen.
    pub target: String,
    /// Until when.
    pub until: Option<Time>,
    /// Direct messages: what lets them through.
    pub window: Option<Window>,
}

/// Why a ticket can't be answered in a form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs)] // each has its sentence below and in the catalogue
pub enum Unfit {
    Closed,
    Conversation,
    NotConversation,
    Mention,
    Review,
    Hidden,
    Gone,
    Nobody,
    WindowOver,
    PrivateOver,
    PrivateOnce,
    ByPage,
}
words!(Unfit {
    Closed = "closed", Conversation = "conversation", NotConversation = "not_conversation", Mention = "mention", Review = "review",
    Hidden = "hidden", Gone = "gone", Nobody = "nobody", WindowOver = "window_over", PrivateOver = "private_over",
    PrivateOnce = "private_once", ByPage = "by_page",
});

impl Unfit {
    /// For the command line and the log.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Closed => "the ticket is closed",
            Self::Conversation => "in a conversation one answers by a message",
            Self::NotConversation => "only a conversation is answered by a message; a comment's writer can get one private reply",
            Self::Mention => "Meta lets nobody answer a mention here through its API: answer it where it stands",
            Self::Review => "Meta lets nobody answer a review through its API: answer it where it stands",
            Self::Hidden => "it is hidden, and what is hidden can't be answered: show it again first, or answer privately",
            Self::Gone => "nothing is left of it to answer",
            Self::Nobody => "Meta does not say who wrote it",
            Self::WindowOver => "the citizen's newest message is older than 7 days: Meta lets only a person in its own inbox answer now",
            Self::PrivateOver => "it is older than 7 days: Meta takes no private reply any more",
            Self::PrivateOnce => "it was answered privately already, which can be done once",
            Self::ByPage => "a Page wrote it: Meta takes no private reply to one",
        }
    }
}

impl Facts {
    /// Whether the ticket can be answered in this form at `now`.
    pub fn way(&self, form: Form, now: Time) -> Result<Way, Unfit> {
        if self.state != TicketState::Open {
            return Err(Unfit::Closed);
        }
        match (self.kind, form) {
            (Kind::Review, _) => return Err(Unfit::Review),
            (Kind::Mention, _) if self.platform == Platform::Instagram => return Err(Unfit::Mention),
            (Kind::Mention, Form::Private) => return Err(Unfit::Mention),
            (Kind::Message, Form::Comment | Form::Private) => return Err(Unfit::Conversation),
            (Kind::Comment | Kind::Post | Kind::Mention, Form::Message) => return Err(Unfit::NotConversation),
            _ => {}
        }
        let newest = self.newest.as_ref().ok_or(Unfit::Gone)?;
        match form {
            // On Instagram an answer to a reply hangs on the top-level comment, which therefore is the target on both platforms.
            Form::Comment if self.platform == Platform::Instagram && self.thread_hidden => Err(Unfit::Hidden),
            Form::Comment => Ok(Way { form, target: self.thread.clone(), until: None, window: None }),
            Form::Message => {
                let target = self.citizen.clone().or_else(|| newest.author.clone()).ok_or(Unfit::Nobody)?;
                let window = Window::at(newest.at, now).ok_or(Unfit::WindowOver)?;
                let until = newest.at.plus(if window == Window::Open { WINDOW } else { WEEK });
                Ok(Way { form, target, until: Some(until), window: Some(window) })
            }
            Form::Private if newest.by_page => Err(Unfit::ByPage),
            Form::Private if newest.private_reply => Err(Unfit::PrivateOnce),
            Form::Private if now.since(newest.at) >= WEEK => Err(Unfit::PrivateOver),
            Form::Private => Ok(Way { form, target: newest.external_id.clone(), until: Some(newest.at.plus(WEEK)), window: None }),
        }
    }

    /// Every form, with its way or why there is none.
    pub fn ways(&self, now: Time) -> Vec<(Form, Result<Way, Unfit>)> {
        Form::ALL.iter().map(|&form| (form, self.way(form, now))).collect()
    }

    /// The form that is meant where nobody says another.
    pub const fn usual(&self) -> Form {
        if matches!(self.kind, Kind::Message) { Form::Message } else { Form::Comment }
    }

    /// Whether this target of a private reply is a post on the wall, not a comment.
    pub fn is_post(&self, target: &str) -> bool {
        self.kind == Kind::Post && key_of(target) == key_of(&self.thread)
    }
}

/// Why a text can't be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// Nothing to say.
    #[error("the text is empty")]
    Empty,
    /// Meta's limits of each form.
    #[error("the text is too long: {length} {unit}, of which Meta takes {most}")]
    TooLong {
        /// How long it is.
        length: usize,
        /// How long it may be.
        most: usize,
        /// Of what.
        unit: &'static str,
    },
    /// PostgreSQL can't keep it, and no keyboard types it.
    #[error("the text holds a NUL, which can't be sent")]
    Nul,
}

/// How long a text may be: so many characters, or bytes (Send API; comment and reply references).
pub const fn limit(platform: Platform, form: Form) -> (usize, &'static str) {
    match (platform, form) {
        (Platform::Facebook, Form::Comment) => (8_000, "characters"),
        (Platform::Facebook, _) => (2_000, "characters"),
        (Platform::Instagram, Form::Comment) => (2_200, "characters"),
        (Platform::Instagram, _) => (1_000, "bytes"),
    }
}

/// The text as it is sent: without white space around it.
pub fn text(platform: Platform, form: Form, text: &str) -> Result<Text, TextError> {
    let text = text.trim();
    if text.is_empty() {
        return Err(TextError::Empty);
    }
    if text.contains('\0') {
        return Err(TextError::Nul);
    }
    let (most, unit) = limit(platform, form);
    // Characters as Meta's programs count them: UTF-16 units, of which an emoji has two.
    let length = if unit == "bytes" { text.len() } else { text.encode_utf16().count() };
    if length > most { Err(TextError::TooLong { length, most, unit }) } else { Ok(Text::new(text)) }
}

/// What of two texts must be equal for one to be the other as Meta shows it: everything but the white space.
pub fn essence(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests;
