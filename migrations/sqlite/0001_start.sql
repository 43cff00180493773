-- Times are unix milliseconds, truth values 0 or 1, lists and objects JSON text. Both folders hold the same names and columns.

-- What the daemon must remember of itself: hash of policies and calendars, when they changed, who runs.
CREATE TABLE meta (
  key TEXT NOT NULL PRIMARY KEY,
  value TEXT NOT NULL
) STRICT;

-- Written by poll, but that a webhook moves next_poll_at to now.
CREATE TABLE account (
  id INTEGER PRIMARY KEY,
  platform TEXT NOT NULL,
  external_id TEXT NOT NULL,
  opd TEXT NOT NULL,
  name TEXT,
  username TEXT,
  active INTEGER NOT NULL,          -- stands in the configuration
  next_poll_at INTEGER NOT NULL,
  lease_owner TEXT,
  lease_until INTEGER NOT NULL DEFAULT 0,
  fence INTEGER NOT NULL DEFAULT 0,
  healthy INTEGER NOT NULL DEFAULT 1,
  reason TEXT,
  failures INTEGER NOT NULL DEFAULT 0,
  failing_since INTEGER,
  told_at INTEGER,                  -- operator was told that it can't be read
  last_read_at INTEGER,             -- when the last poll that read everything began
  token_expires_at INTEGER,
  memo TEXT NOT NULL DEFAULT '{}',  -- poll's own: limits in force, sweep times, usage
  UNIQUE (platform, external_id)
) STRICT;
CREATE INDEX account_next_poll ON account (next_poll_at) WHERE active = 1;

-- One thing read of an account. Written by poll.
CREATE TABLE source (
  account_id INTEGER NOT NULL,
  name TEXT NOT NULL,
  first_read_at INTEGER,            -- when its first whole read began
  opens_from INTEGER,               -- what was written before opens no ticket (first read less backfill)
  last_read_at INTEGER,             -- when its last whole read began
  blind_from INTEGER,               -- the read before a blindness of more than two hours; null: the first read
  backlog_read_at INTEGER,          -- when the read that ended it began
  failing_since INTEGER,
  error TEXT,
  proved_at INTEGER,               -- when it was proved that it shows what citizens write; also written by `check --witness`
  PRIMARY KEY (account_id, name)
) STRICT;

-- A span in which nobody watched a source. Written by poll.
CREATE TABLE gap (
  id INTEGER PRIMARY KEY,
  account_id INTEGER NOT NULL,
  source TEXT NOT NULL,
  from_at INTEGER NOT NULL,
  until_at INTEGER NOT NULL,
  reason TEXT NOT NULL
) STRICT;
CREATE INDEX gap_until ON gap (until_at);

-- A doubt whether an account that answers shows what citizens write; gone when it is gone. Written by poll.
CREATE TABLE concern (
  account_id INTEGER NOT NULL,
  cause TEXT NOT NULL,
  since INTEGER NOT NULL,
  detail TEXT NOT NULL,
  PRIMARY KEY (account_id, cause)
) STRICT;

-- A post that a webhook named. Written by web; removed by poll, which reads it.
CREATE TABLE hint (
  account_id INTEGER NOT NULL,
  post TEXT NOT NULL,
  comment TEXT NOT NULL,            -- that was added; empty: something changed
  at INTEGER NOT NULL,
  PRIMARY KEY (account_id, post, comment)
) STRICT;

-- A limit of Meta's that was reached or nearly so, by whose calls it counts. Written by poll.
CREATE TABLE rest (
  pool TEXT NOT NULL PRIMARY KEY,
  blocked_until INTEGER,            -- nothing at all is asked before
  stopped_until INTEGER             -- no new work is begun before
) STRICT;

-- An Instagram token that was refreshed. Written by poll.
CREATE TABLE token (
  account_id INTEGER NOT NULL PRIMARY KEY,
  sealed TEXT NOT NULL,             -- nonce and ciphertext under secrets.key, base64
  origin TEXT NOT NULL,             -- fingerprint of the configured token it descends from
  issued_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT;

-- Which author id under one account is which configured Instagram account. Written by poll.
CREATE TABLE binding (
  account_id INTEGER NOT NULL,
  sister TEXT NOT NULL,
  author_id TEXT NOT NULL,
  PRIMARY KEY (account_id, sister)
) STRICT;

-- A post or medium under which comments stand. Written by intake.
CREATE TABLE post (
  id INTEGER PRIMARY KEY,
  account_id INTEGER NOT NULL,
  key TEXT NOT NULL,
  external_id TEXT NOT NULL,
  author TEXT NOT NULL,             -- own | visitor | mention
  author_id TEXT,
  created_at INTEGER NOT NULL,
  updated_at INTEGER,               -- Meta's updated_time at the last read that was taken in whole
  total INTEGER,                    -- Meta's count of comments then
  permalink TEXT,
  read_at INTEGER,                  -- when the last read of all its comments began
  UNIQUE (account_id, key)
) STRICT;
CREATE INDEX post_created ON post (account_id, created_at);

-- next_look_at and verify_at are written by sla (intake may lower next_look_at); the rest by intake.
CREATE TABLE thread (
  id INTEGER PRIMARY KEY,
  account_id INTEGER NOT NULL,
  kind TEXT NOT NULL,
  key TEXT NOT NULL,
  name TEXT NOT NULL,               -- Meta's id as first seen
  post_key TEXT,
  citizen_id TEXT,                  -- conversations: with whom
  permalink TEXT,
  read_began_at INTEGER,            -- when the last read that proves the thread began
  next_look_at INTEGER,
  verify_at INTEGER,                -- a read that begins at or after this is wanted
  verify_tried_at INTEGER,          -- written by intake, as is unreadable
  unreadable INTEGER NOT NULL DEFAULT 0, -- no read can ever prove it (a review, a mention elsewhere)
  UNIQUE (account_id, kind, key)
) STRICT;
CREATE INDEX thread_next_look ON thread (next_look_at) WHERE next_look_at IS NOT NULL;
CREATE INDEX thread_verify ON thread (verify_at) WHERE verify_at IS NOT NULL;
CREATE INDEX thread_post ON thread (account_id, post_key);
CREATE INDEX thread_citizen ON thread (account_id, citizen_id) WHERE citizen_id IS NOT NULL;

-- Written by intake.
CREATE TABLE message (
  id INTEGER PRIMARY KEY,
  account_id INTEGER NOT NULL,
  thread_id INTEGER NOT NULL,
  object TEXT NOT NULL,
  key TEXT NOT NULL,
  external_id TEXT NOT NULL,
  kind TEXT NOT NULL,
  direction TEXT NOT NULL,
  government TEXT,                  -- out: external id of the account that wrote it, or staff
  parent TEXT,
  top_level INTEGER NOT NULL,
  author_id TEXT,
  author_name TEXT,
  author_username TEXT,
  text TEXT NOT NULL,
  attachments TEXT NOT NULL,
  reactions TEXT NOT NULL DEFAULT '[]',
  tags TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  seen_at INTEGER NOT NULL,
  edited_at INTEGER,
  deleted_at INTEGER,
  missing_since INTEGER,            -- a read that should show it did not
  hidden INTEGER NOT NULL,
  hidden_at INTEGER,                -- noticed hidden after having been visible
  automatic INTEGER NOT NULL,
  needs_answer INTEGER NOT NULL,
  asks INTEGER NOT NULL,
  urgent INTEGER NOT NULL,
  urgent_at INTEGER,                -- its own time, or when an edit that made it so was noticed
  bare INTEGER NOT NULL,
  tags_own INTEGER NOT NULL,
  by_page INTEGER NOT NULL,
  private_reply TEXT,
  private_unseen_at INTEGER,
  permalink TEXT,
  UNIQUE (account_id, object, key)
) STRICT;
CREATE INDEX message_thread ON message (thread_id);
CREATE INDEX message_created ON message (created_at, id);
CREATE INDEX message_account ON message (account_id, created_at);
CREATE INDEX message_private ON message (account_id, private_reply) WHERE private_reply IS NOT NULL;
CREATE INDEX message_missing ON message (missing_since) WHERE missing_since IS NOT NULL AND deleted_at IS NULL;

-- Texts that went out quickly, by thread: the third thread makes them automatic. Written by sla.
CREATE TABLE quick_reply (
  account_id INTEGER NOT NULL,
  text_hash TEXT NOT NULL,
  message_id INTEGER NOT NULL,
  thread_id INTEGER NOT NULL,
  PRIMARY KEY (account_id, text_hash, message_id)
) STRICT;
CREATE INDEX quick_reply_message ON quick_reply (message_id);

-- Written by sla.
CREATE TABLE ticket (
  id INTEGER PRIMARY KEY,
  thread_id INTEGER NOT NULL,
  account_id INTEGER NOT NULL,
  author TEXT NOT NULL,
  policy TEXT NOT NULL,
  urgent INTEGER NOT NULL,
  state TEXT NOT NULL,
  opened_at INTEGER NOT NULL,
  due_at INTEGER NOT NULL,
  warned_at INTEGER,
  breached_at INTEGER,
  flagged_at INTEGER,
  acknowledged_at INTEGER,
  closed_at INTEGER,
  answered_by TEXT,
  business_seconds INTEGER,
  reason TEXT,
  unverified INTEGER NOT NULL,
  messages INTEGER NOT NULL,
  newest_message_id INTEGER,        -- whose text the queue shows
  newest_at INTEGER,                -- its created_at
  assignee TEXT,
  steps TEXT NOT NULL,
  configuration TEXT NOT NULL       -- hash of the policies and calendars its plan follows
) STRICT;
CREATE INDEX ticket_thread ON ticket (thread_id);
CREATE INDEX ticket_due ON ticket (due_at, id) WHERE state = 'open';
CREATE INDEX ticket_author ON ticket (account_id, author);
CREATE INDEX ticket_opened ON ticket (opened_at);

-- Which citizen's messages a ticket held when it was last judged. Written by sla.
CREATE TABLE ticket_message (
  message_id INTEGER NOT NULL PRIMARY KEY,
  ticket_id INTEGER NOT NULL
) STRICT;
CREATE INDEX ticket_message_ticket ON ticket_message (ticket_id);

-- What staff and officials did. Written by the command line, web (links) and alert (buttons); applied_at by sla.
CREATE TABLE action (
  id INTEGER PRIMARY KEY,
  ticket_id INTEGER NOT NULL,
  kind TEXT NOT NULL,
  by_name TEXT NOT NULL,
  at INTEGER NOT NULL,
  text TEXT NOT NULL,
  applied_at INTEGER,
  letter_id INTEGER,                -- from which letter; each ticket once by each
  UNIQUE (ticket_id, letter_id)
) STRICT;
CREATE INDEX action_ticket ON action (ticket_id);
CREATE INDEX action_new ON action (id) WHERE applied_at IS NULL;

-- What happened to a ticket, in order. Written by sla.
CREATE TABLE event (
  id INTEGER PRIMARY KEY,
  ticket_id INTEGER NOT NULL,
  at INTEGER NOT NULL,
  kind TEXT NOT NULL,
  detail TEXT NOT NULL
) STRICT;
CREATE INDEX event_ticket ON event (ticket_id);

-- Something to tell. Written by the stage that found it, in the transaction of what it tells of; routed_at by alert.
CREATE TABLE alert (
  id INTEGER PRIMARY KEY,
  kind TEXT NOT NULL,
  ticket_id INTEGER,
  account_id INTEGER,
  policy TEXT NOT NULL,
  at_text TEXT NOT NULL,
  step INTEGER NOT NULL,
  notify TEXT NOT NULL,
  late_found INTEGER NOT NULL,
  cause TEXT,                       -- of an account\'s or the site\'s state: what a person must do something about
  detail TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  routed_at INTEGER
) STRICT;
CREATE INDEX alert_new ON alert (id) WHERE routed_at IS NULL;
CREATE INDEX alert_ticket ON alert (ticket_id);

-- One per (ticket, policy, step's at, official, channel), ever. Written by alert.
CREATE TABLE delivery (
  id INTEGER PRIMARY KEY,
  key TEXT NOT NULL UNIQUE,
  alert_id INTEGER NOT NULL,
  kind TEXT NOT NULL,
  ticket_id INTEGER,
  account_id INTEGER,
  step INTEGER NOT NULL,
  official TEXT NOT NULL,
  channel TEXT NOT NULL,
  address TEXT NOT NULL,
  state TEXT NOT NULL,
  reason TEXT,
  letter_id INTEGER,
  created_at INTEGER NOT NULL,
  send_at INTEGER NOT NULL,         -- not into a letter before this (grouping, quiet hours, digest)
  held TEXT,                        -- what it waits for until then
  delivered_at INTEGER
) STRICT;
CREATE INDEX delivery_waiting ON delivery (send_at) WHERE state = 'waiting';
CREATE INDEX delivery_ticket ON delivery (ticket_id);
CREATE INDEX delivery_account ON delivery (account_id) WHERE ticket_id IS NULL;
CREATE INDEX delivery_letter ON delivery (letter_id);
CREATE INDEX delivery_open ON delivery (state) WHERE state IN ('waiting', 'pending');

-- One message to one address, rendered before its first attempt. Written by alert.
CREATE TABLE letter (
  id INTEGER PRIMARY KEY,
  key TEXT NOT NULL UNIQUE,         -- Message-ID, webhook-id, short code: the same for every attempt
  channel TEXT NOT NULL,
  address TEXT NOT NULL,
  official TEXT NOT NULL,
  payload TEXT NOT NULL,            -- the bytes that are sent
  state TEXT NOT NULL,              -- pending | delivered | abandoned | dropped
  attempts INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  next_try_at INTEGER,
  lease_owner TEXT,
  lease_until INTEGER NOT NULL DEFAULT 0,
  fence INTEGER NOT NULL DEFAULT 0,
  provider_id TEXT,
  error TEXT,
  delivered_at INTEGER,
  tried_at INTEGER NOT NULL DEFAULT 0,  -- when its last attempt ended; of one under way, when that ends at the latest
  status TEXT,                      -- what the channel said later: sent | failed | delivered | read
  status_at INTEGER,
  status_code INTEGER
) STRICT;
CREATE INDEX letter_due ON letter (next_try_at) WHERE state = 'pending';
CREATE INDEX letter_address ON letter (channel, address, created_at);
CREATE INDEX letter_paced ON letter (address, tried_at) WHERE channel = 'whatsapp';
CREATE INDEX letter_reported ON letter (id) WHERE status IS NOT NULL
  AND (state = 'pending' OR state = 'abandoned' AND status <> 'failed' OR state = 'delivered' AND status = 'failed');
