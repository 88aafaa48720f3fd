use codexway::sse::{Decoder, Frame, MAX_FRAME};

/// However a stream is split, it holds the same frames; and one that is written is read again.
pub(crate) fn sse(bytes: &[u8]) {
    let whole = frames(&[bytes]);
    let middle = bytes.len() / 2;
    assert_eq!(frames(&[&bytes[..middle], &bytes[middle..]]), whole, "split in two");
    let pieces: Vec<&[u8]> = bytes.chunks(1).collect();
    assert_eq!(frames(&pieces), whole, "split at every byte");

    let mut again = bytes::BytesMut::new();
    for frame in &whole {
        let line = |part: &[u8]| !part.iter().any(|byte| matches!(byte, b'\n' | b'\r'));
        // Data over several lines is joined before it is passed on.
        if line(&frame.data) && line(&frame.event) {
            codexway::sse::write(&mut again, &frame.event, &frame.data);
        }
    }
    let kept: Vec<&Frame> = whole.iter().filter(|frame| !frame.data.contains(&b'\n')).collect();
    assert_eq!(frames(&[&again]).iter().collect::<Vec<_>>(), kept, "written and read");

    let mut limited = Decoder::new(64);
    limited.push(bytes);
    while let Ok(Some(frame)) = limited.next() {
        assert!(whole.contains(&frame), "a frame that a limit has made up: {frame:?}");
    }
}

fn frames(pieces: &[&[u8]]) -> Vec<Frame> {
    let mut decoder = Decoder::new(MAX_FRAME);
    let mut frames = Vec::new();
    for piece in pieces {
        decoder.push(piece);
        while let Some(frame) = decoder.next().expect("nothing is that large") {
            frames.push(frame);
        }
    }
    frames.extend(decoder.finish());
    frames
}
