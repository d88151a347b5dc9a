-- Version 2: the journal, a chain of hashes over every row that was committed (docs/protocol/books.md).

CREATE TABLE journal (
    number INTEGER PRIMARY KEY CHECK (number >= 1),
    entries BLOB NOT NULL,
    chain BLOB NOT NULL CHECK (length(chain) = 32)
) STRICT;

CREATE TRIGGER journal_is_final BEFORE UPDATE ON journal
BEGIN
    SELECT RAISE(ABORT, 'the journal never changes');
END;
CREATE TRIGGER journal_stays BEFORE DELETE ON journal
BEGIN
    SELECT RAISE(ABORT, 'the journal is never deleted');
END;

-- Times in which nothing that the books gave out was lost. A new one begins when an older copy is put back.
CREATE TABLE epochs (
    number INTEGER PRIMARY KEY CHECK (number BETWEEN 0 AND 2097151),
    began INTEGER NOT NULL CHECK (began BETWEEN 0 AND 9007199254740991),
    reason TEXT NOT NULL CHECK (reason IN ('new', 'restored', 'went-back', 'shown')),
    lost TEXT
) STRICT;

CREATE TRIGGER epochs_are_final BEFORE UPDATE ON epochs
BEGIN
    SELECT RAISE(ABORT, 'an epoch never changes');
END;
CREATE TRIGGER epochs_stay BEFORE DELETE ON epochs
BEGIN
    SELECT RAISE(ABORT, 'an epoch is never deleted');
END;

-- Scrip of this center that a buyer showed and the books do not know: at most one for each buyer.
CREATE TABLE claims (
    customer INTEGER PRIMARY KEY CHECK (customer BETWEEN 1 AND 9007199254740991),
    customer_secret_id INTEGER NOT NULL CHECK (customer_secret_id BETWEEN 0 AND 4294967295),
    shown_algorithm TEXT NOT NULL CHECK (shown_algorithm IN ('hmac-sha256', 'sha256')),
    shown_secret_id INTEGER NOT NULL CHECK (shown_secret_id BETWEEN 0 AND 4294967295),
    shown_serial INTEGER NOT NULL CHECK (shown_serial BETWEEN 0 AND 9007199254740991),
    shown_value INTEGER NOT NULL CHECK (shown_value BETWEEN 0 AND 9007199254740991),
    shown_ad TEXT,
    shown_expires INTEGER NOT NULL CHECK (shown_expires BETWEEN 0 AND 9007199254740991),
    known_serial INTEGER CHECK (known_serial BETWEEN 0 AND 9007199254740991),
    known_value INTEGER CHECK (known_value BETWEEN 0 AND 9007199254740991),
    at INTEGER NOT NULL CHECK (at BETWEEN 0 AND 9007199254740991),
    CHECK ((known_serial IS NULL) = (known_value IS NULL))
) STRICT;

CREATE TRIGGER claims_stay BEFORE DELETE ON claims
BEGIN
    SELECT RAISE(ABORT, 'a claim is never deleted');
END;

-- A step that was cancelled before it came moved nothing, and is forgotten after a month; no other one ever is.
CREATE INDEX steps_cancelled ON steps (started) WHERE new_serial = old_serial;
DROP TRIGGER steps_stay;
CREATE TRIGGER steps_stay BEFORE DELETE ON steps WHEN OLD.new_serial <> OLD.old_serial
BEGIN
    SELECT RAISE(ABORT, 'a step that moved money is never deleted');
END;
