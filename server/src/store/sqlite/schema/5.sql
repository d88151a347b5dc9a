-- Version 5: vendor scrip (spec 02). A shop licenses the center to make its scrip, and the center holds what was paid for it.

CREATE TABLE licences (
    vendor INTEGER NOT NULL REFERENCES vendors,
    number INTEGER NOT NULL CHECK (number BETWEEN 0 AND 4294967295),
    licensed BLOB NOT NULL,
    total INTEGER NOT NULL CHECK (total BETWEEN 1 AND 1000000),
    used INTEGER NOT NULL CHECK (used BETWEEN 0 AND total),
    PRIMARY KEY (vendor, number)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER licences_go_forward BEFORE UPDATE ON licences
    WHEN NEW.used < OLD.used OR NEW.licensed <> OLD.licensed OR NEW.total <> OLD.total
BEGIN
    SELECT RAISE(ABORT, 'a licence is only used up');
END;
CREATE TRIGGER licences_stay BEFORE DELETE ON licences
BEGIN
    SELECT RAISE(ABORT, 'a licence is never deleted');
END;

CREATE TABLE sales (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 32),
    step_vendor INTEGER NOT NULL CHECK (step_vendor = 0),
    step_tran BLOB NOT NULL,
    vendor INTEGER NOT NULL REFERENCES vendors,
    licence INTEGER NOT NULL,
    purchase_secret_id INTEGER NOT NULL CHECK (purchase_secret_id BETWEEN 0 AND 4294967295),
    purchase_serial INTEGER NOT NULL CHECK (purchase_serial BETWEEN 0 AND 9007199254740991),
    customer INTEGER NOT NULL REFERENCES purses,
    customer_secret_id INTEGER NOT NULL CHECK (customer_secret_id BETWEEN 0 AND 4294967295),
    value INTEGER NOT NULL CHECK (value BETWEEN 1 AND 9007199254740991),
    fee_basis_points INTEGER NOT NULL CHECK (fee_basis_points BETWEEN 0 AND 65535),
    due INTEGER NOT NULL CHECK (due BETWEEN 0 AND 9007199254740991),
    content TEXT NOT NULL CHECK (json_valid(content)),
    funded INTEGER NOT NULL CHECK (funded IN (0, 1)),
    redeemed INTEGER NOT NULL CHECK (redeemed BETWEEN 0 AND value),
    closed INTEGER CHECK (closed BETWEEN 0 AND 9007199254740991),
    UNIQUE (step_vendor, step_tran),
    UNIQUE (vendor, purchase_secret_id, purchase_serial),
    FOREIGN KEY (step_vendor, step_tran) REFERENCES steps,
    FOREIGN KEY (vendor, licence) REFERENCES licences,
    CHECK (funded = 1 OR redeemed = 0)
) STRICT, WITHOUT ROWID;

CREATE INDEX sales_due ON sales (due) WHERE funded = 1 AND closed IS NULL;

CREATE TRIGGER sales_go_forward BEFORE UPDATE ON sales
    WHEN OLD.closed IS NOT NULL OR NEW.redeemed < OLD.redeemed OR NEW.funded < OLD.funded
BEGIN
    SELECT RAISE(ABORT, 'a sale only goes forward, until it is closed');
END;
CREATE TRIGGER sales_stay BEFORE DELETE ON sales
BEGIN
    SELECT RAISE(ABORT, 'a sale is never deleted');
END;

DROP TRIGGER transfers_within_budgets;
CREATE TRIGGER transfers_within_budgets BEFORE INSERT ON transfers
    WHEN NEW.posting IN ('redeem', 'redeem-fee', 'release')
BEGIN
    SELECT RAISE(ABORT, 'a budget gives out no more than its sum')
    WHERE NEW.amount + coalesce(
        (SELECT sum(amount) FROM transfers WHERE step_vendor = NEW.step_vendor AND step_tran = NEW.step_tran
            AND posting IN ('redeem', 'redeem-fee', 'release')), 0)
        > coalesce(
            (SELECT value FROM reservations
                WHERE step_vendor = NEW.step_vendor AND step_tran = NEW.step_tran AND funded = 1),
            (SELECT value FROM sales
                WHERE step_vendor = NEW.step_vendor AND step_tran = NEW.step_tran AND funded = 1),
            0);
END;
