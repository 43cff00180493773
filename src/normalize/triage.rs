//! What an incoming text wants: does it need an answer, does it plainly ask, is it urgent (semantics.md, Tickets).
//!
//! The rule of rules: **when in doubt it needs an answer.** Nothing here recognises what a citizen wants; it recognises
//! the few plain cases that want nothing, and a word that might ask keeps a message among those that wait.

mod words;

use crate::domain::Text;
use regex::Regex;
use std::sync::LazyLock;
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};
use words::{ASKS, ASSENT, DOUBT, FILLER, GAMBLING, NOT, NOTED, OFFICE, PRAISE, PROMO, STEMS, TOPICS};

/// What a site configures, ready to be asked.
#[derive(Clone, Debug)]
pub struct Rules {
    automatic: Vec<Regex>,
    urgent: Vec<Vec<Keyword>>,
}

/// What is known about a message beside its text.
#[derive(Clone, Copy, Debug, Default)]
pub struct Signals<'a> {
    /// Something other than a sticker hangs on it.
    pub attachments: bool,
    /// A sticker.
    pub sticker: bool,
    /// It tags the account, or names it after `@`.
    pub tags_own: bool,
    /// It tags others, or names them after `@`.
    pub tags_others: bool,
    /// It is a reply to another citizen's comment.
    pub replies_to_other: bool,
    /// The others it tags, as they stand in the text, to be read past; `@` may be left out.
    pub other_names: &'a [&'a str],
    /// A comment, post, review or mention; not a direct message.
    pub public: bool,
}

/// What an `in` message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Whether it opens a ticket.
    pub needs_answer: bool,
    /// Whether it plainly asks, requests or complains, or is urgent.
    pub asks: bool,
    /// Whether it holds an urgent keyword.
    pub urgent: bool,
    /// Nothing but emoji or a sticker.
    pub bare: bool,
    /// The rule that decided `needs_answer`.
    pub why: &'static str,
}

impl Rules {
    /// `auto_reply_patterns`, compiled as the configuration says, and `urgent_keywords` as they are written there:
    /// one or more words, the last of which takes suffixes if it ends in `*`.
    pub fn new(auto_reply_patterns: &[Regex], urgent_keywords: &[String]) -> Self {
        let urgent = urgent_keywords.iter().map(|keyword| Keyword::all(keyword)).filter(|words| !words.is_empty()).collect();
        Self { automatic: auto_reply_patterns.to_vec(), urgent }
    }

    /// Whether an `out` text matches one of `auto_reply_patterns`.
    pub fn automatic(&self, text: &str) -> bool {
        self.automatic.iter().any(|pattern| pattern.is_match(text))
    }

    /// Whether a text holds one of `urgent_keywords` as a whole word, whatever its case or lettering.
    pub fn urgent(&self, text: &str) -> bool {
        let folded = fold(text);
        let words: Vec<&str> = split(&folded).collect();
        self.urgent
            .iter()
            .any(|keyword| words.windows(keyword.len()).any(|run| keyword.iter().zip(run).all(|(keyword, word)| keyword.matches(word))))
    }

    /// What an `in` message is.
    pub fn incoming(&self, text: &Text, signals: &Signals) -> Verdict {
        let urgent = self.urgent(text.as_str());
        let bare = !signals.attachments && is_bare(text.as_str(), signals.sticker);
        let reading = Reading::of(text.as_str(), signals.other_names);
        let asks = urgent || reading.asks();
        let verdict = |needs_answer, why| Verdict { needs_answer, asks, urgent, bare, why };
        if bare {
            return verdict(false, "emoji or a sticker");
        }
        if urgent {
            return verdict(true, "urgent");
        }
        if reading.advertises() {
            return verdict(false, "spam");
        }
        if signals.attachments {
            return verdict(true, "an attachment");
        }
        if asks {
            return verdict(true, "asks");
        }
        if reading.words.is_empty() && !reading.thanked {
            return match reading.residue {
                Residue::Link if signals.public && !signals.tags_own => verdict(false, "a bare link"),
                Residue::Emoji => verdict(false, "emoji or a sticker"),
                Residue::Tags if signals.public && signals.tags_others && !signals.tags_own => verdict(false, "only tags"),
                _ => verdict(true, "in doubt"),
            };
        }
        if reading.only_thanks(signals.public) {
            return verdict(false, "thanks or praise");
        }
        let to_another = signals.public && (signals.replies_to_other || signals.tags_others);
        if to_another && if signals.tags_own { reading.banter() } else { !reading.any(|word| OFFICE.has(word)) } {
            return verdict(false, "talks to another");
        }
        verdict(true, "in doubt")
    }
}

/// Whether a message is nothing but emoji, or nothing but a sticker.
pub fn is_bare(text: &str, sticker: bool) -> bool {
    if text.trim().is_empty() { sticker } else { EMOJI_ONLY.is_match(text) }
}

/// One word of an urgent keyword.
#[derive(Clone, Debug)]
struct Keyword {
    word: String,
    suffixes: bool,
}

impl Keyword {
    fn all(keyword: &str) -> Vec<Self> {
        let (suffixes, keyword) = keyword.trim_end().strip_suffix('*').map_or((false, keyword), |stem| (true, stem));
        let folded = fold(keyword);
        let mut words: Vec<Self> = split(&folded).map(|word| Self { word: word.to_owned(), suffixes: false }).collect();
        if let Some(last) = words.last_mut() {
            last.suffixes = suffixes;
        }
        words
    }
    fn matches(&self, word: &str) -> bool {
        if self.suffixes { word.starts_with(&self.word) } else { word == self.word }
    }
}

/// What is left of a text without words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Residue {
    Nothing,
    Tags,
    Emoji,
    Link,
}

/// A text taken apart: tags, links and phrases of thanks and greeting are out, the words that are left are [`words::squeeze`]d.
#[derive(Debug)]
struct Reading {
    words: Vec<String>,
    residue: Residue,
    question_mark: bool,
    /// Letters that only look like letters ; see [`disguised`].
    disguised: bool,
    thanked: bool,
    repaired: bool,
    to_another_first: bool,
}

impl Reading {
    fn of(text: &str, other_names: &[&str]) -> Self {
        let folded = fold(text);
        let unlinked = LINK.replace_all(&folded, " ");
        let (named, to_another_first) = without_names(&unlinked, other_names);
        let plain = HANDLE.replace_all(&named, " ");
        let symbols = EMOTICON.replace_all(&plain, " 🙂 ");
        let residue = match () {
            () if unlinked != folded => Residue::Link,
            () if EMOJI_AND_STOPS.is_match(&symbols) => Residue::Emoji,
            () if plain != unlinked => Residue::Tags,
            () => Residue::Nothing,
        };
        let line = split(&EMOJI.replace_all(&symbols, " ")).map(words::squeeze).collect::<Vec<_>>().join(" ");
        let greeted = GREETING.replace_all(&line, " ");
        let thankless = THANKS.replace_all(&greeted, " ");
        let rest = REPAIRED.replace_all(&thankless, " ");
        Self {
            residue,
            question_mark: plain.contains('?'),
            disguised: disguised(text),
            thanked: thankless != greeted,
            repaired: rest != thankless,
            to_another_first,
            words: rest.split_whitespace().map(str::to_owned).collect(),
        }
    }

    fn any(&self, test: impl Fn(&str) -> bool) -> bool {
        self.words.iter().any(|word| test(word))
    }

    /// A question mark, or a word that asks, requests or complains, or something of the office's that is *not*.
    fn asks(&self) -> bool {
        self.question_mark || self.any(asking) || self.any(|word| NOT.has(word)) && self.any(|word| TOPICS.holds(word))
    }

    /// Nothing but thanks, praise or taking note; or thanks for a repair. Sarcasm names what it is about, or says *not*.
    fn only_thanks(&self, public: bool) -> bool {
        let assent = |word: &str| public && (ASSENT.has(word) || LAUGHTER.is_match(word));
        let core = |word: &str| PRAISE.holds(word) || NOTED.has(word) || assent(word);
        let known = self.words.iter().filter(|word| core(word) || FILLER.has(word)).count();
        let doubtful = || self.any(|word| DOUBT.has(word));
        let about = || self.any(|word| TOPICS.holds(word) || OFFICE.has(word) || word.contains(|c: char| c.is_ascii_digit()));
        let said = self.thanked || self.any(core);
        said && known == self.words.len()
            || self.thanked && self.repaired && !doubtful()
            || said && public && known * 2 >= self.words.len() && !doubtful() && !about()
    }

    /// A few words to another with nothing in them of the office's, which the account's tag only went along with.
    fn banter(&self) -> bool {
        self.to_another_first && self.words.len() <= 8 && !self.any(|word| OFFICE.has(word) || TOPICS.holds(word) || NOT.has(word))
    }

    /// Online gambling and its like. A text about gambling that asks, or names anything of the office's, is none.
    fn advertises(&self) -> bool {
        let about = |word: &str| asking(word) && !PROMO.has(word) || TOPICS.holds(word) || OFFICE.has(word);
        if self.question_mark || self.any(about) {
            return false;
        }
        let count = |class: &words::Class| self.words.iter().filter(|word| class.holds(word) || class.holds(&unleet(word))).count();
        let (gambling, promotion) = (count(&GAMBLING), count(&PROMO));
        self.disguised || gambling > 1 || promotion > 0 && (gambling > 0 || self.any(|word| BRAND.is_match(word)))
    }
}

fn asking(word: &str) -> bool {
    ASKS.holds(word) || STEMS.iter().any(|stem| word.contains(stem))
}

/// NFKC, lower case, without what cannot be seen.
fn fold(text: &str) -> String {
    let unseen = |c: &char| matches!(c, '\u{AD}' | '\u{200B}'..='\u{200F}' | '\u{2060}'..='\u{2064}' | '\u{FEFF}');
    text.nfkc().filter(|c| !unseen(c)).collect::<String>().to_lowercase()
}

/// The words of a folded text: letters, digits and marks.
fn split(folded: &str) -> impl Iterator<Item = &str> {
    folded.split(|c: char| !c.is_alphanumeric() && !is_combining_mark(c)).filter(|word| !word.is_empty())
}

/// Takes each name out once, and says whether the text opens with one of them.
fn without_names(folded: &str, names: &[&str]) -> (String, bool) {
    let mut names: Vec<String> = names.iter().map(|name| fold(name).trim().trim_start_matches('@').to_owned()).collect();
    names.retain(|name| !name.is_empty());
    names.sort_unstable_by_key(|name| std::cmp::Reverse(name.len()));
    let whole = |text: &str, at: usize, name: &str| {
        !text[..at].ends_with(char::is_alphanumeric) && !text[at + name.len()..].starts_with(char::is_alphanumeric)
    };
    let opening = folded.trim_start().trim_start_matches('@');
    let first = names.iter().any(|name| opening.starts_with(name.as_str()) && whole(opening, 0, name));
    let mut text = folded.to_owned();
    for name in &names {
        if let Some(at) = text.match_indices(name.as_str()).map(|(at, _)| at).find(|&at| whole(&text, at, name)) {
            text.replace_range(at..at + name.len(), " ");
        }
    }
    (text, first)
}

/// Whether single words among others are in letters that only look like letters (`𝗦𝗟𝗢𝗧`, `ÕØåÞ`), as advertisers hide names.
fn disguised(text: &str) -> bool {
    let odd = |c: char| matches!(c, '\u{C0}'..='\u{FF}' | '\u{2460}'..='\u{24FF}' | '\u{FF21}'..='\u{FF5A}' | '\u{1D400}'..='\u{1D7FF}' | '\u{1F130}'..='\u{1F189}');
    let (hidden, open): (Vec<_>, Vec<_>) = text
        .split_whitespace()
        .filter(|word| word.chars().any(char::is_alphanumeric))
        .partition(|word| word.chars().filter(|&c| odd(c)).count() > 3);
    !hidden.is_empty() && !open.is_empty()
}

/// Digits that stand for letters (`g4c0r`).
fn unleet(word: &str) -> String {
    let letter = |c| match c {
        '0' => 'o',
        '1' => 'i',
        '3' => 'e',
        '4' => 'a',
        '5' => 's',
        other => other,
    };
    word.chars().map(letter).collect()
}

fn pattern(parts: &[&str]) -> Regex {
    Regex::new(&parts.concat()).expect("patterns are constants, and a test compiles them all")
}

/// One emoji's parts: pictures, flags, keycaps, and what joins or colours them.
const PICTURE: &str = r"(?:[\p{Extended_Pictographic}\p{Emoji_Presentation}\p{Emoji_Modifier}\p{Regional_Indicator}\x{200D}\x{FE0E}\x{FE0F}\x{E0020}-\x{E007F}]|[0-9#*]\x{FE0F}?\x{20E3})";
static EMOJI: LazyLock<Regex> = LazyLock::new(|| pattern(&[PICTURE]));
static EMOJI_ONLY: LazyLock<Regex> = LazyLock::new(|| pattern(&["^", r"\s*(?:", PICTURE, r"\s*)+$"]));
static EMOJI_AND_STOPS: LazyLock<Regex> = LazyLock::new(|| pattern(&[r"^[\s.,!~-]*(?:", PICTURE, r"[\s.,!~-]*)+$"]));
static EMOTICON: LazyLock<Regex> = LazyLock::new(|| pattern(&[r"(?:[:;=][-'^o]?[()dp|/\\*3v]+|<3+|\^[_.]*\^|\bt_t\b)"]));
static LINK: LazyLock<Regex> =
    LazyLock::new(|| pattern(&[r"(?:https?://|\bwww\.)\S+|\b[a-z0-9-]+\.(?:com|id|net|org|me|ly|gl|link|site)\b(?:/\S*)?"]));
static HANDLE: LazyLock<Regex> = LazyLock::new(|| pattern(&[r"@[\w.]*"]));
static LAUGHTER: LazyLock<Regex> =
    LazyLock::new(|| pattern(&[r"^(?:[wk]{3,}|(?:w?[ao]?w?k[ao]?){3,}|(?:[hx][aeiou]){2,}h?|(?:[aeiou]h){2,}|lol|ngakak)$"]));
static BRAND: LazyLock<Regex> = LazyLock::new(|| pattern(&[r"^[a-z]{3,}(?:\d{2,4}[a-z]?|\d[a-z]\d*)$"]));
static GREETING: LazyLock<Regex> = LazyLock::new(|| pattern(&[r"\b(?:selamat|slmt|met) (?:pagi|siang|sore|malam|malem|datang)\b"]));
/// Squeezed words: what is thanked for is taken out with the thanks, or "terima kasih infonya" would ask for information.
static THANKS: LazyLock<Regex> = LazyLock::new(|| {
    pattern(&[
        r"\b(?:(?:te?ri?ma|matur|hatur|many) ?(?:kasi?h?|ksi?h|s[ue]wun|nuwun|nuhun|than?ks|thankyou|tengkyu)|ma?ka?si+h?|mksi?h|tri?ma?ka?si?h",
        r"|trims|tri?mks|tksh?|tq|ty|thx|thanks?(?: (?:you|u))?|thankyou|s[ue]wun|nuwun|nuhun|jazak\w+(?: \w*khoi?r\w*)?)\b",
        r"(?: (?:banyak|bnyk|byk|sangat|banget|bgt|sebelumnya|atas|untuk|utk|buat|ya|min|pak|bu|kak))*",
        r"(?: (?:info|informasi|respons?|perhatian|bantuan|penjelasan|jawaban|pelayanan|kerja ?sama|kerja ?keras|tangapan|balasan|atensi) ?(?:n?ya)?\b(?: cepat(?:nya)?)?)?",
    ])
});
/// Squeezed words: what was asked for has been done.
static REPAIRED: LazyLock<Regex> = LazyLock::new(|| {
    pattern(&[
        r"\b(?:sudah|sdh|udah|udh|uda|dah|wis|wes|uwis|sampun|telah|alhamdulilah)(?: (?:mulai|kembali|bisa|balik|lagi))*",
        r" (?:teratasi|diperbaiki|didandani|nyala|menyala|hidup|urip|aktif|normal|lancar|beres|selesai|rampung|mengalir|ngalir|mili|surut|terang|",
        r"ditangani|tertangani|direspons?|dibalas|dijawab|solved)\b(?: (?:kembali|lagi|semua|normal|lancar))*",
    ])
});
