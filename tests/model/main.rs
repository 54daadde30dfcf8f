//! Random histories of two to five phones against the real server, on both engines; what DESIGN §4 promises must hold
//! in each. `KILELE_TEST_SEED` starts the generator, `KILELE_MODEL_HISTORIES` says how many (the soak: 10,000).
#![cfg(debug_assertions)]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod check;
mod history;
mod phone;
mod world;

use kilele::planted::Mistake;
use kilele_tests::Engine;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};

use history::{Step, steps};
use world::World;

/// A new server this often: records of earlier histories would only make pulls longer.
const HISTORIES_A_SERVER: u32 = 25;
/// So many in `make test`; each planted mistake must show within this many too.
const FEW: u32 = 24;
const MOST_TO_FIND: u32 = 400;

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

fn runner(cases: u32, part: u64, shrink: u32) -> TestRunner {
    let seed = number("KILELE_TEST_SEED", 20_261_120);
    println!("KILELE_TEST_SEED={seed} (part {part}, {cases} histories)");
    let bytes = [seed, part, seed ^ part, seed.rotate_left(17)].map(u64::to_le_bytes).concat();
    let config = Config { cases, max_shrink_iters: shrink, failure_persistence: None, ..Config::default() };
    TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes))
}

/// Runs histories until one breaks a promise; the error is the smallest that still does.
fn run(engine: Engine, cases: u32, mistake: Option<Mistake>) -> Result<(), TestError<Vec<Step>>> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    // A world that is given up closes its connections, for which there must be a runtime.
    let _inside = runtime.enter();
    let shrink = if mistake.is_some() { 0 } else { 200 };
    let parts = cases.div_ceil(HISTORIES_A_SERVER);
    for part in 0..parts {
        let world = runtime.block_on(World::spawn(engine, mistake));
        let cases = HISTORIES_A_SERVER.min(cases - part * HISTORIES_A_SERVER);
        let world = std::cell::RefCell::new(world);
        let one = |steps: Vec<Step>| {
            let mut world = world.borrow_mut();
            runtime.block_on(history::run(&mut world, &steps)).map_err(TestCaseError::fail)
        };
        runner(cases, u64::from(part), shrink).run(&steps(), one)?;
    }
    Ok(())
}

fn holds(engine: Engine) {
    let cases = number("KILELE_MODEL_HISTORIES", u64::from(FEW)) as u32;
    if let Err(error) = run(engine, cases, None) {
        panic!("{engine:?}: {error}");
    }
    println!("{cases} histories on {engine:?}: every promise held");
}

#[test]
fn every_promise_holds_on_sqlite() {
    holds(Engine::Sqlite);
}

#[test]
fn every_promise_holds_on_postgres() {
    holds(Engine::Postgres);
}

/// The model must see the mistake on both engines, and for the right reason.
fn finds(mistake: Mistake, promise: &str) {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        match run(engine, MOST_TO_FIND, Some(mistake)) {
            Err(TestError::Fail(reason, _)) => {
                println!("{mistake:?} on {engine:?}: {reason}");
                assert!(reason.message().contains(promise), "{mistake:?} was found for another reason: {reason}");
            }
            other => panic!("{mistake:?} was not found on {engine:?}: {other:?}"),
        }
    }
}

#[test]
fn a_skipped_cursor_is_found() {
    finds(Mistake::SkipCursor, "converge");
}

#[test]
fn a_forgotten_author_is_found() {
    finds(Mistake::ForgetAuthor, "another's visit");
}

#[test]
fn a_command_applied_twice_is_found() {
    finds(Mistake::ApplyTwice, "once");
}

#[test]
fn a_value_dropped_on_conflict_is_found() {
    finds(Mistake::DropOnConflict, "disappeared");
}

#[test]
fn a_reordered_batch_is_found() {
    finds(Mistake::Reorder, "order");
}
