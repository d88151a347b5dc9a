//! The wallet core.
