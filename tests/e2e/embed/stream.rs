//! Sound on a publisher's page: some seconds at a time are paid while it plays.

use std::path::Path;

use anyhow::{Context, Result};
use tempfile::TempDir;
use tuppence_tests::emulation::Screen;
use tuppence_tests::program::Settings;
use tuppence_tests::publisher::{Host, Publisher};
use tuppence_tests::stage::{Failure, Stage, play};
use tuppence_tests::target::{button, choice};
use tuppence_tests::wait::{Seen, until};

use super::Visit;

/// Twenty seconds in five parts.
const WALK: &str = "---\ntitle: A walk by the canal\nprice: 0.02\nstream: walk.wav\nmeter: 4 seconds\nunit: 0.004\n---\n\
    Put on your headphones: the bridge comes after a minute.\n";
/// Where the player is, in seconds; -1 without one.
const POSITION: &str = "return document.querySelector('.tuppence-player')?.currentTime ?? -1";

/// A page that sells sound, and the folder that it lies in.
struct Listener {
    visit: Visit,
    _content: TempDir,
}

/// A WAV file of so many seconds of a low tone: 44,100 samples a second of two bytes each. Players read some ten thousand bytes
/// ahead, which at a lower rate would be more than a part.
fn wav(seconds: u32) -> Vec<u8> {
    let bytes = 2 * 44_100 * seconds;
    let mut file = b"RIFF".to_vec();
    file.extend((bytes + 36).to_le_bytes());
    file.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    file.extend([44_100_u32.to_le_bytes(), 88_200_u32.to_le_bytes()].concat());
    file.extend(b"\x02\0\x10\0data");
    file.extend(bytes.to_le_bytes());
    // 50 waves a second, each of 882 samples.
    let samples = (0..bytes / 2).map(|sample| if sample % 882 < 441 { 1_000_i16 } else { -1_000 });
    file.extend(samples.flat_map(i16::to_le_bytes));
    file
}

impl Listener {
    async fn arrives(stage: &Stage) -> Result<Self> {
        let content = TempDir::new()?;
        std::fs::write(content.path().join("walk.md"), WALK)?;
        std::fs::write(content.path().join("walk.wav"), wav(20))?;
        let campaigns = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/shop/campaigns");
        let settings = Settings::as_shipped()
            .with("--content", &content.path().to_string_lossy())
            .with("--campaigns", &campaigns.to_string_lossy());
        let program = stage.program(settings).await?;
        let browser = stage.browser(Screen::PHONE).await?;
        let visit = Visit { program, browser, site: Publisher::start(Host::Numbers)? };
        visit.wallet().home().become_a_reader().await?;
        visit.wallet().earn().pass_the_quiz().await?;
        let shop = visit.program.storefront();
        let body = format!(
            "<script type=\"module\" src=\"{shop}/embed/budget.js\"></script>\
             <script type=\"module\" src=\"{shop}/embed/stream.js\"></script>\
             <tuppence-article src=\"{shop}/articles/walk\"></tuppence-article>"
        );
        visit.open(visit.embed().page_of(&body)).await?;
        Ok(Listener { visit, _content: content })
    }

    async fn begins_to_listen(&self) -> Result<()> {
        let Visit { browser, .. } = &self.visit;
        let page = browser.tab().await?;
        let window = self.visit.embed().press("Play as you go: 0.4¢ a part").await?;
        browser.click(&button("Set aside 4¢")).await?;
        browser.closes(&window, &page).await?;
        browser.says("0.4¢ so far, of at most 2¢.").await
    }

    async fn position(&self) -> Result<f64> {
        self.visit.browser.script(POSITION, Vec::new()).await.context("the player's position")
    }

    async fn is_at(&self, seconds: f64) -> Result<()> {
        until("the player", async || {
            let position = self.position().await?;
            let there = position >= seconds;
            Ok(if there { Seen::Ready(()) } else { Seen::NotYet(format!("{position} of {seconds} s")) })
        })
        .await
    }

    async fn jumps_to(&self, seconds: u32) -> Result<()> {
        // A player that does not know yet how long the sound is leads nowhere.
        let jump = format!(
            "const player = document.querySelector('.tuppence-player');
             const jump = () => {{ player.currentTime = {seconds} }};
             if (player.readyState) jump(); else player.addEventListener('loadedmetadata', jump, {{ once: true }})"
        );
        self.visit.browser.script::<()>(&jump, Vec::new()).await?;
        self.is_at(seconds.into()).await
    }
}

#[test]
fn sound_is_paid_as_it_plays_and_what_was_paid_plays_again() -> Result<(), Failure> {
    play(async |stage| {
        let listener = Listener::arrives(stage).await?;
        let Visit { browser, program, .. } = &listener.visit;
        listener.begins_to_listen().await?;
        browser.fits_its_width().await?;
        browser.is_accessible().await?;
        browser.screenshot("embed/listening").await?;
        // Nobody presses anything: it plays on, and the next part is paid.
        browser.says("0.8¢ so far, of at most 2¢.").await?;
        browser.click(&button("Pause")).await?;
        browser.says("Nothing more is paid until you go on.").await?;
        let heard = listener.position().await?;
        assert!((0.5..8.0).contains(&heard), "it has played for {heard} s, of which 8 are paid");

        // What was paid is there again, and nothing of it is paid again.
        browser.reload().await?;
        browser.says("0.8¢ so far, of at most 2¢. Nothing more is paid").await?;
        // From the middle of the fourth part on, the third one is not needed.
        listener.jumps_to(13).await?;
        browser.click(&button("Play on for 0.4¢ a part")).await?;
        browser.says("1.6¢ so far, of at most 2¢.").await?;
        let heard = listener.position().await?;
        assert!((12.5..20.0).contains(&heard), "it plays at {heard} s, and was led to 13");
        browser.click(&button("Pause")).await?;
        let stop = button("Stop, and take the rest back");
        browser.click(&stop).await?;
        browser.gone(&stop).await?;
        listener.visit.wallet().home().has("2.4¢").await?;
        program.stop().await?;
        program.audit()
    })
}

#[test]
fn a_shop_that_was_restarted_plays_on_and_what_was_paid_is_not_paid_again() -> Result<(), Failure> {
    play(async |stage| {
        let listener = Listener::arrives(stage).await?;
        let Visit { browser, program, .. } = &listener.visit;
        listener.begins_to_listen().await?;
        browser.says("0.8¢ so far, of at most 2¢.").await?;
        // What the shop knew of the page's receipts is gone.
        program.restart().await?;
        listener.is_at(6.5).await?;
        browser.says("1.2¢ so far, of at most 2¢.").await?;
        listener.is_at(9.0).await?;
        browser.click(&button("Pause")).await?;
        browser.says("1.2¢ so far, of at most 2¢. Nothing more is paid").await
    })
}

#[test]
fn whoever_buys_the_whole_has_a_player_over_the_text() -> Result<(), Failure> {
    play(async |stage| {
        let listener = Listener::arrives(stage).await?;
        let Visit { browser, .. } = &listener.visit;
        let page = browser.tab().await?;
        let window = listener.visit.embed().press("Read for 2¢").await?;
        browser.click(&choice("This article").containing()).await?;
        listener.visit.wallet().approve().pay("2¢").await?;
        browser.closes(&window, &page).await?;
        listener.visit.embed().is("paid").await?;
        browser.says("Put on your headphones").await?;
        let plays = "const player = document.querySelector('tuppence-article').shadowRoot.querySelector('.tuppence-player');\
                     player.addEventListener('ended', () => document.querySelector('h1').append(', to its end'));\
                     player.currentTime = 18; return player.play()";
        browser.script::<()>(plays, Vec::new()).await?;
        browser.says("The Evening Post, to its end").await?;
        browser.is_accessible().await?;
        browser.screenshot("embed/player").await?;
        Ok(())
    })
}
