//! tanggap (Indonesian: *responsive*).
//!
//! Four stages, each a small reconciler. A stage owns one *when-next* column, takes the rows whose time has come,
//! asks a pure function what to do, writes the answer and the next time in one transaction, and ends.
//! Stages never call each other: the database is the queue between them, and a *nudge* only makes the next stage
//! run sooner. A crash, a restart, a lost nudge and a first start are one path.
//!
//! ```text
//!  Meta Graph API                                                                     officials
//!       |                                                                                 ^
//!    [graph]  wire JSON                                                              [channel]
//!       |                                                                                 |
//!    POLL ------------> message, thread ----------> SLA --------> ticket, alert --------> ALERT ----> delivery, letter
//!    account.next_poll_at,     thread.next_look_at            alert.routed_at, letter.next_try_at
//!    thread.verify_at
//!       |  (normalize: pure)         (judge: pure)              (route, letter, retry: pure)
//!       +------------------------------- store (the only SQL) -------------------------------+
//!                                             |                \
//!                                           REPORT              CLI (reads; acts through the same few store calls)
//! ```
//!
//! What staff write to a citizen is a row too (`reply`): page and command line record it, POLL, which alone talks to accounts, sends it once at
//! most and reads the answer back, so that SLA closes the ticket as by any other answer.
//! REPORT is no stage: a pure reckoning of what the store says happened, for the command line and the page.
//!
//! Meta's webhooks come in by `web`, which makes POLL read sooner and stores only what no read can show; `arrival` is how either stores.
//! `dossier` is a ticket with all that belongs to it, for the command line, the page and the API.
//! Officials say that they are seeing to a ticket by a button (ALERT) or a link (`web`), both signed by `link`; SLA applies what they said.
//! What WhatsApp says there of letters it took is kept with them, and ALERT draws the conclusions.
//!
//! What happens to a ticket is chained as it happens (`domain::evidence`), in the transaction that makes it so, for whoever must prove it later.
//! A database that is older than what happened since, a restored copy, is made good before any stage runs (`store::restored`).
//! `forget` is a small stage beside them: once a day it erases what is past retention, and at once whom Meta's data-deletion callback names.
//! What erasing means, column by column, stands in `store::forget`.
//!
//! # The rule of arrows
//!
//! `tests/it/arrows.rs` fails on any other edge than these:
//!
//! ```text
//! main -> cli; cli, app -> everything
//! poll -> graph, normalize, arrival, store, domain, runtime     demo -> graph, domain, runtime
//! accounts -> graph, store, catalogue, domain, runtime
//! forget -> store, domain, runtime
//! sla  -> store, hours, domain, runtime                alert -> store, catalogue, link, domain, runtime
//! normalize -> graph, domain      hours -> domain      store -> domain      config -> catalogue, domain      catalogue -> domain
//! web  -> store, dossier, accounts, report, hours, graph, normalize, arrival, catalogue, link, domain, runtime     link -> domain
//! dossier -> store, hours, domain
//! arrival -> normalize, store, domain, runtime          report -> store, hours, catalogue, domain
//! graph -> domain                 domain -> nothing    runtime -> nothing
//! ```

pub mod accounts;
pub mod alert;
pub mod app;
pub mod arrival;
pub mod catalogue;
pub mod cli;
pub mod config;
pub mod demo;
pub mod domain;
pub mod dossier;
pub mod forget;
pub mod graph;
pub mod hours;
pub mod link;
pub mod normalize;
pub mod poll;
pub mod report;
pub mod runtime;
pub mod sla;
pub mod store;
pub mod web;
