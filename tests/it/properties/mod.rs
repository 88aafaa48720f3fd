//! What holds for any input: no request makes a 5xx, no event a panic or a stream without an end.
//!
//! The cases are the same each time. `PROPTEST_CASES` asks for more of them, `PROPTEST_RNG_SEED`
//! for others; a failure shows the smallest input that fails alike.

use std::fmt::Debug;

use proptest::{
    strategy::Strategy,
    test_runner::{Config, RngSeed, TestRunner},
};

/// Files: settings and logins.
mod files;
/// JSON of any kind, and JSON that is nearly what it should be.
mod mutate;
/// Requests, through the whole server.
mod requests;
/// Streams of an upstream, through the encoders and through the whole server.
mod streams;

/// Runs `test` on `cases` inputs, which panics where something does not hold.
fn check<S: Strategy>(cases: u32, inputs: &S, test: impl Fn(S::Value))
where
    S::Value: Debug,
{
    let asked = Config::default();
    let cases = if std::env::var_os("PROPTEST_CASES").is_some() { asked.cases } else { cases };
    let rng_seed = match asked.rng_seed {
        RngSeed::Random => RngSeed::Fixed(0),
        fixed @ RngSeed::Fixed(_) => fixed,
    };
    let config = Config { cases, rng_seed, failure_persistence: None, ..asked };
    let run = TestRunner::new(config).run(inputs, |input| {
        test(input);
        Ok(())
    });
    run.unwrap_or_else(|error| panic!("{error}"));
}
