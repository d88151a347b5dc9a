//! What is under way: the sum, the reason and the end of it.

use leptos::prelude::*;
use leptos::task::spawn_local;
use tuppence_wallet::WalletError;
use tuppence_wallet::view::{OperationKind, PendingOperation, PendingStage};

use crate::components::{SumChange, Trouble};
use crate::dates;
use crate::errors;
use crate::locales::{Said, texts};
use crate::state::WalletState;
use crate::view::view;

/// The operations that are under way.
#[component]
pub fn PendingList(operations: Vec<PendingOperation>) -> impl IntoView {
    let state = WalletState::current();
    let failure = RwSignal::new(None::<WalletError>);
    let items = operations.into_iter().map(|operation| item(state, operation, failure)).collect::<Vec<_>>();
    view! {
        <ul class="stack">{items}</ul>
        {move || failure.get().map(|error| view! { <Trouble error=error/> })}
    }
}

fn item(state: WalletState, operation: PendingOperation, failure: RwSignal<Option<WalletError>>) -> AnyView {
    let texts = texts();
    let kind = match operation.kind {
        OperationKind::Register => texts.pending.register,
        OperationKind::Earn => texts.pending.earn,
        OperationKind::Pay => texts.pending.pay,
        OperationKind::CashOut => texts.pending.cash_out,
    };
    let stage = match operation.stage {
        PendingStage::Asking => texts.pending.asking,
        PendingStage::Moving => texts.pending.moving,
        PendingStage::Confirming => texts.pending.confirming,
        PendingStage::Cancelling => texts.pending.cancelling,
    };
    let end = operation.ends_by.map_or_else(
        || texts.pending.by_itself.to_owned(),
        |time| texts.pending.ends_by.with(&[&dates::said_time(time)]),
    );
    let problem = operation.problem.as_ref().map(errors::cause);
    let title = operation.title.clone().unwrap_or_default();
    let id = operation.id;
    let cancel = operation.cancellable.then(|| {
        view! {
            <button type="button" class="button" on:click=move |_| take_back(state, id.clone(), failure)>
                {texts.pending.cancel}
            </button>
        }
    });
    view! {
        <li class="notice">
            <p class="card__foot">
                <strong>{kind}</strong>
                {operation.change.map(|change| view! { <SumChange change=change/> })}
            </p>
            {(!title.is_empty()).then(|| view! { <p>{title}</p> })}
            <p class="soft">{format!("{stage} {end}")}</p>
            {problem.map(|cause| view! { <p class="soft">{cause}</p> })}
            {cancel}
        </li>
    }
}

fn take_back(state: WalletState, id: String, failure: RwSignal<Option<WalletError>>) {
    let Some(wallet) = state.wallet() else { return };
    spawn_local(async move {
        match wallet.cancel(&id).await {
            Ok(()) => failure.set(None),
            Err(error) => failure.set(Some(error)),
        }
        state.refresh().await;
    });
}
