//! Changes over records that stay as they were loaded, with a log to take a refused command's changes back.

use std::collections::BTreeMap;

/// What was put over some base, by key.
#[derive(Debug, Clone)]
pub(super) struct Overlay<K, V> {
    changed: BTreeMap<K, V>,
    /// What each put since the last savepoint replaced in `changed`.
    undo: Vec<(K, Option<V>)>,
}

impl<K: Ord + Clone, V> Overlay<K, V> {
    pub fn put(&mut self, key: K, value: V) {
        let replaced = self.changed.insert(key.clone(), value);
        self.undo.push((key, replaced));
    }

    /// The value of `key`: what was put last, or what `base` has.
    pub fn find<'a>(&'a self, key: &K, base: &'a BTreeMap<K, V>) -> Option<&'a V> {
        self.changed.get(key).or_else(|| base.get(key))
    }

    pub fn changed(&self) -> impl DoubleEndedIterator<Item = (&K, &V)> {
        self.changed.iter()
    }

    /// The value of `key` at the last savepoint.
    pub fn before<'a>(&'a self, key: &K, base: &'a BTreeMap<K, V>) -> Option<&'a V> {
        match self.undo.iter().find(|(put, _)| put == key) {
            Some((_, replaced)) => replaced.as_ref().or_else(|| base.get(key)),
            None => self.find(key, base),
        }
    }

    /// The keys that were put since the savepoint, in order, some more than once.
    pub fn touched(&self) -> impl Iterator<Item = &K> {
        self.undo.iter().map(|(key, _)| key)
    }

    /// Makes the changes so far final.
    pub fn savepoint(&mut self) {
        self.undo.clear();
    }

    /// Takes every change since the last savepoint back.
    pub fn rollback(&mut self) {
        while let Some((key, replaced)) = self.undo.pop() {
            match replaced {
                Some(value) => self.changed.insert(key, value),
                None => self.changed.remove(&key),
            };
        }
    }

    pub fn into_changed(self) -> BTreeMap<K, V> {
        self.changed
    }
}

impl<K, V> Default for Overlay<K, V> {
    fn default() -> Self {
        Overlay { changed: BTreeMap::new(), undo: Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rollback_goes_back_to_the_savepoint_and_no_further() {
        let base = BTreeMap::from([(1, 'a')]);
        let mut overlay = Overlay::default();
        overlay.put(1, 'b');
        overlay.savepoint();
        overlay.put(1, 'c');
        overlay.put(1, 'd');
        overlay.put(2, 'e');
        overlay.rollback();
        assert_eq!(overlay.find(&1, &base), Some(&'b'));
        assert_eq!(overlay.find(&2, &base), None);
        assert_eq!(overlay.into_changed(), BTreeMap::from([(1, 'b')]));
    }
}
