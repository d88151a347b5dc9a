-- The till: budgets in paywords (spec/03) and in the shop's own scrip (spec/02). What is here is on disk before an
-- article leaves, and is forgotten when nobody can pay or be paid by it any more.

-- The countersigned authorities of budgets in paywords, which do not change.
CREATE TABLE authorities (
    authority_id  BLOB NOT NULL PRIMARY KEY CHECK (length(authority_id) = 32),
    countersigned TEXT NOT NULL CHECK (length(countersigned) > 0)
) STRICT, WITHOUT ROWID;

-- How each of them stands: the last payword, and what it bought, so that the same charge gets the same answer. `owed` is one
-- while the center has not confirmed all of it. Rows are small, so that many sales in one commit share few pages.
CREATE TABLE sessions (
    authority_id BLOB    NOT NULL PRIMARY KEY REFERENCES authorities (authority_id),
    expires      INTEGER NOT NULL CHECK (expires >= 0),
    owed         INTEGER NOT NULL CHECK (owed IN (0, 1)),
    position     INTEGER NOT NULL CHECK (position >= 0),
    payword      BLOB    NOT NULL CHECK (length(payword) = 32),
    ended        INTEGER NOT NULL CHECK (ended IN (0, 1)),
    deposited    INTEGER NOT NULL CHECK (deposited BETWEEN 0 AND position),
    settled      INTEGER NOT NULL CHECK (settled IN (0, 1)),
    date         INTEGER,
    title        TEXT,
    receipt      TEXT,
    digest       BLOB    CHECK (length(digest) = 32),
    CHECK ((position = 0) = (digest IS NULL))
) STRICT, WITHOUT ROWID;

CREATE INDEX sessions_owed ON sessions (authority_id) WHERE owed = 1;
CREATE INDEX sessions_by_end ON sessions (expires);

-- One account for each purchase of the shop's scrip, by its Cust_ID#, with the answer to its last request. Which ID# is live
-- stands in the account; every other one is spent.
CREATE TABLE accounts (
    secret_id INTEGER NOT NULL CHECK (secret_id >= 0),
    serial    INTEGER NOT NULL CHECK (serial > 0),
    expires   INTEGER NOT NULL CHECK (expires >= 0),
    owed      INTEGER NOT NULL CHECK (owed IN (0, 1)),
    account   TEXT    NOT NULL CHECK (length(account) > 0),
    spent     TEXT,
    date      INTEGER,
    title     TEXT,
    receipt   TEXT,
    digest    BLOB    CHECK (length(digest) = 32),
    PRIMARY KEY (secret_id, serial),
    CHECK ((spent IS NULL) = (digest IS NULL))
) STRICT, WITHOUT ROWID;

CREATE INDEX accounts_owed ON accounts (secret_id, serial) WHERE owed = 1;
CREATE INDEX accounts_by_end ON accounts (expires);

-- What was handed out, by its SHA-256: once for all who bought it.
CREATE TABLE goods (
    digest   BLOB NOT NULL PRIMARY KEY CHECK (length(digest) = 32),
    document TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- What the shop has licensed, with its secrets; kept until all scrip of a licence is over.
CREATE TABLE licences (
    number    INTEGER NOT NULL PRIMARY KEY CHECK (number >= 0),
    licensed  TEXT    NOT NULL,
    expires   INTEGER NOT NULL CHECK (expires >= 0),
    confirmed INTEGER NOT NULL CHECK (confirmed IN (0, 1))
) STRICT;

-- Secrets of change, which the center never has.
CREATE TABLE change_secrets (
    id     INTEGER NOT NULL PRIMARY KEY CHECK (id >= 0),
    secret BLOB    NOT NULL CHECK (length(secret) = 32),
    since  INTEGER NOT NULL CHECK (since >= 0)
) STRICT;
