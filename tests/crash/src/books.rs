//! What the center's database says, read beside the center, against what the readers' wallets say.

use anyhow::{Result, ensure};
use rusqlite::{Connection, OpenFlags};

use crate::reader::Purse;
use crate::stand::Stand;

/// Checks that the books balance, that nothing is under way, and that each purse is just what its wallet says.
pub fn agree(stand: &Stand, mut wallets: Vec<Purse>) -> Result<()> {
    stand.operate(&["audit"])?;
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let database = Connection::open_with_flags(stand.database(), flags)?;
    let pending: i64 =
        database.query_row("SELECT count(*) FROM steps WHERE state = 'pending'", [], |row| row.get(0))?;
    ensure!(pending == 0, "{pending} transactions are under way, and no wallet knows");
    let sql = "SELECT live_value, \
        (SELECT count(*) FROM steps WHERE steps.customer = purses.customer AND kind = 'issue' AND state = 'posted'), \
        (SELECT count(*) FROM steps WHERE steps.customer = purses.customer AND kind = 'payment' AND state = 'posted') \
        FROM purses";
    let mut statement = database.prepare(sql)?;
    let purses = statement.query_map([], |row| {
        let (earned, paid): (u64, u64) = (row.get(1)?, row.get(2)?);
        Ok(Purse { value: row.get(0)?, earned: earned as usize, paid: paid as usize })
    })?;
    let mut purses = purses.collect::<Result<Vec<_>, _>>()?;
    purses.sort();
    wallets.sort();
    ensure!(purses == wallets, "the books have {purses:?}\nthe wallets say {wallets:?}");
    Ok(())
}
