-- The shop's own memory. Offers of payments leave nothing here (spec/01, rule 10).
CREATE TABLE settings (
    name  TEXT NOT NULL PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- One attempt per earner and item (rule 9). A passed one has its M2, sent again byte for byte (rule 4).
CREATE TABLE attempts (
    earner  BLOB    NOT NULL CHECK (length(earner) = 32),
    item    TEXT    NOT NULL CHECK (length(item) BETWEEN 1 AND 64),
    digest  BLOB    NOT NULL CHECK (length(digest) = 32),
    at      INTEGER NOT NULL CHECK (at >= 0),
    tran_id BLOB    CHECK (length(tran_id) = 16),
    expires INTEGER CHECK (expires >= 0),
    reply   TEXT    NOT NULL CHECK (length(reply) > 0),
    PRIMARY KEY (earner, item),
    CHECK ((tran_id IS NULL) = (expires IS NULL))
) STRICT, WITHOUT ROWID;

CREATE INDEX attempts_by_item ON attempts (item, at) WHERE tran_id IS NOT NULL;
CREATE UNIQUE INDEX attempts_by_transaction ON attempts (tran_id) WHERE tran_id IS NOT NULL;

-- What a survey's advertiser asked to know.
CREATE TABLE survey_answers (
    item     TEXT    NOT NULL,
    earner   BLOB    NOT NULL CHECK (length(earner) = 32),
    question INTEGER NOT NULL CHECK (question >= 0),
    answer   TEXT    NOT NULL,
    at       INTEGER NOT NULL CHECK (at >= 0),
    PRIMARY KEY (item, earner, question),
    FOREIGN KEY (earner, item) REFERENCES attempts (earner, item)
) STRICT, WITHOUT ROWID;

-- What the center has set aside for each item, as it said last.
CREATE TABLE budgets (
    item      TEXT NOT NULL PRIMARY KEY,
    budget    TEXT NOT NULL,
    remaining TEXT NOT NULL
) STRICT, WITHOUT ROWID;
