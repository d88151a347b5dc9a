//! What surrounds every handler: observation outside, then security headers, then the endpoint's own gate.

pub mod gate;
pub mod headers;
pub mod observe;
pub mod rate;
