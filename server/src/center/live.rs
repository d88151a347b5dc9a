//! The center's rules as they are now: key rings gain secrets while the program runs (T24).

use std::sync::Arc;

use arc_swap::ArcSwap;
use tuppence_protocol::scrip::center::{Center, CenterKeys};

/// The rules that apply now. Clones see the same change.
#[derive(Debug, Clone)]
pub struct LiveCenter(Arc<ArcSwap<Center>>);

impl From<Center> for LiveCenter {
    fn from(center: Center) -> Self {
        LiveCenter(Arc::new(ArcSwap::from_pointee(center)))
    }
}

impl LiveCenter {
    /// The rules now; whoever works by them goes on with them, whatever is rotated meanwhile.
    pub fn current(&self) -> Arc<Center> {
        self.0.load_full()
    }

    /// New things are made with the newest secrets of `keys` from now on. What was made before stays good: a ring
    /// only ever gains secrets here.
    ///
    /// # Errors
    /// [`RingsDiffer`], and nothing changes.
    pub fn rotate(&self, keys: &CenterKeys) -> Result<(), RingsDiffer> {
        let known = self.current();
        if keys.center_id != known.keys.center_id {
            return Err(RingsDiffer("they are another center's"));
        }
        let rings = [
            (&keys.scrip_secrets, &known.keys.scrip_secrets),
            (&keys.customer_secrets, &known.keys.customer_secrets),
            (&keys.vendor_secrets, &known.keys.vendor_secrets),
        ];
        if !rings.into_iter().all(|(new, old)| new.extends(old)) {
            return Err(RingsDiffer("a secret that is in use is missing or another one"));
        }
        let mut center = Center::clone(&known);
        center.keys.scrip_secrets = keys.scrip_secrets.clone();
        center.keys.customer_secrets = keys.customer_secrets.clone();
        center.keys.vendor_secrets = keys.vendor_secrets.clone();
        self.0.store(Arc::new(center));
        Ok(())
    }
}

/// The keys cannot be taken over by a running center.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct RingsDiffer(&'static str);
