-- The till: budgets in paywords (spec/03) and in the shop's own scrip (spec/02). What is here is on disk before an
-- article leaves, and is forgotten when nobody can pay or be paid by it any more.

-- One session for each countersigned authority; `owed` is one while the center has not confirmed all of it.
CREATE TABLE sessions (
    authority_id BLOB    NOT NULL PRIMARY KEY CHECK (length(authority_id) = 32),
    session      TEXT    NOT NULL CHECK (length(session) > 0),
    expires      INTEGER NOT NULL CHECK (expires >= 0),
    owed         INTEGER NOT NULL CHECK (owed IN (0, 1))
) STRICT, WITHOUT ROWID;

CREATE INDEX sessions_owed ON sessions (authority_id) WHERE owed = 1;
CREATE INDEX sessions_by_end ON sessions (expires);

-- One account for each purchase of the shop's scrip, by its Cust_ID#.
CREATE TABLE accounts (
    secret_id INTEGER NOT NULL CHECK (secret_id >= 0),
    serial    INTEGER NOT NULL CHECK (serial > 0),
    account   TEXT    NOT NULL CHECK (length(account) > 0),
    expires   INTEGER NOT NULL CHECK (expires >= 0),
    owed      INTEGER NOT NULL CHECK (owed IN (0, 1)),
    PRIMARY KEY (secret_id, serial)
) STRICT, WITHOUT ROWID;

CREATE INDEX accounts_owed ON accounts (secret_id, serial) WHERE owed = 1;
CREATE INDEX accounts_by_end ON accounts (expires);

-- What was handed out, by its SHA-256: once for all who bought it.
CREATE TABLE goods (
    digest   BLOB NOT NULL PRIMARY KEY CHECK (length(digest) = 32),
    document TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- What a payword bought, by its index: the same charge gets the same answer.
CREATE TABLE ticks (
    authority_id BLOB    NOT NULL REFERENCES sessions (authority_id) ON DELETE CASCADE,
    position     INTEGER NOT NULL CHECK (position > 0),
    date         INTEGER NOT NULL CHECK (date >= 0),
    title        TEXT    NOT NULL,
    receipt      TEXT    NOT NULL,
    digest       BLOB    NOT NULL REFERENCES goods (digest),
    PRIMARY KEY (authority_id, position)
) STRICT, WITHOUT ROWID;

CREATE INDEX ticks_by_goods ON ticks (digest);

-- What was answered for an ID# that was spent: the same request gets the same answer.
CREATE TABLE spent (
    secret_id          INTEGER NOT NULL CHECK (secret_id >= 0),
    serial             INTEGER NOT NULL CHECK (serial > 0),
    customer_secret_id INTEGER NOT NULL,
    customer_serial    INTEGER NOT NULL,
    spent              TEXT    NOT NULL CHECK (length(spent) > 0),
    date               INTEGER NOT NULL CHECK (date >= 0),
    title              TEXT    NOT NULL,
    receipt            TEXT    NOT NULL,
    digest             BLOB    NOT NULL REFERENCES goods (digest),
    PRIMARY KEY (secret_id, serial),
    FOREIGN KEY (customer_secret_id, customer_serial) REFERENCES accounts (secret_id, serial) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE INDEX spent_by_account ON spent (customer_secret_id, customer_serial);
CREATE INDEX spent_by_goods ON spent (digest);

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
