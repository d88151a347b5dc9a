//! The program is stopping: who holds a request open lets it go.

use std::sync::Arc;

use tokio::sync::watch;

/// Tells everybody that the program stops. Dropping it tells them too.
#[derive(Debug)]
pub struct Stop(watch::Sender<bool>);

impl Stop {
    /// Tells them; once is enough.
    pub fn now(&self) {
        self.0.send_replace(true);
    }
}

/// Hears of it.
#[derive(Debug, Clone)]
pub struct Stopping(Arc<watch::Receiver<bool>>);

impl Stopping {
    /// Both ends.
    pub fn new() -> (Stop, Stopping) {
        let (sender, receiver) = watch::channel(false);
        (Stop(sender), Stopping(Arc::new(receiver)))
    }

    /// Ends when the program stops.
    pub async fn wait(&self) {
        let mut receiver = watch::Receiver::clone(&self.0);
        // An error is a sender that is gone, and the program with it.
        let _ = receiver.wait_for(|stopping| *stopping).await;
    }
}
