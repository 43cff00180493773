//! A text taken apart: what is left to judge when tags, links, emoji, greetings and thanks are out.

use super::words::{self, ASKS, ASSENT, DOUBT, FILLER, GAMBLING, NEWS, NOT, NOTED, OFFICE, PRAISE, PROMO, STEMS, TOPICS};
use super::{fold, split};
use regex::Regex;
use std::sync::LazyLock;

/// What is left of a text without words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Residue {
    /// Nothing, or signs.
    Nothing,
    /// Names.
    Tags,
    /// Emoji or emoticons, beside names or not.
    Emoji,
    /// Links.
    Link,
}

/// A text taken apart: tags, links and phrases of thanks and greeting are out, the words that are left are [`words::squeeze`]d.
#[derive(Debug)]
pub struct Reading {
    /// In their order.
    pub words: Vec<String>,
    /// What there is beside words.
    pub residue: Residue,
    question_mark: bool,
    /// A word among others is in letters that only look like letters.
    disguised: bool,
    /// It said thanks.
    pub thanked: bool,
    /// It said that what was asked for has been done.
    repaired: bool,
    /// It opens with the name of another, and names the account there or not at all.
    opens_to_another: bool,
}

impl Reading {
    /// `other_names` as in [`super::Signals`].
    pub fn of(text: &str, other_names: &[&str]) -> Self {
        let folded = fold(text);
        let unlinked = LINK.replace_all(&folded, " ");
        let (named, opens_to_another) = without_names(&unlinked, other_names);
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
        let content = CONTENT.replace_all(&greeted, " puas ");
        let thankless = THANKS.replace_all(&content, " ");
        let mut rest = REPAIRED.replace_all(&thankless, " ");
        let repaired = rest != thankless;
        if repaired {
            rest = AFTERMATH.replace_all(&rest, " ").into_owned().into();
        }
        Self {
            residue,
            question_mark: plain.contains('?'),
            disguised: disguised(text),
            thanked: thankless != content,
            repaired,
            opens_to_another,
            words: rest.split_whitespace().map(str::to_owned).collect(),
        }
    }

    fn any(&self, test: impl Fn(&str) -> bool) -> bool {
        self.words.iter().any(|word| test(word))
    }

    /// A question mark, or a word that asks, requests or complains, or something of the office's that is *not*.
    pub fn asks(&self) -> bool {
        self.question_mark || self.any(asking) || self.any(|word| NOT.has(word)) && self.any(|word| TOPICS.holds(word))
    }

    /// Nothing but thanks, praise or taking note; or thanks for a repair. Sarcasm names what it is about, or says *not*.
    pub fn only_thanks(&self, public: bool, to_another: bool) -> bool {
        let assent = |word: &str| to_another && ASSENT.has(word) || public && LAUGHTER.is_match(word);
        let praise = |word: &str| PRAISE.has(word) || word.strip_suffix("nya").is_some_and(|stem| PRAISE.has(stem));
        let core = |word: &str| praise(word) || NOTED.has(word) || assent(word);
        let known = self.words.iter().filter(|word| core(word) || FILLER.has(word)).count();
        let doubtful = || self.any(|word| DOUBT.has(word));
        let about = || self.any(|word| TOPICS.holds(word) || OFFICE.holds(word) || NUMBER.is_match(word));
        let praises = self.words.iter().filter(|word| praise(word)).count();
        let mostly = known * 2 >= self.words.len() && praises + usize::from(self.thanked) > 0 || praises > 1;
        known == self.words.len() && (self.thanked || self.any(core))
            || self.thanked && self.repaired && self.words.len() <= 12 && !doubtful()
            || public && mostly && !doubtful() && !about()
    }

    /// A few words to another with nothing in them of the office's, which the account's tag only went along with.
    pub fn banter(&self) -> bool {
        let particle = |word: &str| matches!(word, "ko" | "kok" | "koq");
        let theirs = |word: &str| TOPICS.holds(word) || NOT.has(word) || NUMBER.is_match(word);
        self.opens_to_another
            && !self.question_mark
            && !self.to_office()
            && (1..=12).contains(&self.words.len())
            && !self.any(|word| asking(word) && !particle(word) || theirs(word))
    }

    /// Whether somebody of the office is spoken to or of.
    pub fn to_office(&self) -> bool {
        self.any(|word| OFFICE.holds(word))
    }

    /// A headline: newspaper words, and nothing of the office's.
    pub fn headline(&self) -> bool {
        self.any(|word| NEWS.has(word)) && !self.to_office() && !self.any(|word| TOPICS.holds(word) || NOT.has(word))
    }

    /// Online gambling and its like. A text about gambling that asks, or names anything of the office's, is none.
    pub fn advertises(&self, public: bool) -> bool {
        let about = |word: &str| asking(word) && !PROMO.has(word) || TOPICS.holds(word) || OFFICE.holds(word);
        if self.question_mark || self.any(about) {
            return false;
        }
        let count = |class: &words::Class| self.words.iter().filter(|word| class.holds(word) || class.holds(&unleet(word))).count();
        let (gambling, promotion) = (count(&GAMBLING), count(&PROMO));
        let money = || self.any(|word| MONEY.is_match(word));
        let brand = || self.any(|word| BRAND.is_match(word));
        gambling > 1 || gambling > 0 && (promotion > 0 || money()) || public && (self.disguised || promotion > 0 && brand())
    }
}

fn asking(word: &str) -> bool {
    ASKS.holds(word) || STEMS.iter().any(|stem| word.contains(stem))
}

/// Takes the others' names out, each once, and says whether the text opens with one of them and names nobody else after `@` later.
fn without_names(folded: &str, names: &[&str]) -> (String, bool) {
    let mut names: Vec<String> = names.iter().take(100).map(|name| fold(name).trim().trim_start_matches('@').to_owned()).collect();
    names.retain(|name| !name.is_empty());
    names.sort_unstable_by_key(|name| std::cmp::Reverse(name.len()));
    let mut text = folded.to_owned();
    for name in &names {
        let whole =
            |&at: &usize| !text[..at].ends_with(char::is_alphanumeric) && !text[at + name.len()..].starts_with(char::is_alphanumeric);
        let found = text.match_indices(name.as_str()).map(|(at, _)| at).find(whole);
        if let Some(at) = found {
            text.replace_range(at..at + name.len(), ANOTHER);
        }
    }
    let opening = OPENING.find(&text).map_or(0, |run| run.end());
    let opens = text[..opening].contains(ANOTHER) && !NAMED.is_match(&text[opening..]);
    (text.replace(ANOTHER, " "), opens)
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

/// Stands where another's name stood.
const ANOTHER: &str = "\u{E000}";
/// One emoji's parts: pictures, flags, keycaps, and what joins or colours them.
const PICTURE: &str = r"(?:[\p{Extended_Pictographic}\p{Emoji_Presentation}\p{Emoji_Modifier}\p{Regional_Indicator}\x{200D}\x{FE0E}\x{FE0F}\x{E0020}-\x{E007F}]|[0-9#*]\x{FE0F}?\x{20E3})";
static EMOJI: LazyLock<Regex> = LazyLock::new(|| pattern(&[PICTURE]));
pub static EMOJI_ONLY: LazyLock<Regex> = LazyLock::new(|| pattern(&["^", r"\s*(?:", PICTURE, r"\s*)+$"]));
static EMOJI_AND_STOPS: LazyLock<Regex> = LazyLock::new(|| pattern(&[r"^[\s.,!~-]*(?:", PICTURE, r"[\s.,!~-]*)+$"]));
static EMOTICON: LazyLock<Regex> = LazyLock::new(|| pattern(&[r"[:;=][-'^]?[()|/\\*]+|\B[:;=][-'^o]?[dpv3]\b|<3+|\^[_.]*\^|\bt_t\b"]));
static LINK: LazyLock<Regex> =
    LazyLock::new(|| pattern(&[r"(?:https?://|\bwww\.)\S+|\b[a-z0-9-]+\.(?:com|id|net|org|me|ly|gl|link|site)\b(?:/\S*)?"]));
static HANDLE: LazyLock<Regex> = LazyLock::new(|| pattern(&[r"@[\w.]*"]));
static NAMED: LazyLock<Regex> = LazyLock::new(|| pattern(&[r"@\w"]));
static OPENING: LazyLock<Regex> = LazyLock::new(|| pattern(&[r"^(?:\s*(?:@[\w.]*|", ANOTHER, "))+"]));
static LAUGHTER: LazyLock<Regex> =
    LazyLock::new(|| pattern(&[r"^(?:[wk]{3,}|a?(?:w?[ao]?w?k[ao]?){3,}|(?:[hx][aeiou]){2,}h?|(?:[aeiou]h){2,}|lol|ngakak)$"]));
static BRAND: LazyLock<Regex> = LazyLock::new(|| pattern(&[r"^[a-z]{3,}(?:\d{2,4}[a-z]?|\d[a-z]\d*|[a-z]{2}(?:toto|slot|togel))$"]));
static MONEY: LazyLock<Regex> = LazyLock::new(|| pattern(&[r"^\d*(?:rb|ribu|jt|juta|jutan)$"]));
static NUMBER: LazyLock<Regex> = LazyLock::new(|| pattern(&[r"\d"]));
static GREETING: LazyLock<Regex> = LazyLock::new(|| pattern(&[r"\b(?:selamat|slmt|met) (?:pagi|siang|sore|malam|malem|datang)\b"]));
const GIVEN: &str =
    "(?:info|informasi|respons?|perhatian|bantuan|penjelasan|jawaban|pelayanan|kerja ?sama|kerja ?keras|tangapan|balasan|atensi)";
/// Squeezed words: what is thanked for is taken out with the thanks, or "terima kasih infonya" would ask for information.
static THANKS: LazyLock<Regex> = LazyLock::new(|| {
    pattern(&[
        r"\b(?:(?:te?ri?ma|matur|hatur|many) ?(?:kasi?h?|ksi?h|s[ue]wun|nuwun|nuhun|than?ks|thankyou|tengkyu)|ma?ka?si+h?|mksi?h|tri?ma?ka?si?h",
        r"|trims|tri?mks|tksh?|tq|ty|thx|thanks?(?: (?:you|u))?|thankyou|s[ue]wun|nuwun|nuhun|jazak\w+(?: \w*khoi?r\w*)?)\b",
        r"(?: (?:banyak|bnyk|byk|sangat|banget|bgt|sebelumnya|sudah|sdh|telah|ya|min|pak|bu|kak))*",
        r"(?: (?:atas|untuk|utk|buat) ",
        GIVEN,
        r"(?: ?n?ya)?\b| ",
        GIVEN,
        r" ?n?ya\b)?(?: cepat(?:nya)?\b)?",
    ])
});
/// Squeezed words: *never regretted it*.
static CONTENT: LazyLock<Regex> = LazyLock::new(|| {
    pattern(&[r"\b(?:tidak|tdk|gak|ga|gk|ngak|ora|ra|tak) (?:tau|pernah|bakal) (?:nyesel|menyesal|kecewa|kuciwa|bosen|bosan)\b"])
});
/// Squeezed words, where something has been repaired: how fast, after what, and that it may not happen again.
static AFTERMATH: LazyLock<Regex> = LazyLock::new(|| {
    pattern(&[
        r"\b(?:(?:dengan|dgn|dg) cepat|(?:(?:tidak|tdk|gak|ga|gk|ngak|ora) (?:lama|suwe)|setelah|stlh|pasca|sempat|bar) (?:di)?(?:lapor|laporkan|padam|mati|gangguan)",
        r"|(?:semoga|smoga|moga|mugo|mugi|muga)(?: (?:tidak|tdk|gak|ga|gk|ngak|ora|jangan|jgn|ojo|ada|terjadi|terulang|mati|padam|gangguan|trouble|rusak|lagi))+)\b",
    ])
});
/// Squeezed words: what was asked for has been done.
static REPAIRED: LazyLock<Regex> = LazyLock::new(|| {
    pattern(&[
        r"\bsolved\b|\b(?:sudah|sdh|udah|udh|uda|dah|wis|wes|uwis|sampun|telah|alhamdulilah)(?: (?:mulai|kembali|bisa|balik|lagi))*",
        r"(?: (?:dengan|dgn) cepat)? (?:teratasi|diperbaiki|didandani|nyala|menyala|hidup|urip|aktif|normal|lancar|beres|selesai|rampung|mengalir|ngalir|mili|surut|terang|",
        r"ditangani|tertangani|direspons?|dibalas|dijawab)\b(?: (?:kembali|lagi|semua|normal|lancar))*",
    ])
});
