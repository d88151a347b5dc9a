//! The storefront in this process.

use std::fs::File;
use std::sync::Arc;

use tuppence_server::clock::SystemClock;
use tuppence_server::http::client;
use tuppence_server::http::site::Site;
use tuppence_server::http::stopping::Stopping;
use tuppence_server::http::storefront::{self, StorefrontApi};
use tuppence_server::storefront::catalogue::fields::Prices;
use tuppence_server::storefront::credentials::Credentials;
use tuppence_server::storefront::{self as shop, Storefront, sample};

use super::center::Center;
use crate::data::DataFolder;
use crate::failure::Failure;
use crate::output;
use crate::settings::Settings;

/// A storefront that runs; it ends when this is dropped.
pub struct Shop {
    shop: Arc<Storefront>,
    _running: shop::Running,
    _lock: File,
}

impl Shop {
    /// Opens the shop. `center` is the one of this process, if there is one; the shop speaks to it over HTTP all the
    /// same.
    ///
    /// # Errors
    /// If something cannot be opened.
    pub fn open(settings: &Settings, data: &DataFolder, center: Option<&Center>) -> Result<Self, Failure> {
        let lock = data.lock("storefront")?;
        let path = settings.credentials.clone().unwrap_or_else(|| data.credentials());
        let credentials = Credentials::load(&path).map_err(|error| {
            Failure::new(format!("The shop's credentials {} cannot be read: {error}", path.display())).hint(
                "The operator of the center makes them with `tuppence vendors add`; name the file with --credentials.",
            )
        })?;
        let wallet_origin = settings.center_origin()?.text;
        let center_origin = match (&settings.center_url, center) {
            (Some(url), _) => url.trim_end_matches('/').to_owned(),
            (None, Some(center)) => center.reached_at.clone(),
            (None, None) => wallet_origin.clone(),
        };
        let upstream = upstream(settings, data)?;
        let (content, campaigns) = folders(settings, data, upstream.is_some())?;
        let http = client::client(shop::ANSWER_TIME_MAX).map_err(Failure::new)?;
        let settings = shop::Settings {
            database: data.shop_database(),
            content,
            upstream,
            campaigns,
            credentials,
            origin: settings.storefront_origin()?.text,
            center_origin,
            wallet_origin,
            title: settings.shop_name()?,
            description: settings.shop_description()?,
            prices: Prices { currency: settings.currency(), default: settings.default_price()? },
            hold: shop::HOLD,
            held_max: shop::HELD_MAX,
            till: settings.till()?,
        };
        let shop = Storefront::open(settings, Arc::new(SystemClock), http).map_err(Failure::new)?;
        let running = shop.start();
        Ok(Shop { shop, _running: running, _lock: lock })
    }

    /// Its origin.
    pub fn site(&self, stopping: Stopping) -> Site {
        storefront::site(StorefrontApi::new(self.shop.clone(), stopping))
    }
}

/// The site that the shop stands in front of, if it does.
fn upstream(settings: &Settings, data: &DataFolder) -> Result<Option<shop::upstream::Settings>, Failure> {
    let Some((site, rules)) = settings.site(data)? else { return Ok(None) };
    if !rules.is_file() {
        return Err(Failure::new(format!("There are no rules at {}", rules.display())).hint(
            "They say which pages of the site are sold; docs/publishing.md shows some. Name the file with --upstream-rules.",
        ));
    }
    let http = client::passing_through().map_err(Failure::new)?;
    Ok(Some(shop::upstream::Settings { address: site.text, rules, http }))
}

/// The folders of articles and campaigns. Where the publisher has named none and there are none yet, the sample's
/// are written; its campaigns also for a shop that sells another site's pages, so that there is something to earn.
fn folders(
    settings: &Settings,
    data: &DataFolder,
    in_front: bool,
) -> Result<(std::path::PathBuf, std::path::PathBuf), Failure> {
    let content = settings.content.clone().unwrap_or_else(|| data.content());
    let campaigns = settings.campaigns.clone().unwrap_or_else(|| data.campaigns());
    if settings.content.is_none() && settings.campaigns.is_none() && !content.exists() {
        let cannot = |what, folder: &std::path::Path| {
            let folder = folder.display().to_string();
            move |error| Failure::new(format!("The sample {what} cannot be written to {folder}: {error}"))
        };
        sample::write_campaigns(&campaigns).map_err(cannot("campaigns", &campaigns))?;
        if !in_front {
            sample::write_articles(&content).map_err(cannot("articles", &content))?;
            output::line(format!(
                "Sample articles are in {}; changes there show at once.",
                content.display()
            ));
        }
    }
    Ok((content, campaigns))
}
