//! What of a citizen's words a letter may show. Pure.

use unicode_segmentation::UnicodeSegmentation as _;

use crate::domain::{Kind, settings::Preview};

/// Graphemes of a preview at most.
const LENGTH: usize = 80;
/// In place of what is masked.
const MASK: &str = "[…]";

/// The first words of a text in one line, as `mode` allows for this kind of message; `None` if there is nothing to show.
/// The author's own names are always masked: no letter names a citizen (semantics.md, Alerts).
pub fn preview(mode: Preview, kind: Kind, text: &str, own_names: &[&str]) -> Option<String> {
    match (mode, kind) {
        (Preview::None, _) | (Preview::Public, Kind::Message) => return None,
        (Preview::Public | Preview::Masked, _) => {}
    }
    let names: Vec<String> =
        own_names.iter().flat_map(|name| name.split_whitespace()).map(bare).filter(|name| name.chars().count() >= 3).collect();
    let words = clean(text);
    let masked: Vec<String> = words
        .split_whitespace()
        .map(|word| {
            if names.contains(&bare(word)) || (mode == Preview::Masked && points_at_somebody(word)) {
                MASK.to_owned()
            } else if mode == Preview::Masked {
                mask_digits(word)
            } else {
                word.to_owned()
            }
        })
        .collect();
    let shown = first_words(&masked.join(" "), LENGTH);
    (!shown.is_empty()).then_some(shown)
}

/// One line of text that cannot forge another or turn the direction of writing: control characters are spaces,
/// marks of direction are gone.
pub fn clean(text: &str) -> String {
    let kept = text
        .chars()
        .filter(|c| !matches!(c, '\u{200E}' | '\u{200F}' | '\u{061C}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{FEFF}'));
    let line: String = kept.map(|c| if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') { ' ' } else { c }).collect();
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// At most `length` graphemes, cut between words where that is possible.
pub fn first_words(text: &str, length: usize) -> String {
    let Some((end, _)) = text.grapheme_indices(true).nth(length) else { return text.to_owned() };
    let cut = &text[..end];
    // A cut in the middle of a word goes back to its beginning, unless the word is all there is.
    let cut = match cut.rfind(' ') {
        Some(space) if !text[end..].starts_with(' ') => &cut[..space],
        _ => cut,
    };
    format!("{}…", cut.trim_end())
}

/// A word without punctuation around it, in lower case.
fn bare(word: &str) -> String {
    word.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase()
}

/// A link, an e-mail address or an @handle.
fn points_at_somebody(word: &str) -> bool {
    let domain = word.split_once('/').is_some_and(|(host, _)| host.trim_matches('.').contains('.'));
    word.contains("://") || word.contains('@') || word.to_lowercase().starts_with("www.") || domain
}

/// Digit runs of six or more: identity numbers, telephones, accounts.
fn mask_digits(word: &str) -> String {
    let mut out = String::with_capacity(word.len());
    let mut run = String::new();
    for c in word.chars().map(Some).chain([None]) {
        if let Some(digit) = c.filter(|c| c.is_numeric()) {
            run.push(digit);
            continue;
        }
        out.push_str(if run.chars().count() >= 6 { MASK } else { &run });
        run.clear();
        out.extend(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_follows_mode_and_kind() {
        for (mode, kind, want) in [
            (Preview::Public, Kind::Comment, Some("NIK 3317012345678901 belum jadi")),
            (Preview::Public, Kind::Message, None),
            (Preview::Masked, Kind::Message, Some("NIK […] belum jadi")),
            (Preview::Masked, Kind::Post, Some("NIK […] belum jadi")),
            (Preview::None, Kind::Comment, None),
        ] {
            assert_eq!(preview(mode, kind, "NIK 3317012345678901\nbelum jadi", &[]).as_deref(), want, "{mode} {kind}");
        }
    }

    #[test]
    fn masked_hides_numbers_links_addresses_handles_and_the_authors_own_name() {
        let text = "Saya Siti, wa 081234567890 siti@mail.id @siti_r bit.ly/x www.x.id (https://x.id/a) RT 12345";
        let shown = preview(Preview::Masked, Kind::Comment, text, &["Siti Rahma"]).unwrap();
        assert_eq!(shown, "Saya […] wa […] […] […] […] […] […] RT 12345");
        assert_eq!(preview(Preview::Public, Kind::Comment, "saya SITI!", &["Siti"]).unwrap(), "saya […]");
    }

    #[test]
    fn a_long_or_hostile_text_becomes_one_short_line() {
        let long = "kata ".repeat(1000);
        let shown = preview(Preview::Public, Kind::Comment, &long, &[]).unwrap();
        assert!(shown.ends_with("kata…") && shown.graphemes(true).count() <= LENGTH + 1, "{shown}");
        assert_eq!(preview(Preview::Public, Kind::Comment, "a\u{202E}b\r\nBcc: x\u{0007}", &[]).unwrap(), "ab Bcc: x");
        assert_eq!(first_words(&"🏳️‍🌈".repeat(90), 3), format!("{}…", "🏳️‍🌈".repeat(3)));
        assert_eq!(preview(Preview::Public, Kind::Comment, " \u{200F} ", &[]), None);
    }
}
