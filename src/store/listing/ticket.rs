//! Tickets, and what stands beside one: its events, its alerts, what staff did.

use serde::Serialize;

use super::{AuthorRow, HOLDER, of_ticket, within};
use crate::{
    domain::{
        Kind, Platform, Scope, TicketId, TicketState, Time, reply,
        ticket::{ActionKind, PlannedStep},
        time::rfc3339,
    },
    store::{
        Db, StoreError,
        db::{Row, Val, built, vals},
        restrict,
    },
};

/// A ticket as the contract's JSON has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[allow(missing_docs)] // the contract's section 3 and domain::Ticket say what each field is
pub struct TicketRow {
    pub id: TicketId,
    pub opd: String,
    pub platform: Platform,
    pub kind: Kind,
    pub account: String,
    pub thread: String,
    pub author: Option<AuthorRow>,
    pub text: String,
    pub messages: i64,
    pub policy: String,
    pub urgent: bool,
    pub state: TicketState,
    #[serde(with = "rfc3339")]
    pub opened_at: Time,
    #[serde(with = "rfc3339")]
    pub due_at: Time,
    #[serde(with = "rfc3339::option")]
    pub warned_at: Option<Time>,
    #[serde(with = "rfc3339::option")]
    pub breached_at: Option<Time>,
    #[serde(with = "rfc3339::ms::option")]
    pub flagged_at: Option<Time>,
    #[serde(with = "rfc3339::option")]
    pub acknowledged_at: Option<Time>,
    #[serde(with = "rfc3339::option")]
    pub closed_at: Option<Time>,
    pub response_seconds: Option<i64>,
    pub business_seconds: Option<i64>,
    pub answered_by: Option<String>,
    #[serde(with = "rfc3339::option")]
    pub reply_window_closes_at: Option<Time>,
    pub assignee: Option<String>,
    pub permalink: Option<String>,
    pub unverified: bool,
    pub reason: Option<String>,
    /// When its words and its author were erased.
    #[serde(with = "rfc3339::option", skip_serializing_if = "Option::is_none")]
    pub erased_at: Option<Time>,
    /// Its words and its author are kept and shown to nobody.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub restricted: bool,
}

/// Which tickets; `None` means any.
#[derive(Clone, Debug, Default)]
pub struct TicketFilter {
    /// Where they stand.
    pub state: Option<TicketState>,
    /// Open ones whose deadline lies before this.
    pub overdue_at: Option<Time>,
    /// Slug.
    pub opd: Option<String>,
    /// Where they were written.
    pub platform: Option<Platform>,
    /// What their thread is.
    pub kind: Option<Kind>,
    /// Urgent or not.
    pub urgent: Option<bool>,
    /// Meta's id of the account.
    pub account: Option<String>,
    /// Only those that follow this one, by deadline and number.
    pub after: Option<(Time, TicketId)>,
    /// Latest deadline first instead of earliest.
    pub backwards: bool,
    /// At most so many.
    pub limit: Option<u32>,
}

const TICKET: &str = concat!(
    "SELECT t.id, COALESCE(t.held_by, a.opd) AS opd, a.platform, th.kind, a.external_id AS account, th.name AS thread, t.author,
 CASE WHEN n.deleted_at IS NULL THEN coalesce(n.author_name, n.author_username) END AS author_name, coalesce(n.text, '') AS text, t.messages, t.policy, t.urgent, t.state,
 t.opened_at, t.due_at, t.warned_at, t.breached_at, t.flagged_at, t.acknowledged_at, t.closed_at, t.business_seconds, t.answered_by,
 t.newest_at, t.assignee, coalesce(n.permalink, th.permalink) AS permalink, t.unverified, t.reason, n.erased_at, ",
    restrict::of_ticket!(),
    " AS restricted FROM ticket t JOIN thread th ON th.id = t.thread_id JOIN account a ON a.id = t.account_id
 LEFT JOIN message n ON n.id = t.newest_message_id"
);

/// Tickets, earliest deadline first.
pub async fn tickets(db: &Db, scope: &Scope, filter: &TicketFilter) -> Result<Vec<TicketRow>, StoreError> {
    // states are written out, so that SQLite sees that the index of open tickets holds them all
    let mut conditions: Vec<String> = match filter.state {
        _ if filter.overdue_at.is_some() => vec!["t.state = 'open'".into()],
        Some(state) => vec![format!("t.state = '{state}'")],
        None => vec![],
    };
    let mut vals: Vec<Val> = Vec::new();
    for (condition, val) in [
        ("t.due_at <", filter.overdue_at.map(Val::from)),
        ("COALESCE(t.held_by, a.opd) =", filter.opd.as_deref().map(Val::from)),
        // So written that SQLite looks for open tickets in the order of their deadlines, not for an account's and sorts them.
        ("a.platform || '' =", filter.platform.map(|platform| platform.word().into())),
        ("th.kind =", filter.kind.map(|kind| kind.word().into())),
        ("t.urgent =", filter.urgent.map(Val::from)),
        ("a.external_id || '' =", filter.account.as_deref().map(Val::from)),
    ] {
        if let Some(val) = val {
            vals.push(val);
            conditions.push(format!("{condition} ${}", vals.len()));
        }
    }
    conditions.push(within(scope, HOLDER, &mut vals));
    let (follows, order) = if filter.backwards { ("<", "DESC") } else { (">", "ASC") };
    if let Some((due_at, id)) = filter.after {
        conditions.push(format!("(t.due_at, t.id) {follows} (${}, ${})", vals.len() + 1, vals.len() + 2));
        vals.extend([Val::from(due_at), id.0.into()]);
    }
    let which = conditions.join(" AND ");
    let limit = filter.limit.map_or(String::new(), |limit| format!("LIMIT {limit}"));
    let sql = format!("{TICKET} WHERE {which} ORDER BY t.due_at {order}, t.id {order} {limit}");
    db.rows_built(built(sql), vals).await?.iter().map(read).collect()
}

/// One ticket; `None` also where it lies outside the scope.
pub async fn ticket(db: &Db, scope: &Scope, id: TicketId) -> Result<Option<TicketRow>, StoreError> {
    let mut vals = vals![id.0];
    let within = within(scope, HOLDER, &mut vals);
    db.rows_built(built(format!("{TICKET} WHERE t.id = $1 AND {within}")), vals).await?.first().map(read).transpose()
}

fn read(row: &Row) -> Result<TicketRow, StoreError> {
    let (kind, state) = (row.word("kind", Kind::from_word)?, row.word("state", TicketState::from_word)?);
    let (opened_at, closed_at) = (row.at("opened_at")?, row.oat("closed_at")?);
    let answered = state == TicketState::Answered;
    let restricted = row.b("restricted")?;
    let author = Some(row.t("author")?).filter(|id| !(restricted || matches!(id.as_str(), "" | "~")));
    Ok(TicketRow {
        id: TicketId(row.i("id")?),
        opd: row.t("opd")?,
        platform: row.word("platform", Platform::from_word)?,
        kind,
        account: row.t("account")?,
        thread: row.t("thread")?,
        author: if author.is_some() { AuthorRow::of(author, row.ot("author_name")?) } else { None },
        text: if restricted { String::new() } else { row.t("text")? },
        messages: row.i("messages")?,
        policy: row.t("policy")?,
        urgent: row.b("urgent")?,
        state,
        opened_at,
        due_at: row.at("due_at")?,
        warned_at: row.oat("warned_at")?,
        breached_at: row.oat("breached_at")?,
        flagged_at: row.oat("flagged_at")?,
        acknowledged_at: row.oat("acknowledged_at")?,
        closed_at,
        response_seconds: closed_at.filter(|_| answered).map(|at| at.secs() - opened_at.secs()),
        business_seconds: row.oi("business_seconds")?.filter(|_| answered),
        answered_by: row.ot("answered_by")?,
        reply_window_closes_at: row.oat("newest_at")?.filter(|_| kind == Kind::Message).map(|at| at.plus(reply::WINDOW)),
        assignee: row.ot("assignee")?,
        permalink: row.ot("permalink")?.filter(|_| !restricted),
        unverified: row.b("unverified")?,
        reason: row.ot("reason")?.filter(|_| !restricted || state == TicketState::Withdrawn),
        erased_at: row.oat("erased_at")?,
        restricted,
    })
}

/// Something that happened to a ticket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct EventRow {
    /// When.
    #[serde(with = "rfc3339")]
    pub at: Time,
    /// What.
    pub kind: String,
    /// What else there is to say of it.
    pub detail: String,
}

/// What happened to a ticket, in order.
pub async fn events(db: &Db, scope: &Scope, ticket: TicketId) -> Result<Vec<EventRow>, StoreError> {
    let mut vals = vals![ticket.0];
    let sql = format!(
        "SELECT e.at, e.kind, {} AS detail FROM event e JOIN ticket t ON t.id = e.ticket_id WHERE e.ticket_id = $1 AND {} ORDER BY e.id",
        restrict::said!("e.kind", "e.detail"),
        of_ticket(scope, &mut vals)
    );
    let rows = db.rows_built(built(sql), vals).await?;
    rows.iter().map(|row| Ok(EventRow { at: row.at("at")?, kind: row.t("kind")?, detail: row.t("detail")? })).collect()
}

/// The steps of a ticket's plan, in time order.
pub async fn steps(db: &Db, scope: &Scope, ticket: TicketId) -> Result<Vec<PlannedStep>, StoreError> {
    let mut vals = vals![ticket.0];
    let sql = format!("SELECT steps FROM ticket WHERE id = $1 AND {}", of_ticket(scope, &mut vals));
    db.rows_built(built(sql), vals).await?.first().map_or(Ok(Vec::new()), |row| row.json("steps"))
}

/// An event with what tells it apart, for those who listen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Happening {
    /// Its number; later ones are larger, but on PostgreSQL may be seen earlier.
    pub id: i64,
    /// When.
    #[serde(with = "rfc3339::ms")]
    pub at: Time,
    /// `opened`, `breached`, …
    pub kind: String,
    /// What else there is to say of it.
    pub detail: String,
    /// Of which ticket.
    pub ticket: TicketId,
    /// The OPD that has to answer.
    pub opd: String,
    /// Whether it is urgent.
    pub urgent: bool,
}

/// How many happenings are read at once.
pub const HAPPENINGS: u32 = 1000;

/// What happened to tickets after the event with this number, in order; without one the newest alone, to begin with.
pub async fn happenings(db: &Db, scope: &Scope, after: Option<i64>) -> Result<Vec<Happening>, StoreError> {
    let mut vals = vals![after.unwrap_or(0), if after.is_some() { HAPPENINGS } else { 1 }];
    let within = within(scope, HOLDER, &mut vals);
    let order = if after.is_some() { "ASC" } else { "DESC" };
    let said = restrict::said!("e.kind", "e.detail");
    let sql = format!(
        "SELECT e.id, e.at, e.kind, {said} AS detail, e.ticket_id, {HOLDER} AS opd, t.urgent FROM event e JOIN ticket t ON t.id = e.ticket_id
         JOIN account a ON a.id = t.account_id WHERE e.id > $1 AND {within} ORDER BY e.id {order} LIMIT $2"
    );
    let read = |row: &Row| {
        Ok(Happening {
            id: row.i("id")?,
            at: row.at("at")?,
            kind: row.t("kind")?,
            detail: row.t("detail")?,
            ticket: TicketId(row.i("ticket_id")?),
            opd: row.t("opd")?,
            urgent: row.b("urgent")?,
        })
    };
    db.rows_built(built(sql), vals).await?.iter().map(read).collect()
}

/// What staff did with a ticket; `applied_at` is null while no daemon has noticed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct ActionRow {
    /// What was done.
    pub kind: ActionKind,
    /// Who did it.
    pub by: String,
    /// When.
    #[serde(with = "rfc3339")]
    pub at: Time,
    /// Reason, remark, how, assignee, or the slug of an OPD.
    pub text: String,
    /// When it took effect.
    #[serde(with = "rfc3339::option")]
    pub applied_at: Option<Time>,
}

/// What staff did with a ticket, in order.
pub async fn actions(db: &Db, scope: &Scope, ticket: TicketId) -> Result<Vec<ActionRow>, StoreError> {
    let mut vals = vals![ticket.0];
    let of_ticket = of_ticket(scope, &mut vals);
    let sql = format!(
        "SELECT c.kind, c.by_name, c.at, {} AS text, c.applied_at FROM action c JOIN ticket t ON t.id = c.ticket_id
          WHERE c.ticket_id = $1 AND {of_ticket} ORDER BY c.id",
        restrict::said!("c.kind", "c.text")
    );
    let rows = db.rows_built(built(sql), vals).await?;
    rows.iter()
        .map(|row| {
            Ok(ActionRow {
                kind: row.word("kind", ActionKind::from_word)?,
                by: row.t("by_name")?,
                at: row.at("at")?,
                text: row.t("text")?,
                applied_at: row.oat("applied_at")?,
            })
        })
        .collect()
}

/// A delivery to an official, or a step that told nobody (`state` = `silent`, without official and channel).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct AlertRow {
    /// The step's number in time order.
    pub step: i64,
    /// The office's id.
    pub official: Option<String>,
    /// By which way.
    pub channel: Option<String>,
    /// What it tells.
    pub kind: String,
    /// Where it stands.
    pub state: String,
    /// Why it was dropped, told nobody, or for what it waits.
    pub reason: Option<String>,
    /// While it waits: until when.
    #[serde(with = "rfc3339::option")]
    pub until: Option<Time>,
    /// How often it was tried.
    pub attempts: i64,
    /// When the channel took it.
    #[serde(with = "rfc3339::ms::option")]
    pub delivered_at: Option<Time>,
    /// How far it came, where the channel says so later: sent | failed | delivered | read.
    pub status: Option<String>,
    /// When.
    #[serde(with = "rfc3339::option")]
    pub status_at: Option<Time>,
    /// What went wrong at the last attempt.
    pub error: Option<String>,
}

/// Whom a ticket's steps told, and which told nobody; steps in order.
pub async fn alerts(db: &Db, scope: &Scope, ticket: TicketId) -> Result<Vec<AlertRow>, StoreError> {
    let mut vals = vals![ticket.0];
    let of_ticket = of_ticket(scope, &mut vals);
    let sent = db
        .rows_built(
            built(format!("SELECT d.step, d.official, d.channel, d.kind, d.state, CASE WHEN d.state = 'waiting' THEN coalesce(d.held, d.reason) ELSE d.reason END
               AS reason, CASE WHEN d.state = 'waiting' AND d.held IS NOT NULL THEN d.send_at END AS until,
               coalesce(l.attempts, 0) AS attempts, d.delivered_at, l.status, l.status_at, l.error
             FROM delivery d LEFT JOIN letter l ON l.id = d.letter_id WHERE d.ticket_id = $1 AND {of_ticket} ORDER BY d.id")),
            vals,
        )
        .await?;
    let mut alerts = sent.iter().map(read_alert).collect::<Result<Vec<_>, _>>()?;
    alerts.extend(steps(db, scope, ticket).await?.into_iter().filter_map(silent));
    alerts.sort_by_key(|alert| alert.step);
    Ok(alerts)
}

fn read_alert(row: &Row) -> Result<AlertRow, StoreError> {
    Ok(AlertRow {
        step: row.i("step")?,
        official: row.ot("official")?,
        channel: row.ot("channel")?,
        kind: row.t("kind")?,
        state: row.t("state")?,
        reason: row.ot("reason")?,
        until: row.oat("until")?,
        attempts: row.i("attempts")?,
        delivered_at: row.oat("delivered_at")?,
        status: row.ot("status")?,
        status_at: row.oat("status_at")?,
        error: row.ot("error")?,
    })
}

fn silent(step: PlannedStep) -> Option<AlertRow> {
    let reason = step.effect?.silent?;
    Some(AlertRow {
        step: step.number.into(),
        official: None,
        channel: None,
        kind: step.kind.word().into(),
        state: "silent".into(),
        reason: Some(reason),
        until: None,
        attempts: 0,
        delivered_at: None,
        status: None,
        status_at: None,
        error: None,
    })
}
