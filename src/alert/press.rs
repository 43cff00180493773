//! The button below a Telegram letter: reads who pressed it, records that somebody is seeing to the letter's open tickets, says so and takes
//! the button away. A stage of its own, since it waits for Telegram most of the time.
//!
//! A press by anybody in the letter's chat counts: a group is an office, and whoever may read its letters may say this. It is recorded by
//! the official whose chat it is. What a press carries may be made up, so that it is signed, and its chat, which Telegram vouches for, must
//! be the letter's. Presses are forgotten by Telegram only when they were recorded, and recording one twice changes nothing.
//!
//! One program reads a bot's presses. Where several daemons share a database, Telegram sends each away for the other's sake; all of them
//! back off, and a press is taken by whichever asks next.

mod bot;

use jiff::SignedDuration;
use minijinja::context;
use tokio_util::sync::CancellationToken;

use self::bot::{Bot, Fault, Press};
use super::{AlertError, channel::ChannelError, letter::LetterError};
use crate::{
    catalogue::{Part, Words},
    domain::{
        SharedSettings, Time,
        alert::Channel,
        settings::{Site, Telegram},
    },
    link,
    runtime::{Nudge, SharedClock, Stage, Tally},
    store::{
        Db, StoreError,
        acks::{self, Letter, Standing},
        meta,
    },
};

/// The longest rest after calls that came to nothing.
const REST: SignedDuration = SignedDuration::from_mins(1);
/// The rest where a person must change something: a reload ends it.
const REST_TOKEN: SignedDuration = SignedDuration::from_mins(5);
/// Failures in a row that the network is forgiven before it is said.
const FORGIVEN: u32 = 2;
/// After a week of silence Telegram may number updates anew, lower than before (core.telegram.org/bots/api#update): older marks are not used.
const MARK_LIFE: SignedDuration = SignedDuration::from_hours(6 * 24);

/// What the stage is joined to.
pub struct Joints {
    /// Where everything is kept.
    pub db: Db,
    /// Time.
    pub clock: SharedClock,
    /// Wakes the sla stage.
    pub judge: Nudge,
    /// Signed the buttons.
    pub links: link::Key,
    /// Ends a step early.
    pub stop: CancellationToken,
}

/// Reads presses.
pub struct PressStage {
    joints: Joints,
    words: Words,
    bot: Bot,
    mark: String,
    rest_until: Time,
    failures: u32,
    said: Option<Fault>,
}

impl PressStage {
    /// The stage, where `channel.telegram` is configured.
    pub fn new(settings: &SharedSettings, joints: Joints) -> Result<Option<Self>, AlertError> {
        settings.channels.telegram.as_ref().map(|telegram| Self::of(telegram, &settings.site, joints)).transpose()
    }

    fn of(telegram: &Telegram, site: &Site, joints: Joints) -> Result<Self, AlertError> {
        let words = Words::new(Part::Ack, site.language, site.timezone.clone()).map_err(LetterError::from)?;
        let bot = Bot::new(telegram).map_err(ChannelError::from)?;
        let mark = format!("telegram_offset {}", bot.number());
        Ok(Self { joints, words, bot, mark, rest_until: Time::from_secs(0), failures: 0, said: None })
    }

    fn now(&self) -> Time {
        Time::from_timestamp(self.joints.clock.now())
    }

    /// The first update that was not dealt with, if it was noted lately.
    async fn offset(&self) -> Result<Option<i64>, StoreError> {
        let mark = meta::remembered(&self.joints.db, &self.mark).await?;
        let (offset, noted) = mark.as_deref().and_then(|mark| mark.split_once(' ')).unwrap_or_default();
        let noted = Time::clamp_ms(noted.parse().unwrap_or(0));
        Ok(offset.parse().ok().filter(|_| self.now().since(noted) < MARK_LIFE))
    }

    async fn take(&self, press: &Press) -> Result<(), AlertError> {
        let letter = self.letter(press).await?;
        let said = match &letter {
            None => self.words.say("press_unknown", ()),
            Some(letter) if letter.created_at.plus(link::LIFE) <= self.now() => self.words.say("press_over", ()),
            Some(letter) => {
                let by = format!("telegram of {}", letter.official);
                let done = acks::acknowledge(&self.joints.db, letter.id, None, &by, self.now()).await?;
                if done.is_empty() {
                    let tickets = acks::tickets(&self.joints.db, letter.id).await?;
                    let closed = tickets.iter().all(|told| told.standing == Standing::Closed);
                    self.words.say(if closed { "closed" } else { "already" }, ())
                } else {
                    self.joints.judge.nudge();
                    self.words.say("press_done", context! { n => done.len() })
                }
            }
        };
        let text = said.map_err(LetterError::from)?;
        // Only a courtesy: what counts is stored, and a press that is too old to be answered is refused.
        let courtesy = async {
            let answered = self.bot.answer(&press.id, &text).await;
            let cleared = match press.message.as_ref().filter(|_| letter.is_some()) {
                Some(below) => self.bot.take_away(below).await,
                None => Ok(()),
            };
            if let Err(fault) = answered.and(cleared) {
                tracing::debug!(stage = Self::NAME, %fault, "a press could not be answered; it counts all the same");
            }
        };
        self.joints.stop.run_until_cancelled(courtesy).await;
        Ok(())
    }

    /// The letter below which the button stands, if the button is ours and the chat is the letter's.
    async fn letter(&self, press: &Press) -> Result<Option<Letter>, StoreError> {
        let (Some(key), Some(below)) = (self.joints.links.pressed(&press.data), &press.message) else { return Ok(None) };
        let chat = below.chat.id.to_string();
        let named = below.chat.username.as_ref().map(|name| format!("@{name}"));
        let letter = acks::letter(&self.joints.db, key).await?;
        Ok(letter.filter(|letter| {
            let moved = letter.provider_id.as_deref().and_then(|sent| sent.split_once('/')).is_some_and(|(to, _)| to == chat);
            let same = letter.address == chat || named.is_some_and(|name| name.eq_ignore_ascii_case(&letter.address));
            letter.channel == Channel::Telegram && (same || moved)
        }))
    }

    /// Says what is wrong once and rests, each time longer.
    fn failed(&mut self, fault: Fault) {
        let doubled = SignedDuration::from_secs(1 << self.failures.min(6));
        self.failures = self.failures.saturating_add(1);
        let rest = match &fault {
            Fault::Token(_) => REST_TOKEN,
            Fault::Webhook => REST,
            Fault::Wait(rest) => *rest,
            Fault::Reader | Fault::Down(_) => doubled.min(REST),
        };
        self.rest_until = self.now().plus(rest);
        let silent = match fault {
            Fault::Wait(_) => true,
            Fault::Down(_) => self.failures <= FORGIVEN,
            Fault::Token(_) | Fault::Webhook | Fault::Reader => false,
        };
        if !silent && self.said.as_ref() != Some(&fault) {
            tracing::warn!(stage = Self::NAME, channel = "telegram", %fault, "presses of the button below letters are not read");
            self.said = Some(fault);
        }
    }

    fn well(&mut self) {
        self.failures = 0;
        if self.said.take().is_some() {
            tracing::info!(stage = Self::NAME, channel = "telegram", "presses of the button below letters are read again");
        }
    }
}

impl Stage for PressStage {
    const NAME: &'static str = "press";
    type Error = AlertError;

    fn is_outage(error: &AlertError) -> bool {
        error.is_outage()
    }

    async fn once(&mut self) -> Result<Tally, AlertError> {
        if self.now() < self.rest_until {
            return Ok(Tally { done: 0, next: Some(self.rest_until.timestamp()) });
        }
        let offset = self.offset().await?;
        let updates = match self.joints.stop.run_until_cancelled(self.bot.presses(offset)).await {
            None => return Ok(Tally::default()),
            Some(Err(fault)) => {
                self.failed(fault);
                return Ok(Tally { done: 0, next: Some(self.rest_until.timestamp()) });
            }
            Some(Ok(updates)) => updates,
        };
        self.well();
        let mut done = 0;
        for update in updates {
            if self.joints.stop.is_cancelled() {
                break;
            }
            if let Some(press) = &update.press {
                self.take(press).await?;
            }
            let mark = format!("{} {}", update.id.saturating_add(1), self.now().ms());
            meta::remember(&self.joints.db, &self.mark, &mark).await?;
            done += 1;
        }
        Ok(Tally { done, next: (done > 0).then(|| self.now().timestamp()) })
    }
}
