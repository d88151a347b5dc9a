-- Version 4: budgets (spec 03). What a payment to the center itself has paid for is held for one shop.

CREATE TABLE reservations (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 32),
    step_vendor INTEGER NOT NULL CHECK (step_vendor = 0),
    step_tran BLOB NOT NULL,
    vendor INTEGER NOT NULL REFERENCES vendors,
    customer INTEGER NOT NULL REFERENCES purses,
    customer_secret_id INTEGER NOT NULL CHECK (customer_secret_id BETWEEN 0 AND 4294967295),
    value INTEGER NOT NULL CHECK (value BETWEEN 1 AND 9007199254740991),
    unit INTEGER NOT NULL CHECK (unit BETWEEN 1 AND 9007199254740991),
    units INTEGER NOT NULL CHECK (units BETWEEN 1 AND 1048576),
    fee_basis_points INTEGER NOT NULL CHECK (fee_basis_points BETWEEN 0 AND 65535),
    due INTEGER NOT NULL CHECK (due BETWEEN 0 AND 9007199254740991),
    countersigned TEXT NOT NULL CHECK (json_valid(countersigned)),
    funded INTEGER NOT NULL CHECK (funded IN (0, 1)),
    paid_index INTEGER NOT NULL CHECK (paid_index BETWEEN 0 AND units),
    paid_payword BLOB NOT NULL CHECK (length(paid_payword) = 32),
    closed INTEGER CHECK (closed BETWEEN 0 AND 9007199254740991),
    UNIQUE (step_vendor, step_tran),
    FOREIGN KEY (step_vendor, step_tran) REFERENCES steps,
    CHECK (value = unit * units),
    CHECK (funded = 1 OR paid_index = 0)
) STRICT, WITHOUT ROWID;

CREATE INDEX reservations_due ON reservations (due) WHERE funded = 1 AND closed IS NULL;

CREATE TRIGGER reservations_go_forward BEFORE UPDATE ON reservations
    WHEN OLD.closed IS NOT NULL OR NEW.paid_index < OLD.paid_index OR NEW.funded < OLD.funded
BEGIN
    SELECT RAISE(ABORT, 'a reservation only goes forward, until it is closed');
END;
CREATE TRIGGER reservations_stay BEFORE DELETE ON reservations
BEGIN
    SELECT RAISE(ABORT, 'a reservation is never deleted');
END;

-- The same tables with one more kind of account.
CREATE TABLE accounts_with_reservations (
    kind TEXT NOT NULL
        CHECK (kind IN ('reserve', 'vendor', 'campaign', 'transit', 'fees', 'payouts', 'reservations')),
    number INTEGER NOT NULL CHECK (number BETWEEN 0 AND 4294967295),
    balance INTEGER NOT NULL CHECK (balance >= 0 OR kind = 'reserve'),
    PRIMARY KEY (kind, number)
) STRICT, WITHOUT ROWID;
INSERT INTO accounts_with_reservations SELECT * FROM accounts;
DROP TABLE accounts;
ALTER TABLE accounts_with_reservations RENAME TO accounts;

CREATE TABLE transfers_with_reservations (
    number INTEGER PRIMARY KEY,
    debit_kind TEXT NOT NULL CHECK (debit_kind IN
        ('reserve', 'purse', 'vendor', 'campaign', 'transit', 'fees', 'payouts', 'reservations')),
    debit_number INTEGER NOT NULL CHECK (debit_number BETWEEN 0 AND 9007199254740991),
    credit_kind TEXT NOT NULL CHECK (credit_kind IN
        ('reserve', 'purse', 'vendor', 'campaign', 'transit', 'fees', 'payouts', 'reservations')),
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
INSERT INTO transfers_with_reservations SELECT * FROM transfers;
DROP TABLE transfers;
ALTER TABLE transfers_with_reservations RENAME TO transfers;

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
    WHEN NEW.posting IN ('redeem', 'redeem-fee', 'release')
BEGIN
    SELECT RAISE(ABORT, 'a budget gives out no more than its sum')
    WHERE NEW.amount + coalesce(
        (SELECT sum(amount) FROM transfers WHERE step_vendor = NEW.step_vendor AND step_tran = NEW.step_tran
            AND posting IN ('redeem', 'redeem-fee', 'release')), 0)
        > coalesce((SELECT value FROM reservations
            WHERE step_vendor = NEW.step_vendor AND step_tran = NEW.step_tran AND funded = 1), 0);
END;
