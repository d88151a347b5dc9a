//! What a person does at a browser: looks, clicks, writes, presses keys. Everything waits until it can be done.

use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use serde_json::json;
use thirtyfour::{Key, TypingData, WebElement};

use crate::browser::Browser;
use crate::target::Target;
use crate::wait::{Seen, until};

/// How much of a page's text a failure shows, in characters.
const SHOWN_CHARACTERS: usize = 600;

/// More focusable things than any page has.
const TABS_MAX: usize = 80;

impl Browser {
    /// Waits until the address begins so.
    ///
    /// # Errors
    /// When patience is over.
    pub async fn arrives_at(&self, start: &str) -> Result<()> {
        until(&format!("the address {start}..."), async || {
            let address = self.address().await?;
            Ok(match address.starts_with(start) {
                true => Seen::Ready(()),
                false => Seen::NotYet(format!("{address}: {}", self.text().await)),
            })
        })
        .await
    }

    /// Waits until the target is visible, and gives it (the first, where there are several).
    ///
    /// # Errors
    /// When patience is over.
    pub async fn see(&self, target: &Target) -> Result<WebElement> {
        until(&target.to_string(), async || {
            Ok(match self.locate(target).await {
                Ok(found) if !found.is_empty() => Seen::Ready(found.into_iter().next().context("one")?),
                _ => Seen::NotYet(self.glance().await),
            })
        })
        .await
    }

    /// Waits until the target is nowhere to be seen.
    ///
    /// # Errors
    /// When patience is over.
    pub async fn gone(&self, target: &Target) -> Result<()> {
        until(&format!("the end of {target}"), async || {
            Ok(match self.locate(target).await {
                Ok(found) if found.is_empty() => Seen::Ready(()),
                _ => Seen::NotYet(self.glance().await),
            })
        })
        .await
    }

    /// How many of the target are visible now.
    ///
    /// # Errors
    /// If its driver doesn't answer.
    pub async fn count(&self, target: &Target) -> Result<usize> {
        Ok(self.locate(target).await?.len())
    }

    /// Waits until the target can be clicked, and clicks it.
    ///
    /// # Errors
    /// When patience is over.
    pub async fn click(&self, target: &Target) -> Result<()> {
        until(&format!("a click on {target}"), async || {
            Ok(match self.try_click(target).await {
                Ok(true) => Seen::Ready(()),
                Ok(false) => Seen::NotYet(format!("not there, or disabled: {}", self.glance().await)),
                Err(error) => Seen::NotYet(format!("{error:#}: {}", self.glance().await)),
            })
        })
        .await
    }

    /// Clicks the target twice in a row.
    ///
    /// # Errors
    /// When patience is over.
    pub async fn double_click(&self, target: &Target) -> Result<()> {
        let element = self.ready(target).await?;
        let chain = self.driver()?.action_chain().double_click_element(&element);
        chain.perform().await.with_context(|| format!("double-clicking {target}"))
    }

    /// Has the page click the target itself at a time (milliseconds since the Unix epoch), whatever tab the person
    /// looks at by then.
    ///
    /// # Errors
    /// When patience is over.
    pub async fn click_at(&self, target: &Target, time_ms: u128) -> Result<()> {
        let element = self.ready(target).await?;
        let script =
            "const [element, time] = arguments; setTimeout(() => element.click(), time - Date.now())";
        self.run(script, vec![element.to_json()?, json!(time_ms)]).await.map(drop)
    }

    /// Writes into a field, in place of what it holds.
    ///
    /// # Errors
    /// When patience is over.
    pub async fn fill(&self, target: &Target, text: &str) -> Result<()> {
        let field = self.see(target).await?;
        field.clear().await.with_context(|| format!("emptying {target}"))?;
        field.send_keys(text).await.with_context(|| format!("writing into {target}"))
    }

    /// Chooses a file in a file field.
    ///
    /// # Errors
    /// When patience is over.
    pub async fn choose_file(&self, target: &Target, path: &Path) -> Result<()> {
        let field = self.see(target).await?;
        let path = path.to_str().context("a path in UTF-8")?;
        field.send_keys(path).await.with_context(|| format!("choosing {path} in {target}"))
    }

    /// Presses keys, as [`thirtyfour::Key`] names them or as text, wherever the focus is.
    ///
    /// # Errors
    /// If its driver doesn't answer.
    pub async fn press(&self, keys: impl Into<TypingData>) -> Result<()> {
        self.driver()?.action_chain().send_keys(keys).perform().await.context("pressing keys")
    }

    /// Presses Tab until the target has the focus.
    ///
    /// # Errors
    /// If it never gets it.
    pub async fn tab_to(&self, target: &Target) -> Result<()> {
        self.ready(target).await?;
        for _ in 0..TABS_MAX {
            for element in self.locate(target).await? {
                let script = "return document.activeElement === arguments[0]";
                if self.script(script, vec![element.to_json()?]).await? {
                    return Ok(());
                }
            }
            self.press(Key::Tab).await?;
        }
        bail!("pressed Tab {TABS_MAX} times, and {target} has no focus: {}", self.glance().await)
    }

    /// Waits until the page shows this text.
    ///
    /// # Errors
    /// When patience is over.
    pub async fn says(&self, text: &str) -> Result<()> {
        until(&format!("the text \"{text}\""), async || {
            let shown = self.text().await;
            Ok(match shown.to_lowercase().contains(&text.to_lowercase()) {
                true => Seen::Ready(()),
                false => Seen::NotYet(self.glance().await),
            })
        })
        .await
    }

    /// The visible text of the page, with single spaces; empty while there is no page.
    pub async fn text(&self) -> String {
        self.script(include_str!("text.js"), Vec::new()).await.unwrap_or_default()
    }

    /// The visible text of the target.
    ///
    /// # Errors
    /// When patience is over.
    pub async fn text_of(&self, target: &Target) -> Result<String> {
        until(&target.to_string(), async || {
            let Some(element) = self.locate(target).await.ok().and_then(|found| found.into_iter().next())
            else {
                return Ok(Seen::NotYet(self.glance().await));
            };
            Ok(match element.text().await {
                Ok(text) => Seen::Ready(text),
                Err(error) => Seen::NotYet(error.to_string()),
            })
        })
        .await
    }

    /// Waits until the target shows exactly this text.
    ///
    /// # Errors
    /// When patience is over.
    pub async fn shows(&self, target: &Target, text: &str) -> Result<()> {
        until(&format!("{target} to show \"{text}\""), async || {
            let shown = match self.locate(target).await.ok().and_then(|found| found.into_iter().next()) {
                Some(element) => element.text().await.unwrap_or_default(),
                None => return Ok(Seen::NotYet(self.glance().await)),
            };
            Ok(if shown == text { Seen::Ready(()) } else { Seen::NotYet(shown) })
        })
        .await
    }

    /// Asserts that nothing has to be scrolled sideways.
    ///
    /// # Errors
    /// With the widest elements, if something has.
    pub async fn fits_its_width(&self) -> Result<()> {
        let wide: Vec<String> = self.script(include_str!("too_wide.js"), Vec::new()).await?;
        ensure!(wide.is_empty(), "{} scrolls sideways: {wide:?}", self.address().await?);
        Ok(())
    }

    /// Where it is and what it shows, shortened.
    pub async fn glance(&self) -> String {
        let text: String = self.text().await.chars().take(SHOWN_CHARACTERS).collect();
        let address = self.address().await.unwrap_or_default();
        format!("{address}: {text}")
    }

    /// Waits until the target is there and not disabled.
    async fn ready(&self, target: &Target) -> Result<WebElement> {
        until(&format!("{target} to be ready"), async || {
            Ok(match self.locate(target).await.ok().and_then(|found| found.into_iter().next()) {
                Some(element) if self.is_free(&element).await.unwrap_or(false) => Seen::Ready(element),
                _ => Seen::NotYet(self.glance().await),
            })
        })
        .await
    }

    async fn locate(&self, target: &Target) -> Result<Vec<WebElement>> {
        let arguments = vec![json!(target.role()), json!(target.name()), json!(target.is_exact())];
        Ok(self.run(include_str!("locate.js"), arguments).await?.elements()?)
    }

    async fn try_click(&self, target: &Target) -> Result<bool> {
        let Some(element) = self.locate(target).await?.into_iter().next() else { return Ok(false) };
        // A radio button may be drawn by its label. What lies under the navigation is scrolled out from there.
        let script = "const [element] = arguments;
                      const drawn = (element.matches('input') && element.labels?.[0]) || element;
                      drawn.scrollIntoView({ block: 'center', behavior: 'instant' });
                      return drawn";
        let drawn = self.run(script, vec![element.to_json()?]).await?.element()?;
        // Only once it is seen: some buttons wait for that.
        if !self.is_free(&element).await? {
            return Ok(false);
        }
        drawn.click().await?;
        Ok(true)
    }

    async fn is_free(&self, element: &WebElement) -> Result<bool> {
        let script = "return !arguments[0].matches(':disabled, [aria-disabled=true]')";
        self.script(script, vec![element.to_json()?]).await
    }
}
