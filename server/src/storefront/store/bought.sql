-- What each purchase of the shop's scrip has bought, in order: its wallet asks for it, so that an article that a page has
-- paid is in the library too. The last one is the answer to the account's last request.
CREATE TABLE accounts_new (
    secret_id INTEGER NOT NULL CHECK (secret_id >= 0),
    serial    INTEGER NOT NULL CHECK (serial > 0),
    expires   INTEGER NOT NULL CHECK (expires >= 0),
    owed      INTEGER NOT NULL CHECK (owed IN (0, 1)),
    account   TEXT    NOT NULL CHECK (length(account) > 0),
    spent     TEXT,
    PRIMARY KEY (secret_id, serial)
) STRICT, WITHOUT ROWID;

INSERT INTO accounts_new SELECT secret_id, serial, expires, owed, account, spent FROM accounts;

-- Numbers rise, so that rows are appended; of one purchase none is removed before all are. The name of the table that it
-- refers to changes with that table.
CREATE TABLE bought (
    number    INTEGER NOT NULL PRIMARY KEY,
    secret_id INTEGER NOT NULL,
    serial    INTEGER NOT NULL,
    date      INTEGER NOT NULL CHECK (date >= 0),
    title     TEXT    NOT NULL,
    receipt   TEXT    NOT NULL,
    digest    BLOB    NOT NULL CHECK (length(digest) = 32),
    FOREIGN KEY (secret_id, serial) REFERENCES accounts_new (secret_id, serial) ON DELETE CASCADE
) STRICT;

INSERT INTO bought (secret_id, serial, date, title, receipt, digest)
SELECT secret_id, serial, date, title, receipt, digest FROM accounts WHERE digest IS NOT NULL;

DROP TABLE accounts;
ALTER TABLE accounts_new RENAME TO accounts;

CREATE INDEX accounts_owed ON accounts (secret_id, serial) WHERE owed = 1;
CREATE INDEX accounts_by_end ON accounts (expires);
CREATE INDEX bought_by_purchase ON bought (secret_id, serial);
