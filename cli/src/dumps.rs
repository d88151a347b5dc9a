//! No core dumps: the memory of a center holds its keys (T24).

/// Sets the limit of core files to nothing, for good. A system that refuses this is told of, and works on.
#[cfg(unix)]
pub fn forbid() {
    use rustix::process::{Resource, Rlimit, setrlimit};

    let nothing = Rlimit { current: Some(0), maximum: Some(0) };
    if let Err(error) = setrlimit(Resource::Core, nothing) {
        eprintln!("Core dumps cannot be forbidden: {error}. They would hold keys.");
    }
}

/// Nothing to do: this system writes no core files by itself.
#[cfg(not(unix))]
pub fn forbid() {}
