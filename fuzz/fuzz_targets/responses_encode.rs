#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| codexway_fuzz::responses_encode(bytes));
