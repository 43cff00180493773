-- What can be proved of a ticket: one chain of hashes each (src/domain/evidence.rs), which outlives the texts.

-- The end of each ticket's chain; whoever appends holds its row. Written by sla and alert.
CREATE TABLE chain (
  ticket_id INTEGER NOT NULL PRIMARY KEY,
  n INTEGER NOT NULL,               -- entries
  link TEXT NOT NULL                -- the newest entry's; empty while there is none
) STRICT;
INSERT INTO chain (ticket_id, n, link) SELECT id, 0, '' FROM ticket;

-- An entry. Only ever added to; erasing a text takes the salt, so that nobody can guess it. Written by sla and alert.
CREATE TABLE proof (
  id INTEGER PRIMARY KEY,
  ticket_id INTEGER NOT NULL,
  n INTEGER NOT NULL,
  at INTEGER NOT NULL,
  kind TEXT NOT NULL,               -- message | edit | deletion | event | action | delivery
  message_id INTEGER,               -- whose text it proves; message and edit are written out from there
  mark INTEGER,                     -- the edited_at that this text has, or the deleted_at
  record TEXT,                      -- what it says, where no message does
  salt TEXT,                        -- null: erased
  digest TEXT NOT NULL,
  link TEXT NOT NULL,
  UNIQUE (ticket_id, n)
) STRICT;
CREATE INDEX proof_message ON proof (message_id) WHERE message_id IS NOT NULL;
