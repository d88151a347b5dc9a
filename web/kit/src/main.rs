//! The recovery kit as a WebAssembly module of its own (docs/decisions/0007): the wallet's site fetches it the first
//! time that a reader needs it. It has one function, and everything behind that is `tuppence_wallet::kit`.

#[cfg(target_arch = "wasm32")]
mod module {
    use js_sys::Function;
    use wasm_bindgen::prelude::wasm_bindgen;

    /// Does what the page asks, as JSON; `told` hears how far it is.
    #[wasm_bindgen]
    pub async fn run(asked: String, told: Function) -> String {
        tuppence_wallet::ports::browser::answer(&asked, &told).await
    }
}

fn main() {}
