//! What lets an official act from a letter without signing in: the link in it, the page behind the link, the button below a chat message;
//! and the cursors of lists. Each is a text with a message authentication code under the database's own key. Pure.
//!
//! Whoever holds a letter may act on its tickets, also by a copy or in the group it was forwarded to: that is what such a link is for, and
//! all it can do is say that somebody is seeing to them.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::SignedDuration;
use sha2::Sha256;

use crate::domain::Time;

/// How long after its letter was formed a link or a button can be used.
pub const LIFE: SignedDuration = SignedDuration::from_hours(7 * 24);
/// How long what a page sends is accepted.
const PAGE_LIFE: SignedDuration = SignedDuration::from_hours(1);
/// How long somebody may take at an identity provider.
pub const SIGN_IN_LIFE: SignedDuration = SignedDuration::from_mins(10);
/// The longest text that a browser keeps so long: a cookie has 4096 bytes.
const SIGN_IN_MAX: usize = 3500;
/// Bytes of a code: half of the hash, the least that RFC 2104 §5 advises.
const MAC: usize = 16;
/// The same as text.
const MAC_TEXT: usize = 22;
/// Bytes of a time: unix seconds, until 2106.
const SECONDS: usize = 4;
/// The longest token that is looked at; ours are half as long.
const TOKEN_MAX: usize = 200;
/// What a button may carry (core.telegram.org/bots/api#inlinekeyboardbutton).
const BUTTON_MAX: usize = 64;

/// What a code is for: one made for one use, or by another version, is none for another.
const LINK: &str = "tanggap link 1";
const PAGE: &str = "tanggap page 1";
const BUTTON: &str = "tanggap button 1";
const CURSOR: &str = "tanggap cursor 1";
const SIGN_IN: &str = "tanggap sign-in 1";

/// The key of the codes. It shows itself nowhere.
#[derive(Clone)]
pub struct Key(Hmac<Sha256>);

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key")
    }
}

/// What a link names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Key of the letter.
    pub letter: String,
    /// From then on it is over.
    pub ends: Time,
}

impl Key {
    /// From the bytes that the database keeps.
    pub fn new(bytes: &[u8; 32]) -> Self {
        let mut block = [0; 64]; // a shorter key is filled up with zeros (RFC 2104 §2)
        block[..bytes.len()].copy_from_slice(bytes);
        Self(Hmac::new(&block.into()))
    }

    fn mac(&self, purpose: &str, parts: [&[u8]; 2]) -> Hmac<Sha256> {
        let mut mac = self.0.clone();
        for part in [purpose.as_bytes(), b"\0", parts[0], b"\0", parts[1]] {
            mac.update(part);
        }
        mac
    }

    fn code(&self, purpose: &str, parts: [&[u8]; 2]) -> [u8; MAC] {
        let whole = self.mac(purpose, parts).finalize().into_bytes();
        std::array::from_fn(|at| whole[at])
    }

    /// Takes the same time whatever is wrong.
    fn holds(&self, purpose: &str, parts: [&[u8]; 2], code: &[u8]) -> bool {
        code.len() == MAC && self.mac(purpose, parts).verify_truncated_left(code).is_ok()
    }

    /// The token of the link in the letter with this key, formed at `formed`.
    pub fn token(&self, letter: &str, formed: Time) -> String {
        let ends = seconds(formed.plus(LIFE));
        let code = self.code(LINK, [&ends, letter.as_bytes()]);
        URL_SAFE_NO_PAD.encode([&ends, letter.as_bytes(), &code].concat())
    }

    /// What a token of ours names; `None` for any other text.
    pub fn read(&self, token: &str) -> Option<Link> {
        let bytes = Some(token).filter(|token| token.len() <= TOKEN_MAX).and_then(|token| URL_SAFE_NO_PAD.decode(token).ok())?;
        let (ends, rest) = bytes.split_first_chunk::<SECONDS>()?;
        let (letter, code) = rest.split_last_chunk::<MAC>()?;
        if !self.holds(LINK, [ends, letter], code) {
            return None;
        }
        Some(Link { letter: String::from_utf8(letter.to_vec()).ok()?, ends: Time::from_secs(u32::from_be_bytes(*ends).into()) })
    }

    /// What a page that is shown now sends along, so that nothing but a page of ours acts.
    pub fn nonce(&self, token: &str, now: Time) -> String {
        let shown = seconds(now);
        URL_SAFE_NO_PAD.encode([shown.as_slice(), &self.code(PAGE, [token.as_bytes(), &shown])].concat())
    }

    /// Whether a page of this link, shown within the last hour, sent this.
    pub fn sent(&self, token: &str, nonce: &str, now: Time) -> bool {
        let Some(bytes) = Some(nonce).filter(|nonce| nonce.len() <= TOKEN_MAX).and_then(|nonce| URL_SAFE_NO_PAD.decode(nonce).ok()) else {
            return false;
        };
        let Some((shown, code)) = bytes.split_first_chunk::<SECONDS>() else { return false };
        let age = now.since(Time::from_secs(u32::from_be_bytes(*shown).into()));
        self.holds(PAGE, [token.as_bytes(), shown], code) && !age.is_negative() && age <= PAGE_LIFE
    }

    /// A text that names a place in a list, and holds in no other list.
    pub fn cursor(&self, list: &str, place: &str) -> String {
        URL_SAFE_NO_PAD.encode([&self.code(CURSOR, [list.as_bytes(), place.as_bytes()]), place.as_bytes()].concat())
    }

    /// The place that a cursor of this list names; `None` for any other text.
    pub fn place(&self, list: &str, cursor: &str) -> Option<String> {
        let bytes = Some(cursor).filter(|cursor| cursor.len() <= TOKEN_MAX).and_then(|cursor| URL_SAFE_NO_PAD.decode(cursor).ok())?;
        let (code, place) = bytes.split_first_chunk::<MAC>()?;
        let holds = self.holds(CURSOR, [list.as_bytes(), place], code);
        holds.then(|| String::from_utf8(place.to_vec()).ok()).flatten()
    }

    /// What a browser keeps while somebody signs in elsewhere. It can be read there, and not changed.
    pub fn sign_in(&self, text: &str, now: Time) -> String {
        let begun = seconds(now);
        URL_SAFE_NO_PAD.encode([&begun, self.code(SIGN_IN, [&begun, text.as_bytes()]).as_slice(), text.as_bytes()].concat())
    }

    /// What a browser kept, if it was given to it within the last ten minutes.
    pub fn signing_in(&self, kept: &str, now: Time) -> Option<String> {
        let bytes = Some(kept).filter(|kept| kept.len() <= SIGN_IN_MAX).and_then(|kept| URL_SAFE_NO_PAD.decode(kept).ok())?;
        let (begun, rest) = bytes.split_first_chunk::<SECONDS>()?;
        let (code, text) = rest.split_first_chunk::<MAC>()?;
        let age = now.since(Time::from_secs(u32::from_be_bytes(*begun).into()));
        let holds = self.holds(SIGN_IN, [begun, text], code) && !age.is_negative() && age < SIGN_IN_LIFE;
        holds.then(|| String::from_utf8(text.to_vec()).ok()).flatten()
    }

    /// What the button below the letter with this key carries. `None` if it would not fit: not below ten thousand million tickets.
    pub fn button(&self, letter: &str) -> Option<String> {
        let code = URL_SAFE_NO_PAD.encode(self.code(BUTTON, [b"", letter.as_bytes()]));
        Some(code + letter).filter(|data| data.len() <= BUTTON_MAX)
    }

    /// Key of the letter whose button carries this; `None` for what no button of ours carries.
    pub fn pressed<'a>(&self, data: &'a str) -> Option<&'a str> {
        let (code, letter) = Some(data).filter(|data| data.len() <= BUTTON_MAX)?.split_at_checked(MAC_TEXT)?;
        let code = URL_SAFE_NO_PAD.decode(code).ok()?;
        self.holds(BUTTON, [b"", letter.as_bytes()], &code).then_some(letter)
    }
}

fn seconds(at: Time) -> [u8; SECONDS] {
    u32::try_from(at.secs().max(0)).unwrap_or(u32::MAX).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LETTER: &str = "t42-2-17-1795417500000";

    fn at(text: &str) -> Time {
        Time::parse(text).unwrap()
    }

    #[test]
    fn a_token_names_its_letter_and_ends_after_seven_days() {
        let key = Key::new(&[7; 32]);
        let token = key.token(LETTER, at("2026-11-23T07:05:00Z"));
        assert_eq!(key.read(&token), Some(Link { letter: LETTER.to_owned(), ends: at("2026-11-30T07:05:00Z") }));
        assert!(token.len() <= 60 && token.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)), "{token}");
        assert_eq!(format!("{key:?}"), "Key");
    }

    #[test]
    fn the_codes_are_those_of_hmac_with_sha_256() {
        // RFC 4231, test case 1, whose key is shorter than ours: filled up with zeros it is the same one
        let mut bytes = [0; 32];
        bytes[..20].fill(0x0b);
        let mut mac = Key::new(&bytes).0;
        mac.update(b"Hi There");
        let want = "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7";
        assert_eq!(hex::encode(mac.finalize().into_bytes()), want);
    }

    #[test]
    fn no_changed_token_nonce_or_button_is_one_of_ours() {
        let (key, now) = (Key::new(&[7; 32]), at("2026-11-23T07:05:00Z"));
        let token = key.token(LETTER, now);
        let (nonce, button) = (key.nonce(&token, now), key.button(LETTER).unwrap());
        let spoilt = |text: &str| {
            let text = text.to_owned();
            let cut = (0..text.len()).map({
                let text = text.clone();
                move |to| text[..to].to_owned()
            });
            let other = (0..text.len()).flat_map({
                let text = text.clone();
                move |at| {
                    let text = text.clone();
                    ["A", "z", "-", "0"].into_iter().filter_map(move |new| {
                        let changed = format!("{}{new}{}", &text[..at], &text[at + 1..]);
                        (changed != text).then_some(changed)
                    })
                }
            });
            cut.chain(other).chain([format!("{text}A"), format!("{text}="), format!(" {text}"), text.repeat(40)]).collect::<Vec<_>>()
        };
        for text in spoilt(&token) {
            assert_eq!(key.read(&text), None, "{text}");
        }
        for text in spoilt(&nonce) {
            assert!(!key.sent(&token, &text, now), "{text}");
        }
        for text in spoilt(&button) {
            assert_eq!(key.pressed(&text), None, "{text}");
        }
        let other = Key::new(&[8; 32]);
        assert!(other.read(&token).is_none() && !other.sent(&token, &nonce, now) && other.pressed(&button).is_none());
        for odd in ["", "ü", "\0", "🌊🌊🌊🌊🌊🌊🌊🌊"] {
            assert!(key.read(odd).is_none() && key.pressed(odd).is_none() && !key.sent(&token, odd, now), "{odd}");
        }
    }

    #[test]
    fn a_code_for_one_use_is_none_for_another() {
        let (key, now) = (Key::new(&[7; 32]), at("2026-11-23T07:05:00Z"));
        let token = key.token(LETTER, now);
        assert!(!key.sent(&token, &token, now) && key.read(&key.nonce(&token, now)).is_none());
        assert!(key.pressed(&token[..60.min(token.len())]).is_none() && key.read(&key.button(LETTER).unwrap()).is_none());
        let other = key.token("t43-2-17-1795417500000", now);
        assert!(!key.sent(&other, &key.nonce(&token, now), now), "a nonce belongs to its link");
    }

    #[test]
    fn what_a_page_sends_is_accepted_for_an_hour_and_never_before_it_was_shown() {
        let (key, shown) = (Key::new(&[7; 32]), Time::from_ms(at("2026-11-23T07:05:00Z").ms() + 900).unwrap());
        let nonce = key.nonce("token", shown);
        for (after, sent) in [(-1, false), (0, true), (3_599, true), (3_601, false), (90_000, false)] {
            assert_eq!(key.sent("token", &nonce, shown.plus(SignedDuration::from_secs(after))), sent, "{after}");
        }
    }

    #[test]
    fn what_a_browser_keeps_while_somebody_signs_in_holds_ten_minutes_unchanged() {
        let (key, now) = (Key::new(&[7; 32]), at("2026-11-23T07:05:00Z"));
        let kept = key.sign_in("state", now);
        for (after, holds) in [(-1, false), (0, true), (599, true), (600, false)] {
            assert_eq!(key.signing_in(&kept, now.plus(SignedDuration::from_secs(after))).is_some(), holds, "{after}");
        }
        for other in [&kept[..kept.len() - 1], &format!("{kept}A"), &kept.replace('a', "b"), &key.cursor("state", "state"), ""] {
            assert!(other == kept || key.signing_in(other, now).is_none(), "{other}");
        }
        assert!(key.signing_in(&key.sign_in(&"x".repeat(4000), now), now).is_none() && Key::new(&[8; 32]).signing_in(&kept, now).is_none());
    }

    #[test]
    fn a_button_holds_the_largest_numbers_a_government_will_see_and_none_too_long_is_made() {
        let key = Key::new(&[7; 32]);
        let large = "t9999999999-12-999999999999-1795417500000";
        let data = key.button(large).unwrap();
        assert_eq!((key.pressed(&data), data.len() <= 64), (Some(large), true));
        assert_eq!(key.button(&"9".repeat(43)), None);
    }
}
