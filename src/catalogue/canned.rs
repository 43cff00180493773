//! Canned replies: texts of the site with a few variables. Plain text: whoever puts one into markup escapes it. Pure.

use minijinja::{Environment, UndefinedBehavior, context};

use super::WordsError;
use crate::domain::{TicketId, settings::Settings};

/// What a canned reply may name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parts<'a> {
    /// The ticket's number.
    pub ticket: TicketId,
    /// The name of the OPD that answers.
    pub opd: &'a str,
    /// The name of the site.
    pub site: &'a str,
    /// The citizen's name; empty where Meta gives none.
    pub author: &'a str,
}

impl<'a> Parts<'a> {
    /// Those of a ticket of an OPD, whose slug stands for its name where it has left the configuration.
    pub fn of(settings: &'a Settings, ticket: TicketId, opd: &'a str, author: Option<&'a str>) -> Self {
        let opd = settings.opd(opd).map_or(opd, |opd| &opd.name);
        Self { ticket, opd, site: &settings.site.name, author: author.unwrap_or_default() }
    }
}

/// The names of [`Parts`].
const VARIABLES: [&str; 4] = ["author", "opd", "site", "ticket"];

/// The text with its variables filled in.
pub fn fill(text: &str, parts: &Parts<'_>) -> Result<String, WordsError> {
    Ok(filled(text, parts)?)
}

fn filled(text: &str, parts: &Parts<'_>) -> Result<String, minijinja::Error> {
    let mut env = Environment::empty();
    env.set_undefined_behavior(UndefinedBehavior::Strict);
    env.add_template("text", text)?;
    let values = context! { ticket => parts.ticket.0, opd => parts.opd, site => parts.site, author => parts.author };
    Ok(env.get_template("text")?.render(values)?.trim().to_owned())
}

/// Whether it can be filled in for every ticket; else what is wrong with it.
pub fn check(text: &str) -> Result<(), String> {
    let mut env = Environment::empty();
    env.add_template("text", text).map_err(|error| format!("is no template: {error}"))?;
    let template = env.get_template("text").map_err(|error| format!("is no template: {error}"))?;
    let mut unknown: Vec<String> =
        template.undeclared_variables(false).into_iter().filter(|name| !VARIABLES.contains(&name.as_str())).collect();
    unknown.sort_unstable();
    if let Some(name) = unknown.first() {
        let near = VARIABLES.into_iter().map(|known| (strsim::jaro_winkler(known, name), known));
        let near = near.filter(|(alike, _)| *alike > 0.8).max_by(|a, b| a.0.total_cmp(&b.0));
        let hint = near.map_or_else(|| format!("it may name {}", VARIABLES.join(", ")), |(_, known)| format!("did you mean \"{known}\"?"));
        return Err(format!("has no variable \"{name}\": {hint}"));
    }
    for author in ["Siti", ""] {
        match filled(text, &Parts { ticket: TicketId(1), opd: "x", site: "x", author }) {
            Err(error) => return Err(format!("can't be written: {error}")),
            Ok(said) if said.is_empty() => return Err("says nothing".into()),
            Ok(_) => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_filled_in_as_plain_text_whatever_a_citizen_is_called() {
        let text = "Yth. {% if author %}{{ author }}{% else %}Bapak/Ibu{% endif %}, kami {{ opd }} {{ site }} (#{{ ticket }}).\n";
        let parts = Parts { ticket: TicketId(42), opd: "Dindukcapil", site: "Rembang", author: "<b>{{ site }}" };
        assert_eq!(fill(text, &parts).unwrap(), "Yth. <b>{{ site }}, kami Dindukcapil Rembang (#42).");
        assert_eq!(fill(text, &Parts { author: "", ..parts }).unwrap(), "Yth. Bapak/Ibu, kami Dindukcapil Rembang (#42).");
    }

    #[test]
    fn what_could_not_be_filled_in_is_refused_with_the_nearest_name() {
        assert_eq!(check("Yth. {{ author }}"), Ok(()));
        for (text, why) in [
            ("Yth. {{ auhtor }}", "has no variable \"auhtor\": did you mean \"author\"?"),
            ("{{ telepon }}", "has no variable \"telepon\": it may name author, opd, site, ticket"),
            ("{{ author", "is no template"),
            ("{{ ticket.id }}", "can't be written"),
            ("{{ author }}", "says nothing"),
        ] {
            let found = check(text).unwrap_err();
            assert!(found.starts_with(why), "{text}: {found}");
        }
    }
}
