//! The [kit](crate::kit) as a second WebAssembly module, fetched the first time that it is asked for.
//!
//! [`Fetched`] asks it, [`answer`] is what it exports. What is asked and answered is JSON; the records are shared.

use std::rc::Rc;

use async_trait::async_trait;
use js_sys::{Function, Promise};
use serde::{Deserialize, Serialize};
use tuppence_protocol::envelope::Fingerprint;
use wasm_bindgen::prelude::Closure;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

use super::method;
use crate::browser;
use crate::error::{Problem, WalletError};
use crate::json;
use crate::kit::{Heard, Included, Kit, Task};
use crate::origin::Origin;
use crate::view::Progress;
use crate::wallet::{Config, Wallet};

/// What is asked of the second module.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Asked {
    center: Origin,
    fingerprint: Option<Fingerprint>,
    task: Task,
}

/// What it answers.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    told: Vec<String>,
    error: Option<WalletError>,
}

/// The kit of a page whose `globalThis.tuppenceKit` gives a promise of the second module (`web/start.js`).
#[derive(Debug, Clone, Copy, Default)]
pub struct Fetched;

#[async_trait(?Send)]
impl Kit for Fetched {
    async fn run(&self, wallet: &Wallet, task: Task, heard: Heard) -> Result<Vec<String>, WalletError> {
        let Config { center_origin, fingerprint } = wallet.0.config.clone();
        let asked = Asked { center: center_origin, fingerprint, task };
        let asked = json::write(&asked).map_err(|_| Problem::RecordDamaged)?;
        let answer = ask(&String::from_utf8_lossy(&asked), heard).await;
        let answer = answer.and_then(|answer| json::read::<Answer>(answer.as_bytes()).ok());
        match answer.ok_or(Problem::KitUnavailable)? {
            Answer { error: Some(error), .. } => Err(error),
            Answer { told, error: None } => Ok(told),
        }
    }
}

/// Nothing where the module cannot be fetched.
async fn ask(asked: &str, heard: Heard) -> Option<String> {
    let global = js_sys::global();
    let module = settled(method(&global, "tuppenceKit")?.call0(&global).ok()?).await?;
    let told = Closure::<dyn Fn(JsValue, f64, f64)>::new(move |step: JsValue, tried, expected| {
        if let Some(progress) = progress(step.as_string().as_deref(), tried, expected) {
            heard(progress);
        }
    });
    let told: &Function = told.as_ref().unchecked_ref();
    let answer = method(&module, "run")?.call2(&module, &JsValue::from_str(asked), told).ok()?;
    settled(answer).await?.as_string()
}

async fn settled(promise: JsValue) -> Option<JsValue> {
    JsFuture::from(promise.dyn_into::<Promise>().ok()?).await.ok()
}

/// Does what another module of the same page asks, which holds the wallet's lock.
pub async fn answer(asked: &str, told: &Function) -> String {
    let told = told.clone();
    let heard = move |progress| {
        let (step, tried, expected) = match progress {
            Progress::MeetingCenter => ("meeting", 0, 0),
            Progress::Solving { tried, expected } => ("solving", tried, expected),
            Progress::Registering => ("claiming", 0, 0),
            Progress::Following => ("following", 0, 0),
            Progress::Done => ("done", 0, 0),
        };
        // Numbers of hashes are far below 2^53. A page that does not hear does not stop the work.
        let (tried, expected) = (JsValue::from_f64(tried as f64), JsValue::from_f64(expected as f64));
        let _ = told.call3(&JsValue::UNDEFINED, &JsValue::from_str(step), &tried, &expected);
    };
    let answer = match run(asked, Rc::new(heard)).await {
        Ok(told) => Answer { told, error: None },
        Err(error) => Answer { told: Vec::new(), error: Some(error) },
    };
    // Texts and lists of texts can always be written.
    String::from_utf8(json::write(&answer).unwrap_or_default()).unwrap_or_default()
}

async fn run(asked: &str, heard: Heard) -> Result<Vec<String>, WalletError> {
    // What a newer page asks, an older module does not understand.
    let asked: Asked = json::read(asked.as_bytes()).map_err(|_| Problem::KitUnavailable)?;
    let config = Config { center_origin: asked.center, fingerprint: asked.fingerprint };
    let database = browser::database(&config).await?;
    let ports = browser::ports(database.clone(), &config, Rc::new(Included))?;
    let wallet = Wallet::open(ports, config).await?;
    let done = Included.run(&wallet, asked.task, heard).await;
    database.close();
    done
}

fn progress(step: Option<&str>, tried: f64, expected: f64) -> Option<Progress> {
    Some(match step? {
        "meeting" => Progress::MeetingCenter,
        // As they were sent: whole numbers below 2^53.
        "solving" => Progress::Solving { tried: tried as u64, expected: expected as u64 },
        "claiming" => Progress::Registering,
        "following" => Progress::Following,
        "done" => Progress::Done,
        _ => return None,
    })
}
