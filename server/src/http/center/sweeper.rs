//! What the center does by itself: it ends steps that nobody ended (spec/01, rule 5), returns what is left of budgets
//! and vendor scrip whose time is over (spec/02, spec/03), and counts.

use std::time::Duration;

use actix_web::web::Data;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;
use tuppence_protocol::Timestamp;

use super::CenterApi;
use crate::center::{CenterRules, Command, Reply};
use crate::store::committer::{CommitError, Handle};

/// How often it looks for steps to end. A seller's relay shows an overdue step as open until it is swept, so this is
/// also how long that seller and its reader may wait beyond the step's time: a few seconds, no more.
const INTERVAL: Duration = Duration::from_secs(3);

/// The most steps that are ended at once; where there are more, the next look follows at once.
const STEPS_MAX: usize = 1_000;

/// Ends what has waited too long, until the program stops.
pub async fn sweep(api: Data<CenterApi>) {
    loop {
        let pause = match sweep_once(&api).await {
            Ok(ended) if ended >= STEPS_MAX => Duration::ZERO,
            Ok(_) => INTERVAL,
            Err(error) => {
                tracing::warn!(%error, "steps that have waited too long could not be ended; the next look follows");
                INTERVAL
            }
        };
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = api.stopping.wait() => return,
        }
    }
}

/// Ends the oldest of each, and says how many of the most numerous.
async fn sweep_once(api: &CenterApi) -> Result<usize, CommitError> {
    let pending = api.center.current().policy.pending.as_millis();
    let before = Timestamp::from_millis(api.now().as_millis().saturating_sub(pending));
    let steps = api.committer.read(move |store| store.pending_steps(before, STEPS_MAX)).await?;
    let Reply::Swept(ended) = api.committer.submit(Command::Sweep(steps)).await? else {
        return Err(CommitError::Fault);
    };
    let now = api.now();
    let due = api.committer.read(move |store| store.due_reservations(now, STEPS_MAX)).await?;
    let mut most = ended;
    if !due.is_empty() {
        most = most.max(released(api, Command::Release(due)).await?);
    }
    let due = api.committer.read(move |store| store.due_sales(now, STEPS_MAX)).await?;
    if !due.is_empty() {
        most = most.max(released(api, Command::CloseSales(due)).await?);
    }
    Ok(most)
}

async fn released(api: &CenterApi, command: Command) -> Result<usize, CommitError> {
    match api.committer.submit(command).await? {
        Reply::Released(released) => Ok(released),
        _ => Err(CommitError::Fault),
    }
}

/// Adds the committer's counts to the metrics.
pub(super) fn register(registry: &mut Registry, committer: Handle<CenterRules>) {
    registry.register_collector(Box::new(Committed(committer)));
}

#[derive(Debug)]
struct Committed(Handle<CenterRules>);

impl Collector for Committed {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let measured = self.0.meter().read();
        for (name, help, count) in [
            ("committer_batches", "Batches that were committed", measured.batches),
            ("committer_commands", "Commands that were answered", measured.commands),
            ("committer_failures", "Batches that the store did not take", measured.failures),
            ("committer_commit_microseconds", "Time in commits", measured.commit_micros),
        ] {
            let counter = ConstCounter::new(count);
            counter.encode(encoder.encode_descriptor(name, help, None, counter.metric_type())?)?;
        }
        let held = ConstGauge::new(i64::try_from(self.0.ended().waiting()).unwrap_or(i64::MAX));
        held.encode(encoder.encode_descriptor(
            "relays_held",
            "Requests held open",
            None,
            held.metric_type(),
        )?)
    }
}
