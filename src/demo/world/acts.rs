//! What scripts let people do. Each act returns the id of what came to be, `None` when its target does not exist.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::{SignedDuration, Timestamp};

use super::{Account, Added, Author, Citizen, Draft, Item, ItemKind, Thread, Token, TokenKind, World, token};
use crate::domain::{Platform, account::Login, message::key_of};

impl World {
    /// A new Page with a Page token that never expires.
    pub fn add_page(&mut self, name: &str, username: &str) -> Added {
        let id = format!("10100000000{}", self.next());
        self.add(id, Platform::Facebook, Login::Facebook, name, username, None)
    }
    /// A new Instagram account: linked to a Page (its token is the Page's), or through Instagram Login (a token of 60 days).
    pub fn add_instagram(&mut self, name: &str, username: &str, page: Option<&str>) -> Added {
        let id = format!("1784140000000{}", self.next());
        let login = if page.is_some() { Login::Facebook } else { Login::Instagram };
        self.add(id, Platform::Instagram, login, name, username, page.map(Into::into))
    }
    fn add(&mut self, id: String, platform: Platform, login: Login, name: &str, username: &str, page: Option<String>) -> Added {
        let token = match (&page, login) {
            (Some(page), _) => self.page_token(page).map(|token| token.text.clone()).unwrap_or_default(),
            (None, Login::Facebook) => self.issue(TokenKind::Page(id.clone()), token::PAGE_SCOPES, None),
            (None, Login::Instagram) => {
                self.issue(TokenKind::Instagram(id.clone()), token::INSTAGRAM_SCOPES, Some(SignedDuration::from_hours(60 * 24)))
            }
        };
        let account = Account {
            id: id.clone(),
            platform,
            login,
            name: name.into(),
            username: username.into(),
            page,
            new_experience: true,
            message_access: true,
            comments_open: true,
            advanced_access: true,
            tasks: ["ANALYZE", "ADVERTISE", "MESSAGING", "MODERATE", "CREATE_CONTENT", "MANAGE"].map(str::to_owned).to_vec(),
            subscribed: std::collections::BTreeSet::new(),
        };
        self.accounts.insert(id.clone(), account);
        Added { id, token }
    }
    /// A person's token of 60 days that lists these Pages.
    pub fn user_token(&mut self, pages: &[&str]) -> String {
        let pages = pages.iter().map(ToString::to_string).collect();
        self.issue(TokenKind::User(pages), token::PAGE_SCOPES, Some(SignedDuration::from_hours(60 * 24)))
    }
    /// A system user's token that lists these Pages and never expires.
    pub fn system_token(&mut self, pages: &[&str]) -> String {
        let pages = pages.iter().map(ToString::to_string).collect();
        self.issue(TokenKind::SystemUser(pages), token::PAGE_SCOPES, None)
    }
    pub(super) fn issue(&mut self, kind: TokenKind, scopes: &[&str], life: Option<SignedDuration>) -> String {
        let (now, number) = (self.now(), self.next());
        let start = if matches!(kind, TokenKind::Instagram(_)) { "IGAA" } else { "EAAG" };
        let text = format!("{start}simulated{number}");
        let token = Token {
            text: text.clone(),
            kind,
            user: format!("12200000000{number}"),
            scopes: scopes.iter().map(ToString::to_string).collect(),
            issued: now,
            expires: life.map(|life| now + life),
            dead: None,
        };
        self.tokens.insert(text.clone(), token);
        text
    }
    /// The account posts: a Page's post or an Instagram medium.
    pub fn post(&mut self, account: &str, draft: impl Into<Draft>) -> Option<String> {
        let kind = match self.account(account)?.platform {
            Platform::Facebook => ItemKind::Post,
            Platform::Instagram => ItemKind::Media,
        };
        Some(self.put(kind, account, Author::Account(account.into()), "", None, draft.into()))
    }
    /// A Page uploads a picture, film or reel that its feed does not list.
    pub fn upload(&mut self, page: &str, kind: ItemKind, draft: impl Into<Draft>) -> Option<String> {
        self.account(page).filter(|account| account.platform == Platform::Facebook)?;
        Some(self.put(kind, page, Author::Account(page.into()), "", None, draft.into()))
    }
    /// Somebody writes on a Page's wall.
    pub fn visitor_post(&mut self, page: &str, author: impl Into<Author>, draft: impl Into<Draft>) -> Option<String> {
        self.account(page).filter(|account| account.platform == Platform::Facebook)?;
        Some(self.put(ItemKind::WallPost, page, author.into(), "", None, draft.into()))
    }
    /// Somebody tags the account in a post or medium of their own.
    pub fn tag_post(&mut self, account: &str, author: impl Into<Author>, draft: impl Into<Draft>) -> Option<String> {
        let kind = match self.account(account)?.platform {
            Platform::Facebook => ItemKind::TagPost,
            Platform::Instagram => ItemKind::TagMedia,
        };
        Some(self.put(kind, account, author.into(), "", None, draft.into()))
    }
    /// Somebody comments on a post or medium.
    pub fn comment(&mut self, post: &str, author: impl Into<Author>, draft: impl Into<Draft>) -> Option<String> {
        let post = self.item(post).filter(|item| item.root.is_empty())?;
        let (root, account) = (post.id.clone(), post.account.clone());
        Some(self.put(ItemKind::Comment, &account, author.into(), &root, None, draft.into()))
    }
    /// Somebody replies to a comment. A reply to a reply is attached to the top-level comment, as Meta does.
    pub fn reply(&mut self, comment: &str, author: impl Into<Author>, draft: impl Into<Draft>) -> Option<String> {
        let above = self.item(comment).filter(|item| item.kind == ItemKind::Comment)?;
        let (root, account) = (above.root.clone(), above.account.clone());
        let parent = above.parent.clone().unwrap_or_else(|| above.id.clone());
        Some(self.put(ItemKind::Comment, &account, author.into(), &root, Some(parent), draft.into()))
    }
    /// A person writes to the account's inbox.
    pub fn direct_message(&mut self, account: &str, citizen: &Citizen, draft: impl Into<Draft>) -> Option<String> {
        let thread = self.open_thread(account, citizen)?;
        Some(self.put(ItemKind::Message, account, citizen.into(), &thread, None, draft.into()))
    }
    /// The account answers: in the conversation (its id or a message's), under the comment, or under the post.
    pub fn answer(&mut self, target: &str, draft: impl Into<Draft>) -> Option<String> {
        if let Some(thread) = self.thread(target) {
            let (id, account) = (thread.id.clone(), thread.account.clone());
            return Some(self.put(ItemKind::Message, &account, Author::Account(account.clone()), &id, None, draft.into()));
        }
        let item = self.item(target)?;
        let (root, author) = (item.root.clone(), Author::Account(item.account.clone()));
        match item.kind {
            ItemKind::Message => self.answer(&root, draft),
            ItemKind::Comment => self.reply(target, author, draft),
            _ => self.comment(target, author, draft),
        }
    }
    /// The account answers a comment by a direct message to its author.
    pub fn private_reply(&mut self, comment: &str, draft: impl Into<Draft>) -> Option<String> {
        let item = self.item(comment)?;
        let Author::Citizen(citizen) = item.author.clone() else { return None };
        let (seq, account) = (item.seq, item.account.clone());
        let thread = self.open_thread(&account, &citizen)?;
        self.items.get_mut(seq)?.private_reply = Some(thread.clone());
        self.answer(&thread, draft)
    }
    /// Writes another text. `None` if the item is gone.
    pub fn edit(&mut self, id: &str, text: &str) -> Option<()> {
        let now = self.now();
        let item = self.item_mut(id).filter(|item| item.deleted.is_none())?;
        let old = std::mem::replace(&mut item.text, text.into());
        item.edits.push((now, old));
        Some(())
    }
    /// Deletes an item; with a top-level comment its replies go, with a post its comments.
    pub fn delete(&mut self, id: &str) -> Option<()> {
        let now = self.now();
        let item = self.item_mut(id)?;
        item.deleted.get_or_insert(now);
        let id = item.id.clone();
        for item in &mut self.items {
            if item.kind == ItemKind::Comment && (item.root == id || item.parent.as_deref() == Some(id.as_str())) {
                item.deleted.get_or_insert(now);
            }
        }
        Some(())
    }
    /// The account hides an item from the public.
    pub fn hide(&mut self, id: &str) -> Option<()> {
        let now = self.now();
        self.item_mut(id)?.hidden.get_or_insert(now);
        Some(())
    }
    /// And shows it again.
    pub fn unhide(&mut self, id: &str) -> Option<()> {
        self.item_mut(id)?.hidden = None;
        Some(())
    }

    pub(super) fn item_mut(&mut self, id: &str) -> Option<&mut Item> {
        let at = *self.by_key.get(key_of(id))?;
        self.items.get_mut(at)
    }
    fn next(&mut self) -> u64 {
        self.number += 1;
        self.number
    }
    fn open_thread(&mut self, account: &str, citizen: &Citizen) -> Option<String> {
        if let Some(thread) = self.thread_with(account, citizen) {
            return Some(thread.id.clone());
        }
        let platform = self.account(account)?.platform;
        let id = match (platform, self.next()) {
            (Platform::Facebook, number) => format!("t_{number}"),
            (Platform::Instagram, number) => format!("aWdfZAG06{}", URL_SAFE_NO_PAD.encode(format!("thread:{account}:{number}"))),
        };
        self.thread_by_id.insert(id.clone(), self.threads.len());
        let thread =
            Thread { id: id.clone(), seq: self.threads.len(), account: account.into(), citizen: citizen.clone(), messages: Vec::new() };
        self.threads.push(thread);
        Some(id)
    }
    fn put(&mut self, kind: ItemKind, account: &str, author: Author, root: &str, parent: Option<String>, draft: Draft) -> String {
        let (now, number, seq) = (self.now(), self.next(), self.items.len());
        let instagram = self.account(account).is_some_and(|account| account.platform == Platform::Instagram);
        let id = match kind {
            ItemKind::Message if instagram => format!("aWdfZAG1f{}", URL_SAFE_NO_PAD.encode(format!("message:{account}:{number}"))),
            ItemKind::Message => format!("m_{}", URL_SAFE_NO_PAD.encode(format!("message:{account}:{number}"))),
            _ if instagram => format!("17{number:015}"),
            ItemKind::Comment => format!("{}_{number}", key_of(root)),
            ItemKind::Photo | ItemKind::Film | ItemKind::Reel => number.to_string(),
            ItemKind::TagPost => match &author {
                Author::Account(id) => format!("{id}_{number}"),
                Author::Citizen(citizen) => format!("{}_{number}", citizen.scoped(account)),
            },
            _ => format!("{account}_{number}"),
        };
        let created = draft.at.unwrap_or(now);
        self.by_key.insert(key_of(&id).into(), seq);
        match self.thread_by_id.get(root).and_then(|at| self.threads.get_mut(*at)) {
            Some(thread) => thread.messages.push(seq),
            None => self.children.entry(key_of(if root.is_empty() { account } else { root }).into()).or_default().push(seq),
        }
        self.items.push(Item {
            id: id.clone(),
            seq,
            kind,
            account: account.into(),
            author,
            root: root.into(),
            parent,
            text: draft.text,
            created: Timestamp::from_second(created.as_second()).unwrap_or(created),
            visible_from: draft.visible_from.unwrap_or(now),
            edits: Vec::new(),
            deleted: None,
            hidden: None,
            tags: draft.tags,
            attachments: draft.attachments,
            private_reply: None,
            spoilt: std::collections::BTreeMap::new(),
        });
        id
    }
}
