-- Version 1: spec 01. Amounts are whole millionths of the one currency in `center`; times are milliseconds
-- since 1970; 9007199254740991 is 2^53 - 1, the largest number on the wire.

CREATE TABLE center (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    currency TEXT NOT NULL CHECK (length(currency) = 3)
) STRICT;

CREATE TABLE vendors (
    number INTEGER PRIMARY KEY CHECK (number BETWEEN 1 AND 4294967295),
    id TEXT NOT NULL UNIQUE CHECK (json_valid(id)),
    origin TEXT NOT NULL,
    secrets BLOB NOT NULL,
    at INTEGER NOT NULL CHECK (at BETWEEN 0 AND 9007199254740991)
) STRICT;

CREATE TABLE campaigns (
    number INTEGER PRIMARY KEY CHECK (number BETWEEN 1 AND 4294967295),
    vendor INTEGER NOT NULL REFERENCES vendors,
    item TEXT NOT NULL,
    budget INTEGER NOT NULL CHECK (budget BETWEEN 0 AND 9007199254740991),
    funded INTEGER NOT NULL CHECK (funded BETWEEN 0 AND 9007199254740991),
    asked INTEGER NOT NULL CHECK (asked BETWEEN 0 AND 9007199254740991),
    UNIQUE (vendor, item)
) STRICT;

-- All accounts but the purses', whose balance is `purses.live_value`.
CREATE TABLE accounts (
    kind TEXT NOT NULL CHECK (kind IN ('reserve', 'vendor', 'campaign', 'transit', 'fees', 'payouts')),
    number INTEGER NOT NULL CHECK (number BETWEEN 0 AND 4294967295),
    balance INTEGER NOT NULL CHECK (balance >= 0 OR kind = 'reserve'),
    PRIMARY KEY (kind, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE purses (
    customer INTEGER PRIMARY KEY CHECK (customer BETWEEN 1 AND 9007199254740991),
    customer_secret_id INTEGER NOT NULL CHECK (customer_secret_id BETWEEN 0 AND 4294967295),
    live_algorithm TEXT NOT NULL CHECK (live_algorithm IN ('hmac-sha256', 'sha256')),
    live_secret_id INTEGER NOT NULL CHECK (live_secret_id BETWEEN 0 AND 4294967295),
    live_serial INTEGER NOT NULL CHECK (live_serial BETWEEN 0 AND 9007199254740991),
    live_value INTEGER NOT NULL CHECK (live_value BETWEEN 0 AND 9007199254740991),
    live_ad TEXT,
    live_expires INTEGER NOT NULL CHECK (live_expires BETWEEN 0 AND 9007199254740991),
    pending_vendor INTEGER,
    pending_tran BLOB,
    CHECK ((pending_vendor IS NULL) = (pending_tran IS NULL)),
    FOREIGN KEY (pending_vendor, pending_tran) REFERENCES steps
) STRICT;

CREATE TRIGGER purses_go_forward BEFORE UPDATE ON purses WHEN NEW.live_serial < OLD.live_serial
BEGIN
    SELECT RAISE(ABORT, 'a purse''s serial never goes back');
END;

-- Sellers number their steps by time, so the last page of this table takes almost every new row.
CREATE TABLE steps (
    vendor INTEGER NOT NULL CHECK (vendor BETWEEN 0 AND 4294967295),
    tran_id BLOB NOT NULL CHECK (length(tran_id) = 16),
    kind TEXT NOT NULL CHECK (kind IN ('issue', 'payment', 'cash-out')),
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
    state TEXT NOT NULL CHECK (state IN ('pending', 'posted', 'voided')),
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

-- A serial is spent once.
CREATE UNIQUE INDEX steps_spent ON steps (customer, old_serial) WHERE new_serial <> old_serial;
CREATE INDEX steps_pending ON steps (started) WHERE state = 'pending';

CREATE TRIGGER steps_end_once BEFORE UPDATE ON steps WHEN OLD.state <> 'pending'
BEGIN
    SELECT RAISE(ABORT, 'a step that has ended never changes');
END;
CREATE TRIGGER steps_stay BEFORE DELETE ON steps
BEGIN
    SELECT RAISE(ABORT, 'a step is never deleted');
END;

CREATE TABLE registrations (
    customer INTEGER PRIMARY KEY REFERENCES purses,
    wallet BLOB NOT NULL UNIQUE CHECK (length(wallet) = 16),
    digest BLOB NOT NULL CHECK (length(digest) = 32),
    nonce BLOB NOT NULL CHECK (length(nonce) = 12),
    first_algorithm TEXT NOT NULL CHECK (first_algorithm IN ('hmac-sha256', 'sha256')),
    first_secret_id INTEGER NOT NULL CHECK (first_secret_id BETWEEN 0 AND 4294967295),
    first_serial INTEGER NOT NULL CHECK (first_serial BETWEEN 0 AND 9007199254740991),
    first_value INTEGER NOT NULL CHECK (first_value = 0),
    first_ad TEXT CHECK (first_ad IS NULL),
    first_expires INTEGER NOT NULL CHECK (first_expires BETWEEN 0 AND 9007199254740991),
    wallet_key BLOB NOT NULL CHECK (length(wallet_key) = 32),
    name TEXT,
    address TEXT,
    e_mail TEXT,
    at INTEGER NOT NULL CHECK (at BETWEEN 0 AND 9007199254740991)
) STRICT;

CREATE TABLE payouts (
    number INTEGER PRIMARY KEY CHECK (number BETWEEN 1 AND 9007199254740991),
    step_vendor INTEGER NOT NULL,
    step_tran BLOB NOT NULL,
    customer INTEGER NOT NULL REFERENCES purses,
    amount INTEGER NOT NULL CHECK (amount BETWEEN 0 AND 9007199254740991),
    fee INTEGER NOT NULL CHECK (fee BETWEEN 0 AND 9007199254740991),
    destination TEXT NOT NULL,
    ordered INTEGER NOT NULL CHECK (ordered BETWEEN 0 AND 9007199254740991),
    state TEXT NOT NULL CHECK (state IN ('ordered', 'confirmed', 'returned')),
    ended INTEGER CHECK (ended BETWEEN 0 AND 9007199254740991),
    note TEXT,
    UNIQUE (step_vendor, step_tran),
    FOREIGN KEY (step_vendor, step_tran) REFERENCES steps,
    CHECK ((state = 'ordered') = (ended IS NULL)),
    CHECK ((state = 'ordered') = (note IS NULL))
) STRICT;

CREATE INDEX payouts_open ON payouts (number) WHERE state = 'ordered';

CREATE TRIGGER payouts_end_once BEFORE UPDATE ON payouts WHEN OLD.state <> 'ordered'
BEGIN
    SELECT RAISE(ABORT, 'a payout order that has ended never changes');
END;

-- Real money that a seller brought or took, each once by the operator's own reference.
CREATE TABLE movements (
    reference TEXT NOT NULL PRIMARY KEY CHECK (reference <> ''),
    vendor INTEGER NOT NULL REFERENCES vendors,
    direction TEXT NOT NULL CHECK (direction IN ('deposit', 'withdrawal')),
    amount INTEGER NOT NULL CHECK (amount BETWEEN 1 AND 9007199254740991),
    at INTEGER NOT NULL CHECK (at BETWEEN 0 AND 9007199254740991)
) STRICT;

CREATE TRIGGER movements_are_final BEFORE UPDATE ON movements
BEGIN
    SELECT RAISE(ABORT, 'a movement never changes');
END;
CREATE TRIGGER movements_stay BEFORE DELETE ON movements
BEGIN
    SELECT RAISE(ABORT, 'a movement is never deleted');
END;

CREATE TABLE transfers (
    number INTEGER PRIMARY KEY,
    debit_kind TEXT NOT NULL
        CHECK (debit_kind IN ('reserve', 'purse', 'vendor', 'campaign', 'transit', 'fees', 'payouts')),
    debit_number INTEGER NOT NULL CHECK (debit_number BETWEEN 0 AND 9007199254740991),
    credit_kind TEXT NOT NULL
        CHECK (credit_kind IN ('reserve', 'purse', 'vendor', 'campaign', 'transit', 'fees', 'payouts')),
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

-- Money moves once for each reason.
CREATE UNIQUE INDEX transfers_of_steps ON transfers (step_vendor, step_tran, posting)
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

-- Solved challenges, until they expire.
CREATE TABLE salts (
    salt BLOB PRIMARY KEY CHECK (length(salt) = 16),
    ends INTEGER NOT NULL CHECK (ends BETWEEN 0 AND 9007199254740991)
) STRICT, WITHOUT ROWID;

CREATE INDEX salts_end ON salts (ends);
