//! docs/protocol/errors.md is made from the codes. `TUPPENCE_DOCS=write cargo test -p tuppence-protocol --test error_reference` writes it anew.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test says by panicking that it failed")]

use std::fmt::Write;

use tuppence_protocol::{ErrorCode, Retry};

const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/protocol/errors.md");

#[test]
fn the_error_reference_lists_every_code() {
    if std::env::var("TUPPENCE_DOCS").is_ok_and(|mode| mode == "write") {
        std::fs::write(PATH, reference()).unwrap();
    }
    assert_eq!(std::fs::read_to_string(PATH).unwrap(), reference());
}

fn reference() -> String {
    let mut page = String::from(
        "# Errors\n\nMade from the protocol crate; do not edit. Every error answer has this body:\n\n\
         ```json\n{\"code\": \"scrip_stale\", \"message\": \"what was wrong, and where\", \"hint\": \"what to do\", \"retry\": \"after-resync\"}\n```\n\n\
         Numbers are permanent. Where several reasons apply, the lowest number is given.\n\n\
         | retry | meaning |\n|---|---|\n\
         | `never` | the same message will always be refused |\n\
         | `later` | the same message may succeed later, and is safe to repeat |\n\
         | `after-resync` | fetch the live scrip (GM6_2, PM6_2), then try again |\n\
         | `with-new-offer` | ask the shop for a new offer |\n\n\
         | number | code | status | retry | hint |\n|---|---|---|---|---|\n",
    );
    for code in ErrorCode::ALL {
        let retry = match code.retry() {
            Retry::Never => "never",
            Retry::Later => "later",
            Retry::AfterResync => "after-resync",
            Retry::WithNewOffer => "with-new-offer",
        };
        writeln!(
            page,
            "| {} | `{}` | {} | `{retry}` | {} |",
            code.number(),
            code.as_str(),
            code.status(),
            code.hint()
        )
        .unwrap();
    }
    page
}
