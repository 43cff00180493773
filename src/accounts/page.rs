//! The audit as one page that stands alone: no script, nothing loaded, readable on a telephone and on paper. Pure. Text is escaped by the
//! template engine and nowhere else.

use minijinja::{AutoEscape, Environment, UndefinedBehavior, context, value::Serde};

use super::audit::Audit;
use crate::{
    catalogue::{Part, Words, WordsError},
    domain::settings::Site,
};

const HEADS: [&str; 11] = [
    "head_who",
    "head_text",
    "head_advice",
    "head_kind",
    "head_agencies",
    "head_with",
    "head_read",
    "head_fine",
    "section_open",
    "section_fine",
    "footer",
];

/// What stands over the columns and sections, in the site's language.
pub fn heads(site: &Site) -> Result<[String; 11], WordsError> {
    let words = Words::new(Part::Audit, site.language, site.timezone.clone())?;
    let mut said = HEADS.map(str::to_owned);
    for head in &mut said {
        *head = words.say(head, ())?;
    }
    Ok(said)
}

/// The page, UTF-8.
pub fn page(audit: &Audit, site: &Site) -> Result<String, WordsError> {
    let mut env = Environment::new();
    env.set_undefined_behavior(UndefinedBehavior::Strict);
    env.set_auto_escape_callback(|_| AutoEscape::Html);
    env.add_template("audit.html", include_str!("audit.html"))?;
    let said = heads(site)?;
    let heads: std::collections::BTreeMap<_, _> = HEADS.iter().zip(&said).collect();
    let (open, fine): (Vec<_>, Vec<_>) = audit.groups.iter().partition(|group| group.open);
    let page = env.get_template("audit.html")?;
    Ok(page.render(context! {
        language => site.language.word(), title => audit.title.as_str(), summary => Serde(&audit.summary), shares => Serde(&audit.shares),
        open => Serde(&open), fine => Serde(&fine), heads => Serde(&heads),
    })?)
}
