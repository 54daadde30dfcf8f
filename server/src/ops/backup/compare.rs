//! Whether two tables hold the same rows, in whatever order and on whichever engine.

use std::collections::HashMap;

use anyhow::Result;

use super::rows::{Cell, bytes_of};
use super::source::{Source, Table};
use super::target::Kinds;
use crate::crypto::sha256;

/// The hashes of all rows added up: in no order, and in no more memory than one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sum {
    pub rows: u64,
    hash: [u64; 4],
}

impl Sum {
    pub fn add(&mut self, row: &[Cell]) -> Result<()> {
        let hash = sha256(&bytes_of(row)?);
        for (own, part) in self.hash.iter_mut().zip(hash.chunks_exact(8)) {
            *own = own.wrapping_add(part.iter().fold(0, |all, byte| all << 8 | u64::from(*byte)));
        }
        self.rows += 1;
        Ok(())
    }
}

/// Of a table, its values as the columns of the target keep them.
pub async fn sum(source: &mut Source, table: &Table, kinds: &Kinds) -> Result<Sum> {
    let mut sum = Sum::default();
    source.each(table, |row| sum.add(&kinds.fit(row))).await?;
    Ok(sum)
}

/// How many rows are only in the first, and only in the second.
pub async fn differences(here: &mut Source, there: &mut Source, table: &Table, kinds: &Kinds) -> Result<(u64, u64)> {
    let mut seen: HashMap<[u8; 32], i64> = HashMap::new();
    here.each(table, |row| {
        *seen.entry(sha256(&bytes_of(&kinds.fit(row))?)).or_default() += 1;
        Ok(())
    })
    .await?;
    there
        .each(table, |row| {
            *seen.entry(sha256(&bytes_of(&row)?)).or_default() -= 1;
            Ok(())
        })
        .await?;
    let (mut only_here, mut only_there) = (0, 0);
    for count in seen.into_values() {
        only_here += count.max(0).unsigned_abs();
        only_there += count.min(0).unsigned_abs();
    }
    Ok((only_here, only_there))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(rows: &[&[Cell]]) -> Sum {
        let mut sum = Sum::default();
        rows.iter().for_each(|row| sum.add(row).expect("memory takes it"));
        sum
    }

    #[test]
    fn the_order_is_nothing_and_each_value_counts() {
        let (a, b) = ([Cell::Int(1), Cell::Text("x".into())], [Cell::Int(2), Cell::Null]);
        assert_eq!(sum(&[&a, &b]), sum(&[&b, &a]));
        assert_ne!(sum(&[&a, &a]), sum(&[&a, &b]));
        // The same values in other rows are other rows.
        let (c, d) = ([Cell::Int(1), Cell::Null], [Cell::Int(2), Cell::Text("x".into())]);
        assert_ne!(sum(&[&a, &b]), sum(&[&c, &d]));
    }
}
