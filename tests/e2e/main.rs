//! What people do with Tuppence, in headless Chromium against the real program.
