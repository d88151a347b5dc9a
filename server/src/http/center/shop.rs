//! What a seller asks of its center: campaigns (spec/01, rule 8).

use actix_web::Responder;
use actix_web::web::{Data, Path};
use tuppence_protocol::scrip::Item;
use tuppence_protocol::scrip::campaign::CampaignFunding;

use super::{CenterApi, fresh, unexpected};
use crate::center::{Command, Reply};
use crate::http::error::ApiError;
use crate::http::message::Message;

/// Sets a campaign's budget.
pub(super) async fn fund_campaign(
    api: Data<CenterApi>,
    Message(message): Message<CampaignFunding>,
) -> Result<impl Responder, ApiError> {
    campaign_state(&api, Command::FundCampaign(Box::new(message))).await
}

/// What is left of a campaign.
pub(super) async fn campaign(
    api: Data<CenterApi>,
    path: Path<(u32, Item)>,
) -> Result<impl Responder, ApiError> {
    let (vendor, item) = path.into_inner();
    campaign_state(&api, Command::CampaignState { vendor, item }).await
}

async fn campaign_state(api: &CenterApi, command: Command) -> Result<impl Responder + use<>, ApiError> {
    match api.submit(command).await? {
        Reply::Campaign(state) => Ok(fresh(state)),
        _ => Err(unexpected()),
    }
}
