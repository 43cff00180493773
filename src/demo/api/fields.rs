//! Meta's `fields=` language: names, modifiers and nested braces.
//!
//! `id,comments.filter(stream).limit(5){id,from{name}}` is two fields; the second has two modifiers and two fields of its own.

use std::fmt;

use super::error::Refusal;

/// One field asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Field {
    /// Its name.
    pub name: String,
    /// Its modifiers, in order.
    pub args: Args,
    /// What is asked for of it; empty for its defaults.
    pub sub: Vec<Field>,
}

/// Parameters of a list: modifiers of a field, or the query of a call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Args(pub Vec<(String, String)>);

impl Args {
    /// The value of a parameter.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// Reads a `fields=` text; code 2500 if it does not parse.
pub(super) fn parse(text: &str) -> Result<Vec<Field>, Refusal> {
    let mut rest = text.trim();
    if rest.is_empty() {
        return Ok(Vec::new());
    }
    let fields = list(&mut rest)?;
    if rest.is_empty() { Ok(fields) } else { Err(syntax(rest)) }
}

fn list(rest: &mut &str) -> Result<Vec<Field>, Refusal> {
    let mut fields = vec![field(rest)?];
    while eat(rest, ',') {
        fields.push(field(rest)?);
    }
    Ok(fields)
}

fn field(rest: &mut &str) -> Result<Field, Refusal> {
    let name = word(rest)?;
    let mut args = Args::default();
    while eat(rest, '.') {
        let key = word(rest)?;
        if !eat(rest, '(') {
            return Err(syntax(rest));
        }
        let (value, after) = rest.split_once(')').ok_or_else(|| syntax(rest))?;
        args.0.push((key, value.to_owned()));
        *rest = after;
    }
    let mut sub = Vec::new();
    if eat(rest, '{') {
        sub = list(rest)?;
        if !eat(rest, '}') {
            return Err(syntax(rest));
        }
    }
    Ok(Field { name, args, sub })
}

fn word(rest: &mut &str) -> Result<String, Refusal> {
    *rest = rest.trim_start();
    let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
    if end == 0 {
        return Err(syntax(rest));
    }
    let (word, after) = rest.split_at(end);
    *rest = after.trim_start();
    Ok(word.to_owned())
}

fn eat(rest: &mut &str, what: char) -> bool {
    let trimmed = rest.trim_start();
    let found = trimmed.strip_prefix(what);
    *rest = found.unwrap_or(trimmed);
    found.is_some()
}

fn syntax(rest: &str) -> Refusal {
    Refusal::new(2500, format!("Syntax error \"Expected end of string instead of \"{}\".\"", rest.chars().take(20).collect::<String>()))
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        for (key, value) in &self.args.0 {
            write!(f, ".{key}({value})")?;
        }
        if self.sub.is_empty() { Ok(()) } else { write!(f, "{{{}}}", text(&self.sub)) }
    }
}

/// Writes fields as a `fields=` text.
pub(super) fn text(fields: &[Field]) -> String {
    fields.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_modifiers_and_braces_are_read_and_written_back() {
        let asked = "id,comments.filter(stream).summary(total_count){id,from{id,name},comments{id}},message";
        let fields = parse(asked).unwrap();
        assert_eq!(fields.len(), 3);
        assert_eq!(fields[1].args.get("filter"), Some("stream"));
        assert_eq!(fields[1].sub[1].sub[1].name, "name");
        assert_eq!(text(&fields), asked);
    }

    #[test]
    fn a_text_that_is_no_list_of_fields_is_a_query_syntax_error() {
        for text in ["id,", "a{b", "a{b}}", "a.limit", "a.limit(3", ",", "a b", "{}"] {
            assert_eq!(parse(text).map_err(|refusal| refusal.code), Err(2500), "{text}");
        }
    }
}
