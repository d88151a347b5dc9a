//! Where the money lives.
