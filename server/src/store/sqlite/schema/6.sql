-- Version 6: the same tables, whose conditions SQLite checks with less work. For `x IN (a, b, c)` it fills a table of its
-- own with each row that is written; for `x = a OR x = b OR x = c`, and for two, it compares. Foreign keys are checked when all is done.

CREATE TABLE accounts_again (
    kind TEXT NOT NULL CHECK (
        kind = 'reserve' OR kind = 'vendor' OR kind = 'campaign'
        OR kind = 'transit' OR kind = 'fees' OR kind = 'payouts'
        OR kind = 'reservations'),
    number INTEGER NOT NULL CHECK (number BETWEEN 0 AND 4294967295),
    balance INTEGER NOT NULL CHECK (balance >= 0 OR kind = 'reserve'),
    PRIMARY KEY (kind, number)
) STRICT, WITHOUT ROWID;
INSERT INTO accounts_again SELECT * FROM accounts;
DROP TABLE accounts;
ALTER TABLE accounts_again RENAME TO accounts;

CREATE TABLE transfers_again (
    number INTEGER PRIMARY KEY,
    debit_kind TEXT NOT NULL CHECK (
        debit_kind = 'reserve' OR debit_kind = 'purse' OR debit_kind = 'vendor'
        OR debit_kind = 'campaign' OR debit_kind = 'transit' OR debit_kind = 'fees'
        OR debit_kind = 'payouts' OR debit_kind = 'reservations'),
    debit_number INTEGER NOT NULL CHECK (debit_number BETWEEN 0 AND 9007199254740991),
    credit_kind TEXT NOT NULL CHECK (
        credit_kind = 'reserve' OR credit_kind = 'purse' OR credit_kind = 'vendor'
        OR credit_kind = 'campaign' OR credit_kind = 'transit' OR credit_kind = 'fees'
        OR credit_kind = 'payouts' OR credit_kind = 'reservations'),
    credit_number INTEGER NOT NULL CHECK (credit_number BETWEEN 0 AND 9007199254740991),
    amount INTEGER NOT NULL CHECK (amount BETWEEN 1 AND 9007199254740991),
    posting TEXT NOT NULL,
    step_vendor INTEGER,
    step_tran BLOB,
    payout INTEGER REFERENCES payouts,
    movement TEXT REFERENCES movements,
    at INTEGER NOT NULL CHECK (at BETWEEN 0 AND 9007199254740991),
    CHECK ((step_vendor IS NULL) = (step_tran IS NULL)),
    CHECK (debit_kind <> credit_kind),
    CHECK ((posting IN ('deposit', 'withdrawal')) = (movement IS NOT NULL)),
    FOREIGN KEY (step_vendor, step_tran) REFERENCES steps
) STRICT;
INSERT INTO transfers_again SELECT * FROM transfers;
DROP TABLE transfers;
ALTER TABLE transfers_again RENAME TO transfers;

-- Money moves once for each reason; a shop deposits as often as it wants.
CREATE UNIQUE INDEX transfers_of_steps ON transfers
    (step_vendor, step_tran, posting, (CASE WHEN posting IN ('redeem', 'redeem-fee') THEN number ELSE 0 END))
    WHERE step_vendor IS NOT NULL;
CREATE UNIQUE INDEX transfers_of_payouts ON transfers (payout, posting) WHERE payout IS NOT NULL;
CREATE UNIQUE INDEX transfers_of_movements ON transfers (movement) WHERE movement IS NOT NULL;

CREATE TRIGGER transfers_are_final BEFORE UPDATE ON transfers
BEGIN
    SELECT RAISE(ABORT, 'a transfer never changes');
END;
CREATE TRIGGER transfers_stay BEFORE DELETE ON transfers
BEGIN
    SELECT RAISE(ABORT, 'a transfer is never deleted');
END;
CREATE TRIGGER transfers_within_budgets BEFORE INSERT ON transfers
    WHEN NEW.posting = 'redeem' OR NEW.posting = 'redeem-fee' OR NEW.posting = 'release'
BEGIN
    SELECT RAISE(ABORT, 'a budget gives out no more than its sum')
    WHERE NEW.amount + coalesce(
        (SELECT sum(amount) FROM transfers WHERE step_vendor = NEW.step_vendor AND step_tran = NEW.step_tran
            AND (posting = 'redeem' OR posting = 'redeem-fee' OR posting = 'release')), 0)
        > coalesce(
            (SELECT value FROM reservations
                WHERE step_vendor = NEW.step_vendor AND step_tran = NEW.step_tran AND funded = 1),
            (SELECT value FROM sales
                WHERE step_vendor = NEW.step_vendor AND step_tran = NEW.step_tran AND funded = 1),
            0);
END;

-- Sellers number their steps by time, so the last page of this table takes almost every new row.
CREATE TABLE steps_again (
    vendor INTEGER NOT NULL CHECK (vendor BETWEEN 0 AND 4294967295),
    tran_id BLOB NOT NULL CHECK (length(tran_id) = 16),
    kind TEXT NOT NULL CHECK (kind = 'issue' OR kind = 'payment' OR kind = 'cash-out'),
    customer INTEGER NOT NULL REFERENCES purses,
    amount INTEGER NOT NULL CHECK (amount BETWEEN 0 AND 9007199254740991),
    fee INTEGER NOT NULL CHECK (fee BETWEEN 0 AND amount),
    subject TEXT NOT NULL,
    secret_id INTEGER NOT NULL CHECK (secret_id BETWEEN 0 AND 4294967295),
    request_hash BLOB NOT NULL CHECK (length(request_hash) = 32),
    old_algorithm TEXT NOT NULL CHECK (old_algorithm IN ('hmac-sha256', 'sha256')),
    old_secret_id INTEGER NOT NULL CHECK (old_secret_id BETWEEN 0 AND 4294967295),
    old_serial INTEGER NOT NULL CHECK (old_serial BETWEEN 0 AND 9007199254740991),
    old_value INTEGER NOT NULL CHECK (old_value BETWEEN 0 AND 9007199254740991),
    old_ad TEXT,
    old_expires INTEGER NOT NULL CHECK (old_expires BETWEEN 0 AND 9007199254740991),
    new_algorithm TEXT NOT NULL CHECK (new_algorithm IN ('hmac-sha256', 'sha256')),
    new_secret_id INTEGER NOT NULL CHECK (new_secret_id BETWEEN 0 AND 4294967295),
    new_serial INTEGER NOT NULL CHECK (new_serial BETWEEN 0 AND 9007199254740991),
    new_value INTEGER NOT NULL CHECK (new_value BETWEEN 0 AND 9007199254740991),
    new_ad TEXT,
    new_expires INTEGER NOT NULL CHECK (new_expires BETWEEN 0 AND 9007199254740991),
    started INTEGER NOT NULL CHECK (started BETWEEN 0 AND 9007199254740991),
    state TEXT NOT NULL CHECK (state = 'pending' OR state = 'posted' OR state = 'voided'),
    ended INTEGER CHECK (ended BETWEEN 0 AND 9007199254740991),
    void_algorithm TEXT CHECK (void_algorithm IN ('hmac-sha256', 'sha256')),
    void_secret_id INTEGER CHECK (void_secret_id BETWEEN 0 AND 4294967295),
    void_serial INTEGER CHECK (void_serial BETWEEN 0 AND 9007199254740991),
    void_value INTEGER CHECK (void_value BETWEEN 0 AND 9007199254740991),
    void_ad TEXT,
    void_expires INTEGER CHECK (void_expires BETWEEN 0 AND 9007199254740991),
    PRIMARY KEY (vendor, tran_id),
    CHECK (kind <> 'cash-out' OR vendor = 0),
    CHECK ((state = 'pending') = (ended IS NULL)),
    CHECK ((state = 'voided') = (void_serial IS NOT NULL)),
    -- A step takes the next serial; what only remembers a cancelled one takes none, and moves nothing.
    CHECK (new_serial = old_serial + 1 OR (new_serial = old_serial AND state = 'voided')),
    CHECK (new_value = old_value + CASE
        WHEN new_serial = old_serial THEN 0
        WHEN kind = 'issue' THEN amount
        ELSE -amount END)
) STRICT, WITHOUT ROWID;
INSERT INTO steps_again SELECT * FROM steps;
DROP TABLE steps;
ALTER TABLE steps_again RENAME TO steps;

-- A serial is spent once.
CREATE UNIQUE INDEX steps_spent ON steps (customer, old_serial) WHERE new_serial <> old_serial;
CREATE INDEX steps_pending ON steps (started) WHERE state = 'pending';
-- A step that was cancelled before it came moved nothing, and is forgotten after a month; no other one ever is.
CREATE INDEX steps_cancelled ON steps (started) WHERE new_serial = old_serial;

CREATE TRIGGER steps_end_once BEFORE UPDATE ON steps WHEN OLD.state <> 'pending'
BEGIN
    SELECT RAISE(ABORT, 'a step that has ended never changes');
END;
CREATE TRIGGER steps_stay BEFORE DELETE ON steps WHEN OLD.new_serial <> OLD.old_serial
BEGIN
    SELECT RAISE(ABORT, 'a step that moved money is never deleted');
END;
