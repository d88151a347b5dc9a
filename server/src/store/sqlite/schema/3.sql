-- Version 3: recovery. Encrypted notes that a wallet keeps with its purse; only the wallet can read them.

CREATE TABLE notes (
    customer INTEGER PRIMARY KEY REFERENCES purses,
    version INTEGER NOT NULL CHECK (version BETWEEN 1 AND 9007199254740991),
    sealed BLOB NOT NULL CHECK (length(sealed) <= 32768),
    at INTEGER NOT NULL CHECK (at BETWEEN 0 AND 9007199254740991)
) STRICT;

CREATE TRIGGER notes_go_forward BEFORE UPDATE ON notes WHEN NEW.version <> OLD.version + 1
BEGIN
    SELECT RAISE(ABORT, 'notes follow one another');
END;
