#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| codexway_fuzz::config(bytes));
