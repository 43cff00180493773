//! What tests do to the world: tokens die, limits bite, calls fail, and what came in is counted.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::{
    Account, Call, Death, Fault, Quota, Scope, Token, TokenKind, Use, World,
    fault::Order,
    record,
    token::{INSTAGRAM_SCOPES, PAGE_SCOPES},
};

impl World {
    /// Every token that belongs to the account (or, for an Instagram account, to its Page) dies.
    pub fn kill_token(&mut self, account: &str, death: Death) {
        for token in self.tokens_of(account) {
            token.dead = Some(death);
        }
    }
    /// The same tokens live again.
    pub fn revive_token(&mut self, account: &str) {
        for token in self.tokens_of(account) {
            token.dead = None;
        }
    }
    /// One token dies, whosever it is.
    pub fn kill(&mut self, text: &str, death: Death) {
        if let Some(token) = self.tokens.get_mut(text) {
            token.dead = Some(death);
        }
    }
    /// A successor of the account's (or its Page's) newest token, with all that a token may hold; the old ones stay as they are.
    pub fn new_token(&mut self, account: &str) -> Option<String> {
        let kind = self.tokens_of(account).last()?.kind.clone();
        let (scopes, life) = match kind {
            TokenKind::Instagram(_) => (INSTAGRAM_SCOPES, Some(SignedDuration::from_hours(60 * 24))),
            _ => (PAGE_SCOPES, None),
        };
        Some(self.issue(kind, scopes, life))
    }
    /// The same tokens run out then.
    pub fn expire_token(&mut self, account: &str, at: Timestamp) {
        for token in self.tokens_of(account) {
            token.expires = Some(at);
        }
    }
    /// The same tokens lose a permission.
    pub fn revoke_scope(&mut self, account: &str, scope: &str) {
        for token in self.tokens_of(account) {
            token.scopes.remove(scope);
        }
    }
    /// One token, of a person or system user for instance, loses a permission.
    pub fn narrow(&mut self, token: &str, scope: &str) {
        if let Some(token) = self.tokens.get_mut(token) {
            token.scopes.remove(scope);
        }
    }
    /// The same tokens get a permission.
    pub fn grant_scope(&mut self, account: &str, scope: &str) {
        for token in self.tokens_of(account) {
            token.scopes.insert(scope.into());
        }
    }
    /// Changes an account: another name, message access switched off, the old Pages experience.
    pub fn change_account(&mut self, id: &str, change: impl FnOnce(&mut Account)) {
        if let Some(account) = self.accounts.get_mut(id) {
            change(account);
        }
    }
    /// A longer-lived successor of an Instagram token at least 24 h old; the old one stays valid.
    pub(in crate::demo) fn refresh(&mut self, text: &str) -> Option<Token> {
        let now = self.now();
        let old =
            self.tokens.get(text).filter(|token| token.death(now).is_none() && now.duration_since(token.issued).as_hours() >= 24)?.clone();
        let scopes: Vec<&str> = old.scopes.iter().map(String::as_str).collect();
        let new = self.issue(old.kind, &scopes, Some(SignedDuration::from_hours(60 * 24)));
        self.tokens.get(&new).cloned()
    }
    fn tokens_of(&mut self, account: &str) -> impl Iterator<Item = &mut Token> {
        let owner = self.accounts.get(account).and_then(|account| account.page.clone()).unwrap_or_else(|| account.into());
        self.tokens.values_mut().filter(move |token| token.account() == Some(owner.as_str()))
    }

    /// The next calls in scope go wrong.
    pub fn fail_next(&mut self, scope: Scope, fault: Fault, count: usize) {
        self.orders.push(Order { scope, fault, left: Some(count), until: None });
    }
    /// Every call in scope goes wrong, until a time or [`World::end_outages`].
    pub fn outage(&mut self, scope: Scope, fault: Fault, until: Option<Timestamp>) {
        self.orders.push(Order { scope, fault, left: None, until });
    }
    /// Nothing goes wrong on order any more.
    pub fn end_outages(&mut self) {
        self.orders.clear();
    }
    pub(in crate::demo) fn fault(&mut self, account: Option<&str>, method: &str, path: &str) -> Option<Fault> {
        let now = self.now();
        let order = self.orders.iter_mut().find(|order| order.meets(account, method, path, now))?;
        order.left = order.left.map(|left| left - 1);
        Some(order.fault.clone())
    }
    /// From now on a field of an item is shown as this, whatever it is.
    pub fn spoil(&mut self, id: &str, field: &str, value: Value) -> Option<()> {
        self.item_mut(id)?.spoilt.insert(field.into(), value);
        Some(())
    }

    /// Sets how many calls fit into the window of an account (by id), of the app (by its id) or of a person.
    pub fn set_limit(&mut self, of: Use, id: &str, calls: u64) {
        self.quota_mut(of, id).set_limit(calls);
    }
    /// Sets a Page's limit as Meta reckons it: 4800 calls a day for each person who engaged with it.
    pub fn set_engaged(&mut self, page: &str, people: u64) {
        self.set_limit(Use::Pages, page, 4800 * people);
    }
    /// Refuses an account's calls for that long, and longer while they go on.
    pub fn throttle(&mut self, of: Use, id: &str, length: SignedDuration) {
        let until = self.now() + length;
        self.quota_mut(of, id).block_until(until);
    }
    /// One limit as it stands.
    pub fn quota(&self, of: Use, id: &str) -> Option<&Quota> {
        self.quotas.get(&(of, id.to_owned()))
    }
    pub(in crate::demo) fn quota_mut(&mut self, of: Use, id: &str) -> &mut Quota {
        self.quotas.entry((of, id.to_owned())).or_insert_with(|| Quota::new(of))
    }

    /// Every call so far, in order.
    pub fn calls(&self) -> &[Call] {
        &self.calls
    }
    /// How many calls came that were to write this text, whatever became of them.
    pub fn written(&self, text: &str) -> usize {
        self.calls.iter().filter(|call| call.writes(text)).count()
    }
    /// Forgets them.
    pub fn clear_calls(&mut self) {
        self.calls.clear();
    }
    /// How many calls came for each account (empty for none) and endpoint.
    pub fn call_counts(&self) -> BTreeMap<(String, String), usize> {
        record::count(&self.calls)
    }
    /// How many calls came although a limit had been reached.
    pub fn throttled_calls(&self) -> usize {
        self.calls.iter().filter(|call| call.throttled).count()
    }
    pub(in crate::demo) fn record(&mut self, call: Call) {
        self.calls.push(call);
    }
}
