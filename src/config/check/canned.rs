//! `[[canned]]`: replies to be chosen from. Each is tried before anything starts.

use super::{Context, unique};
use crate::{catalogue, config::read::Table, config::words, domain::settings::Canned};

pub(super) fn canned(root: &mut Table, context: &Context) -> Vec<Canned> {
    let (mut names, mut all) = (Vec::new(), Vec::new());
    for mut table in root.tables("canned") {
        let (name, text) = (table.needed_text("name"), table.needed_text("text"));
        if !text.is_empty()
            && let Err(why) = catalogue::canned::check(&text)
        {
            table.findings.problem(&text.spot, why);
        }
        let opd = table.list("opd", "a list of OPDs", |slug| words::one_of(slug, &context.names.opds, "[[opd]]"));
        all.push(Canned { name: name.value.clone(), text: text.value.clone(), opd: opd.map_or_else(Vec::new, |opd| opd.value) });
        names.push(name);
    }
    unique(&names, "the canned reply", root.findings);
    all
}
