-- What the page and the API need: who may use them, what staff wrote to be sent, and who has to answer since a ticket was handed over.

ALTER TABLE ticket ADD COLUMN held_by TEXT; -- slug of the OPD it was handed over to; null: the account's own
CREATE INDEX ticket_order ON ticket (due_at, id);
CREATE INDEX ticket_waiting ON ticket (account_id, held_by, due_at, urgent) WHERE state = 'open'; -- counts are read from it alone

-- A person who may sign in. Written by the command line, and by web where OpenID Connect names somebody new.
CREATE TABLE person (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  password TEXT,                    -- Argon2id, PHC string; null: signs in by OpenID Connect only
  subject TEXT UNIQUE,              -- issuer and subject of OpenID Connect
  role TEXT NOT NULL,               -- viewer | ops | admin
  opds TEXT NOT NULL,               -- slugs; empty list: all
  created_at INTEGER NOT NULL,
  ended_at INTEGER                  -- may sign in no more
) STRICT;

-- A browser that is signed in. Written by web.
CREATE TABLE session (
  id INTEGER PRIMARY KEY,
  hash TEXT NOT NULL UNIQUE,        -- SHA-256 of the cookie's secret
  person_id INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  used_at INTEGER NOT NULL
) STRICT;
CREATE INDEX session_person ON session (person_id);
CREATE INDEX session_created ON session (created_at);

-- A program that may use the API. Written by the command line; used_at by web.
CREATE TABLE api_token (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  hash TEXT NOT NULL UNIQUE,        -- SHA-256 of the token
  role TEXT NOT NULL,
  opds TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  ended_at INTEGER,
  used_at INTEGER
) STRICT;

-- Who did what besides the actions on tickets. Written by web and the command line; nothing is ever changed here.
CREATE TABLE trail (
  id INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  by_name TEXT NOT NULL,
  did TEXT NOT NULL,
  ticket_id INTEGER,
  detail TEXT NOT NULL
) STRICT;
CREATE INDEX trail_at ON trail (at);
CREATE INDEX action_at ON action (at);

-- What staff wrote to be sent to a citizen. Written by web and the command line; from state on by poll, which sends it once at most.
CREATE TABLE reply (
  id INTEGER PRIMARY KEY,
  ticket_id INTEGER NOT NULL,
  account_id INTEGER NOT NULL,
  form TEXT NOT NULL,               -- comment | message | private
  target TEXT NOT NULL,             -- Meta's id of what it answers: comment or post, citizen, comment
  text TEXT NOT NULL,
  by_name TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  state TEXT NOT NULL,              -- waiting | sending | sent | uncertain | failed
  tried_at INTEGER,                 -- when it was handed to Meta
  next_try_at INTEGER,              -- when it is sent, or looked for
  lease_owner TEXT,
  lease_until INTEGER NOT NULL DEFAULT 0,
  fence INTEGER NOT NULL DEFAULT 0,
  external_id TEXT,                 -- Meta's id of what was sent
  sent_at INTEGER,
  missed_at INTEGER,                -- uncertain: when a read that should show it did not, for the first time
  error TEXT
) STRICT;
CREATE INDEX reply_due ON reply (next_try_at) WHERE next_try_at IS NOT NULL;
CREATE INDEX reply_ticket ON reply (ticket_id);
CREATE INDEX reply_account ON reply (account_id, created_at);
CREATE INDEX reply_created ON reply (created_at);
