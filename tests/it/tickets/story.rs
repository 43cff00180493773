//! What truly happens under one account, and what is read of it when: drawn at random, small enough that citizens, seconds and names collide.

use proptest::prelude::*;
use tanggap::domain::{
    Direction, Kind, Object, Text, Time,
    message::{Author, Seen, Tag, ThreadKey},
    settings::Mentions,
    ticket::ActionKind,
};

/// Tuesday, 24 November 2026, 09.00 WIB.
pub const START: i64 = 1_795_485_600;
/// The account itself.
pub const OWN: &str = "page";

/// Seconds after [`START`].
pub fn at(second: i64) -> Time {
    Time::from_secs(START + second)
}

/// One message, and what becomes of it.
#[derive(Clone, Debug)]
pub struct Item {
    pub seen: Seen,
    /// Which of [`PLACES`] shows it.
    pub place: usize,
    /// From when on reads show it.
    pub visible_from: i64,
    /// When it gets another text, urgent (`true`) or one that needs an answer.
    pub edited: Option<(i64, bool)>,
    /// From when to when it is hidden.
    pub hidden: Option<(i64, i64)>,
    pub removed: Option<i64>,
    /// From when on Meta shows the conversation of its private reply.
    pub private: Option<(i64, &'static str)>,
}

impl Item {
    /// What a read at `now` shows of it.
    pub fn shown(&self, now: i64) -> Option<Seen> {
        if now < self.visible_from || self.removed.is_some_and(|removed| now >= removed) {
            return None;
        }
        let mut seen = self.seen.clone();
        seen.hidden = self.hidden.is_some_and(|(from, to)| (from..to).contains(&now));
        if let Some((_, urgent)) = self.edited.filter(|(edited, _)| now >= *edited) {
            seen.text = Text::new(&format!("{} (diubah)", seen.text));
            seen.needs_answer = seen.direction == Direction::In;
            seen.asks = seen.needs_answer;
            seen.urgent |= urgent && seen.needs_answer;
        }
        seen.private_reply = self.private.filter(|(from, _)| now >= *from).map(|(_, conversation)| conversation.to_owned());
        Some(seen)
    }
}

/// Something done at a second.
#[derive(Clone, Debug)]
pub enum Deed {
    /// A whole read of a place, or of all of them: it proves what is gone.
    Whole { place: Option<usize>, seed: u64 },
    /// Some of all that can be seen, in any order, some of it twice.
    Part { seed: u64 },
    /// Staff act on one of the tickets that are open then.
    Staff { kind: ActionKind, pick: usize },
}

#[derive(Clone, Debug)]
pub struct Story {
    pub instagram: bool,
    pub mentions: Mentions,
    /// What is older opens no ticket (seconds after [`START`]).
    pub opens_from: Option<i64>,
    pub items: Vec<Item>,
    pub deeds: Vec<(i64, Deed)>,
}

impl Story {
    /// The same, with this done at each of these seconds to one of the tickets that are open then.
    pub fn with(&self, kind: ActionKind, at: &[(i64, usize)]) -> Self {
        let mut story = self.clone();
        story.deeds.extend(at.iter().map(|&(second, pick)| (second, Deed::Staff { kind, pick })));
        story.deeds.sort_by_key(|(second, _)| *second);
        story
    }
}

/// What one read shows: a post with its comments, or a conversation.
pub const PLACES: [&str; 7] = ["p1", "p2", "t_dm1", "t_dm2", "t_dm3", "v1", "m1"];
/// Thread, its place, its kind, the citizen of a conversation.
const THREADS: [(&str, usize, Kind, Option<&str>); 9] = [
    ("c1", 0, Kind::Comment, None),
    ("c2", 0, Kind::Comment, None),
    ("c3", 1, Kind::Comment, None),
    ("c4", 1, Kind::Comment, None),
    ("t_dm1", 2, Kind::Message, Some("1001")),
    ("t_dm2", 3, Kind::Message, Some("1002")),
    ("t_dm3", 4, Kind::Message, Some("1003")),
    ("v1", 5, Kind::Post, None),
    ("m1", 6, Kind::Mention, None),
];
/// Two of them share their name.
const CITIZENS: [(&str, &str, &str); 3] = [("1001", "Siti Rahma", "siti.r"), ("1002", "Budi", "budi"), ("1003", "Siti Rahma", "siti")];

/// What is drawn of a message: thread, who, when (times five seconds), what text and traits, what becomes of it and when, how late it is shown.
type Draw = (usize, u8, i64, u32, (u8, i64), i64);

fn draw() -> impl Strategy<Value = Draw> {
    (0..THREADS.len(), 0..10_u8, 0..120_i64, any::<u32>(), (0..12_u8, 1..400_i64), prop_oneof![4 => Just(0_i64), 1 => 0..600_i64])
}

fn citizen(which: u8) -> Option<Author> {
    let (id, name, username) = CITIZENS.get(usize::from(which))?;
    Some(Author { id: Some((*id).into()), name: Some((*name).into()), username: Some((*username).into()) })
}

fn item(number: usize, (thread, who, when, traits, (fate, later), delay): Draw) -> Item {
    let (name, place, kind, with) = THREADS[thread];
    let bit = |n: u32| traits >> n & 1 == 1;
    let written = when * 5;
    let incoming = who < 6;
    // A conversation has one citizen; elsewhere any of three, or somebody Meta does not name.
    let author = match with {
        Some(id) => CITIZENS.iter().position(|(known, ..)| *known == id).and_then(|at| citizen(at as u8)),
        None => citizen(who % 4),
    };
    let government = ["page", "sister", "staff", "page"][usize::from(who.saturating_sub(6)) % 4];
    let direct = kind == Kind::Message;
    let mut seen = Seen {
        object: if direct { Object::Message } else { Object::Comment },
        external_id: format!("x{number:03}"),
        kind: if direct { Kind::Message } else { Kind::Comment },
        direction: if incoming { Direction::In } else { Direction::Out },
        government: (!incoming).then(|| if direct { OWN.to_owned() } else { government.to_owned() }),
        thread: ThreadKey {
            kind,
            name: name.into(),
            post: (kind == Kind::Comment).then(|| PLACES[place].into()),
            citizen: with.map(str::to_owned),
        },
        parent: None,
        top_level: false,
        author: if incoming { author } else { None },
        text: format!("Pesan {number}").as_str().into(),
        attachments: vec![],
        reactions: vec![],
        tags: vec![],
        created_at: at(written),
        hidden: incoming && !direct && traits % 16 == 0,
        automatic: false,
        needs_answer: incoming && traits % 5 != 0,
        asks: incoming && traits % 5 != 0 && bit(8),
        urgent: incoming && traits % 7 == 1 && traits % 5 != 0,
        bare: false,
        tags_own: incoming && bit(9),
        by_page: incoming && traits % 11 == 0,
        private_reply: None,
        permalink: None,
    };
    if !incoming {
        reply(&mut seen, traits, number);
    }
    let since = written.max(delay + written) + later;
    let hidden = (incoming && !direct && (fate == 2 || fate == 3)).then_some((since, if fate == 3 { since + 100 } else { i64::MAX }));
    Item {
        place,
        visible_from: written + delay,
        edited: (incoming && (fate == 4 || fate == 5)).then_some((since, fate == 5)),
        hidden: if seen.hidden { Some((0, i64::MAX)) } else { hidden },
        removed: match fate {
            0 | 1 => Some(since),
            6 => Some(since + 86_400), // an answer that stood longer than a day
            _ => None,
        },
        private: (incoming && kind == Kind::Comment && fate == 7)
            .then_some((since, ["t_dm1", "t_dm2", "t_none", "t_dm3"][usize::from(who % 4)])),
        seen,
    }
}

/// A plain message: by citizen 0 to 2, by nobody known (3), or by the account (6); at a second that five divides.
pub fn plain(number: usize, thread: usize, who: u8, second: i64) -> Item {
    item(number, (thread, who, second / 5, 13, (11, 1), 0))
}

/// What a reply says, and whom it names.
fn reply(seen: &mut Seen, traits: u32, number: usize) {
    let tag = |id: Option<&str>, name: &str| Tag { id: id.map(str::to_owned), name: Some(name.into()) };
    let text: &str = match traits % 14 {
        0 => "Halo, terima kasih sudah menghubungi kami",
        1 => "Halo Siti, terima kasih sudah  menghubungi kami",
        2 => "halo Budi, terima kasih sudah menghubungi kami",
        3 => "@siti.r sudah kami proses",
        4 => "@siti sudah kami proses",
        5 | 6 => {
            seen.top_level = seen.thread.kind == Kind::Comment;
            if seen.top_level {
                seen.external_id = format!("top{number:03}");
                seen.thread.name.clone_from(&seen.external_id);
            }
            seen.tags = vec![tag(Some("1002"), "Budi"), tag(None, "Siti Rahma")];
            "Budi dan @siti.r: sudah kami balas"
        }
        7 => {
            seen.tags = vec![tag(Some("1001"), "Siti Rahma")];
            "Siti Rahma sudah"
        }
        8 => {
            seen.tags = vec![tag(None, "Siti Rahma")];
            "Siti Rahma sudah"
        }
        9 => {
            seen.tags = vec![tag(Some("9999"), "Budi")];
            "Budi sudah"
        }
        10 => {
            seen.bare = true;
            "🙏"
        }
        11 => {
            seen.automatic = true;
            "Terima kasih, akan segera kami balas"
        }
        12 => {
            seen.tags_own = true;
            "Mohon ditindaklanjuti, Dindukcapil"
        }
        _ => return,
    };
    seen.text = text.into();
}

/// The visitor's post and the mention, which name their threads.
fn opening(thread: usize, traits: u32) -> Item {
    let (name, place, kind, _) = THREADS[thread];
    let mut item = item(0, (thread, (traits % 4) as u8, 1, traits, (11, 1), 0));
    item.seen = Seen { object: Object::Post, external_id: name.into(), kind, tags_own: true, ..item.seen };
    Item { place, ..item }
}

fn rules() -> impl Strategy<Value = (bool, Mentions, Option<i64>)> {
    let mentions = prop_oneof![Just(Mentions::Ask), Just(Mentions::All), Just(Mentions::None)];
    (any::<bool>(), mentions, prop_oneof![2 => Just(None), 1 => (0..300_i64).prop_map(Some)])
}

fn items(most: usize) -> impl Strategy<Value = Vec<Item>> {
    (prop::collection::vec(draw(), 1..most), any::<u32>(), any::<u32>()).prop_map(|(drawn, visitor, mention)| {
        let openings = [opening(7, visitor), opening(8, mention)];
        drawn.into_iter().enumerate().map(|(number, draw)| item(number + 1, draw)).chain(openings).collect()
    })
}

/// Instagram does not show private replies.
fn seen_on(instagram: bool, mut items: Vec<Item>) -> Vec<Item> {
    if instagram {
        for item in &mut items {
            item.private = None;
        }
    }
    items
}

/// Reads and actions while things happen: late messages, splits and merges, changes noticed early or late.
pub fn live() -> impl Strategy<Value = Story> {
    let kind = prop_oneof![
        Just(ActionKind::Ack),
        Just(ActionKind::Unack),
        Just(ActionKind::Dismiss),
        Just(ActionKind::Resolve),
        Just(ActionKind::Assign),
        Just(ActionKind::Handover)
    ];
    let deed = prop_oneof![
        4 => (0..PLACES.len(), any::<u64>()).prop_map(|(place, seed)| Deed::Whole { place: Some(place), seed }),
        4 => any::<u64>().prop_map(|seed| Deed::Part { seed }),
        2 => (kind, 0..6_usize).prop_map(|(kind, pick)| Deed::Staff { kind, pick }),
    ];
    (rules(), items(25), prop::collection::vec((0..1500_i64, deed), 0..20)).prop_map(
        |((instagram, mentions, opens_from), items, mut deeds)| {
            deeds.sort_by_key(|(second, _)| *second);
            Story { instagram, mentions, opens_from, items: seen_on(instagram, items), deeds }
        },
    )
}

/// The same messages taken in twice over, in other orders, batches and repetitions; what becomes of them is noticed at the same times.
pub fn twice() -> impl Strategy<Value = (Story, Story)> {
    let parts = || prop::collection::vec(any::<u64>(), 0..6);
    (rules(), items(25), parts(), parts()).prop_map(|((instagram, mentions, opens_from), mut items, first, second)| {
        items = seen_on(instagram, items);
        for item in &mut items {
            item.visible_from = 0;
            let later = |second: &mut i64| *second = second.saturating_add(2000);
            item.removed.iter_mut().for_each(later);
            item.edited.iter_mut().for_each(|(second, _)| later(second));
            item.private.iter_mut().for_each(|(second, _)| later(second));
            if let Some((from, to)) = item.hidden.as_mut().filter(|(from, _)| *from > 0) {
                later(from);
                later(to);
            }
        }
        let all = |second: i64| (second, Deed::Whole { place: None, seed: 0 });
        let told = |parts: Vec<u64>| {
            let parts = (1000..).zip(parts).map(|(second, seed)| (second, Deed::Part { seed }));
            let deeds = parts.chain([1900, 2200, 2500, 2800].map(all)).collect();
            Story { instagram, mentions, opens_from, items: items.clone(), deeds }
        };
        (told(first), told(second))
    })
}
