-- What is needed to forget: what of messages, threads and tickets was erased, by what it is known again, whose data are restricted, and what
-- Meta's data-deletion callback asked for.

ALTER TABLE message ADD COLUMN erased_at INTEGER; -- text, names, ids and addresses are gone since; times and flags stay
ALTER TABLE thread ADD COLUMN erased_at INTEGER;  -- all its messages are erased: its name is gone too
ALTER TABLE ticket ADD COLUMN settled_at INTEGER; -- judged no more since: it stands as it did when something it depends on was erased

-- What must not be stored again: keyed hashes of erased messages, threads and posts, and of erased authors, of whom only what they wrote
-- before that time is meant. Written with what is erased, and by intake.
CREATE TABLE erased (
  hash TEXT NOT NULL PRIMARY KEY,
  at INTEGER NOT NULL
) STRICT;

-- Whose texts and names are shown to nobody. Written by the command line.
CREATE TABLE restricted (
  account_id INTEGER NOT NULL,
  author TEXT NOT NULL,             -- as tickets have it: an id, or @ and a user name
  at INTEGER NOT NULL,
  by_name TEXT NOT NULL,
  reason TEXT NOT NULL,
  PRIMARY KEY (account_id, author)
) STRICT;

-- What Meta's data-deletion callback asked for. Written by web; from author on by forget.
CREATE TABLE deletion (
  code TEXT NOT NULL PRIMARY KEY,   -- in the address of its status page
  asked_at INTEGER NOT NULL,
  author TEXT,                      -- whose data; null once they are erased
  done_at INTEGER
) STRICT;
CREATE INDEX deletion_new ON deletion (asked_at) WHERE author IS NOT NULL;
