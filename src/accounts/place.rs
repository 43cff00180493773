//! Names of agencies and accounts taken apart: which office, of which desa, kelurahan or kecamatan, and whether of another
//! kabupaten. Pure.

use unicode_normalization::{UnicodeNormalization as _, char::is_combining_mark};

/// How deep in the territory an office stands; the deepest that a name gives is the one meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    Kecamatan,
    Kelurahan,
    Desa,
}

/// What user names shorten each level to.
pub(super) const SHORT: [(&str, Level); 5] =
    [("kec", Level::Kecamatan), ("kel", Level::Kelurahan), ("ds", Level::Desa), ("desa", Level::Desa), ("pemdes", Level::Desa)];

/// Words that tell no office from another.
const NOISE: [&str; 15] =
    ["dan", "and", "official", "ofc", "resmi", "akun", "admin", "pemerintah", "pemdes", "indonesia", "id", "go", "dr", "drg", "prof"];

/// A name taken apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Name {
    /// The words of the office, in order, without those of the territory.
    pub office: Vec<String>,
    /// The places it names.
    pub places: Vec<(Level, String)>,
    /// It names another kabupaten, kota or province.
    pub foreign: bool,
}

impl Name {
    /// The deepest place it names.
    pub fn place(&self) -> Option<&(Level, String)> {
        self.places.iter().max_by_key(|(level, _)| *level)
    }
    /// The place of that level.
    pub fn at(&self, level: Level) -> Option<&str> {
        self.places.iter().find(|(it, _)| *it == level).map(|(_, name)| name.as_str())
    }
}

/// Small letters, without accents, split where a capital follows a small letter: `DinkesRembang` is two words. The old spelling `oe` is
/// read as `u`.
pub(super) fn words(text: &str) -> Vec<String> {
    let mut spaced = String::with_capacity(text.len() + 8);
    let mut after_small = false;
    for c in text.nfkd().filter(|c| !is_combining_mark(*c)) {
        if after_small && c.is_uppercase() {
            spaced.push(' ');
        }
        after_small = c.is_lowercase();
        spaced.extend(c.to_lowercase());
    }
    spaced.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(|word| word.replace("oe", "u")).collect()
}

/// The words by which a site calls itself: `Kabupaten Rembang` is `rembang`.
pub(super) fn home(site: &str) -> Vec<String> {
    words(site).into_iter().filter(|word| !is_region(word) && !NOISE.contains(&word.as_str())).collect()
}

fn is_region(word: &str) -> bool {
    matches!(word, "kabupaten" | "kab" | "pemkab" | "kota" | "pemkot" | "provinsi" | "prov" | "pemprov")
}

fn level(word: &str) -> Option<Level> {
    Some(match word {
        "kecamatan" | "kec" => Level::Kecamatan,
        "kelurahan" | "kel" => Level::Kelurahan,
        "desa" | "ds" => Level::Desa,
        _ => return None,
    })
}

/// Takes a name apart. `home` are the words of the site's own name.
pub(super) fn parse(text: &str, home: &[String]) -> Name {
    let words: Vec<String> = words(text).into_iter().flat_map(|word| unstuck(word, home)).collect();
    let at_home = |word: &String| home.contains(word);
    let mut name = Name::default();
    let mut rest = words.as_slice();
    while let [word, after @ ..] = rest {
        rest = after;
        if is_region(word) {
            let own = after.iter().take_while(|word| at_home(word)).count();
            // "kab" before nothing, or before a word that begins something else, says only what sort of region it is
            let named = after.first().is_some_and(|next| level(next).is_none() && !NOISE.contains(&next.as_str()) && !is_region(next));
            name.foreign |= own == 0 && named;
            rest = &after[if own == 0 { usize::from(named) } else { own }..];
        } else if let Some(level) = level(word) {
            let length = after.iter().take_while(|next| self::level(next).is_none() && !is_region(next)).count();
            let mut of: Vec<&String> = after[..length].iter().filter(|word| !NOISE.contains(&word.as_str())).collect();
            while of.len() > 1 && of.last().is_some_and(|word| at_home(word)) {
                of.pop();
            }
            // "Dinas Pemberdayaan Masyarakat dan Desa": of no desa, but of all
            let general = level == Level::Desa && !name.office.is_empty() && of.iter().all(|word| at_home(word));
            if of.is_empty() || general {
                name.office.push(word.clone());
            } else {
                name.places.push((level, of.iter().map(|word| word.as_str()).collect()));
                rest = &after[length..];
            }
        } else if !at_home(word) && word.chars().count() > 1 && !NOISE.contains(&word.as_str()) {
            name.office.push(word.clone());
        }
    }
    name
}

/// A word of a user name in which others are stuck: `dinkesrembang`, `kecamatansulang`.
fn unstuck(word: String, home: &[String]) -> Vec<String> {
    if is_region(&word) || home.contains(&word) {
        return vec![word];
    }
    for stem in ["kecamatan", "kelurahan"] {
        if let Some(of) = word.strip_prefix(stem).filter(|of| of.len() > 2) {
            return vec![stem.to_owned(), of.to_owned()];
        }
    }
    let ends = home.iter().map(String::as_str).chain(["kabupaten", "pemkab", "kab", "official"]);
    for end in ends {
        if let Some(start) = word.strip_suffix(end).filter(|start| start.len() > 2) {
            let mut all = unstuck(start.to_owned(), home);
            all.push(end.to_owned());
            return all;
        }
    }
    vec![word]
}
