//! What a citizen wrote, made safe to keep: no NUL (PostgreSQL refuses it), no unbounded length.

/// Text from outside. Holds no NUL and at most [`Text::MAX`] bytes; otherwise as it was written.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
#[serde(from = "String", into = "String")]
pub struct Text(String);

impl Text {
    /// The longest text kept, in bytes. Meta's own limits are far below it (a comment has 8,000 characters).
    pub const MAX: usize = 64 * 1024;

    /// Takes text as it came: NULs become U+FFFD, what is beyond [`Text::MAX`] is cut at a character border.
    pub fn new(text: &str) -> Self {
        let mut cut = text.len().min(Self::MAX);
        while !text.is_char_boundary(cut) {
            cut -= 1;
        }
        Self(text[..cut].replace('\0', "\u{FFFD}"))
    }
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
    /// Whether it holds nothing but white space.
    pub fn is_blank(&self) -> bool {
        self.0.trim().is_empty()
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        if text.len() <= Self::MAX && !text.contains('\0') { Self(text) } else { Self::new(&text) }
    }
}
impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}
impl From<Text> for String {
    fn from(text: Text) -> Self {
        text.0
    }
}
impl std::fmt::Display for Text {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::Text;

    #[test]
    fn a_nul_is_replaced_and_a_megabyte_is_cut_between_characters() {
        assert_eq!(Text::new("a\0b").as_str(), "a\u{FFFD}b");
        let long = Text::new(&"🌊".repeat(300_000));
        assert!(long.as_str().len() <= Text::MAX && long.as_str().ends_with('🌊'));
    }
}
