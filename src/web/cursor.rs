//! Where a list goes on. A cursor holds for the list it was given with: the same filters, and the same scope.

use std::fmt::Write as _;

use crate::{
    domain::{Scope, Time},
    link,
};

/// What a list is: its name, its filters, and of which OPDs.
pub(super) fn list(name: &str, filters: &str, scope: &Scope) -> String {
    let mut list = format!("{name}\n{filters}\n");
    match scope.opds() {
        None => list.push('*'),
        Some(opds) => {
            for opd in opds {
                let _ = writeln!(list, "{opd}");
            }
        }
    }
    list
}

/// The cursor behind a row with this time and number.
pub(super) fn after(key: &link::Key, list: &str, at: Time, id: i64) -> String {
    key.cursor(list, &format!("{} {id}", at.ms()))
}

/// The time and number that a cursor of this list stands behind.
pub(super) fn place(key: &link::Key, list: &str, cursor: &str) -> Option<(Time, i64)> {
    let place = key.place(list, cursor)?;
    let (at, id) = place.split_once(' ')?;
    Some((Time::clamp_ms(at.parse().ok()?), id.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_holds_for_its_own_list_and_scope_only() {
        let key = link::Key::new(&[7; 32]);
        let all = list("tickets", "open", &Scope::ALL);
        let own = list("tickets", "open", &Scope::of(["dinhub"]));
        let cursor = after(&key, &all, Time::from_secs(9), 4);
        assert_eq!(place(&key, &all, &cursor), Some((Time::from_secs(9), 4)));
        assert_eq!(place(&key, &own, &cursor), None);
        assert_eq!(place(&key, &list("tickets", "all", &Scope::ALL), &cursor), None);
        assert_eq!(place(&link::Key::new(&[8; 32]), &all, &cursor), None);
        for odd in ["", "x", "!!", &cursor[1..], &"A".repeat(5000)] {
            assert_eq!(place(&key, &all, odd), None);
        }
    }
}
