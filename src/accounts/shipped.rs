//! The agencies that accounts are matched to: those of the configuration, and the shipped example's for a site that has not written
//! its own yet. Pure.

use serde::Deserialize;

use super::matching::Unit;
use crate::domain::settings::{Opd, OpdKind};

#[derive(Deserialize)]
struct Example {
    site: Site,
    opd: Vec<Shipped>,
}

#[derive(Deserialize)]
struct Site {
    name: String,
}

#[derive(Deserialize)]
struct Shipped {
    slug: String,
    name: String,
    abbreviation: String,
    kind: OpdKind,
}

/// The configured agencies, then those of the shipped list.
pub fn units(site: &str, opds: &[Opd]) -> Vec<Unit> {
    let mut all: Vec<Unit> = opds.iter().map(Unit::from).collect();
    let shipped = shipped(site, &all);
    all.extend(shipped);
    all
}

/// The shipped list without those whose slug is known. Its places and its hospital belong to its own kabupaten: another site does not get
/// them.
pub(super) fn shipped(site: &str, known: &[Unit]) -> Vec<Unit> {
    let Ok(example) = toml::from_str::<Example>(include_str!("../../config/example.toml")) else { return Vec::new() };
    let local = |kind| matches!(kind, OpdKind::Kecamatan | OpdKind::Kelurahan | OpdKind::Desa | OpdKind::Rsud);
    let fits = |it: &Shipped| (site == example.site.name || !local(it.kind)) && known.iter().all(|unit| unit.slug != it.slug);
    let units = example.opd.into_iter().filter(fits).map(|it| Unit {
        slug: it.slug,
        name: it.name,
        abbreviation: it.abbreviation,
        kind: Some(it.kind),
        parent: None,
        configured: false,
    });
    units.collect()
}

impl From<&Opd> for Unit {
    fn from(opd: &Opd) -> Self {
        Self {
            slug: opd.slug.clone(),
            name: opd.name.clone(),
            abbreviation: opd.abbreviation.clone(),
            kind: opd.kind,
            parent: opd.parent.clone(),
            configured: true,
        }
    }
}
