use aws_lc_rs::digest::digest;
use futures::stream;
use tintype_ports::photos::Body;

use super::*;

const SIZE: u64 = 200_000;

/// Gives `bytes` in pieces of `piece` bytes, and writes down from where it was read.
struct Memory {
    bytes: Vec<u8>,
    piece: usize,
    opened: Vec<u64>,
}

#[async_trait::async_trait]
impl Body for Memory {
    async fn read_from(&mut self, offset: u64) -> Result<Pieces, BodyBroke> {
        self.opened.push(offset);
        let rest = &self.bytes[usize::try_from(offset).unwrap()..];
        let pieces: Vec<_> = rest
            .chunks(self.piece)
            .map(|piece| Ok(Bytes::copy_from_slice(piece)))
            .collect();
        Ok(stream::iter(pieces).boxed())
    }
}

fn memory(length: u64, piece: usize) -> Memory {
    Memory {
        bytes: (0..length)
            .map(|it| u8::try_from(it % 251).unwrap())
            .collect(),
        piece,
        opened: Vec::new(),
    }
}

fn source(body: &mut Memory) -> Source<'_> {
    Source::new(body, SIZE, Duration::from_secs(5))
}

fn sha1(bytes: &[u8]) -> String {
    STANDARD.encode(digest(&SHA1_FOR_LEGACY_USE_ONLY, bytes))
}

/// Reads `length` bytes on.
async fn take(source: &mut Source<'_>, length: u64) -> Vec<u8> {
    let mut taken = Vec::new();
    while (taken.len() as u64) < length {
        let piece = source.next(length - taken.len() as u64).await;
        taken.extend_from_slice(&piece.unwrap().unwrap());
    }
    taken
}

#[tokio::test]
async fn what_is_read_in_one_go_is_opened_once() {
    let mut body = memory(SIZE, 100_000);
    let bytes = body.bytes.clone();
    let mut source = source(&mut body);
    source.seek(0).await.unwrap();
    assert_eq!(take(&mut source, 130_000).await, bytes[..130_000]);
    assert_eq!(source.rest(130_000).await.unwrap(), bytes[130_000..]);
    assert_eq!(source.sha1(), sha1(&bytes));
    assert_eq!(body.opened, [0]);
}

#[tokio::test]
async fn no_piece_is_longer_than_the_bound() {
    let mut body = memory(SIZE, 200_000);
    let mut source = source(&mut body);
    source.seek(0).await.unwrap();
    let first = source.next(u64::MAX).await.unwrap().unwrap();
    assert_eq!(first.len(), LONGEST_PIECE);
    assert_eq!(source.next(7).await.unwrap().unwrap().len(), 7);
}

#[tokio::test]
async fn what_is_read_again_is_hashed_once() {
    let mut body = memory(SIZE, 999);
    let bytes = body.bytes.clone();
    let mut source = source(&mut body);
    source.seek(0).await.unwrap();
    take(&mut source, 150_000).await;
    source.seek(70_000).await.unwrap();
    assert_eq!(take(&mut source, 90_000).await, bytes[70_000..160_000]);
    assert_eq!(source.rest(160_000).await.unwrap(), bytes[160_000..]);
    assert_eq!(source.rest(199_999).await.unwrap(), bytes[199_999..]);
    assert_eq!(source.sha1(), sha1(&bytes));
    assert_eq!(body.opened, [0, 70_000, 199_999]);
}

#[tokio::test]
async fn what_is_skipped_is_hashed_all_the_same() {
    let mut body = memory(SIZE, 999);
    let bytes = body.bytes.clone();
    let mut source = source(&mut body);
    source.seek(0).await.unwrap();
    take(&mut source, 10).await;
    source.seek(120_000).await.unwrap();
    assert_eq!(source.rest(120_000).await.unwrap(), bytes[120_000..]);
    assert_eq!(source.sha1(), sha1(&bytes));
    assert_eq!(body.opened, [0, 10]);
}

#[tokio::test]
async fn when_google_has_all_nothing_is_read_but_for_the_hash() {
    let mut body = memory(SIZE, 999);
    let bytes = body.bytes.clone();
    let mut source = source(&mut body);
    assert_eq!(source.rest(SIZE).await.unwrap(), b""[..]);
    assert_eq!(source.rest(SIZE).await.unwrap(), b""[..]);
    assert_eq!(source.sha1(), sha1(&bytes));
    assert_eq!(body.opened, [0]);
}

#[tokio::test]
async fn a_new_beginning_hashes_anew() {
    let mut body = memory(SIZE, 999);
    let bytes = body.bytes.clone();
    let mut source = source(&mut body);
    source.seek(0).await.unwrap();
    take(&mut source, 10).await;
    source.begin_anew();
    assert_eq!(source.rest(0).await.unwrap(), bytes);
    assert_eq!(source.sha1(), sha1(&bytes));
    assert_eq!(body.opened, [0, 0]);
}

#[tokio::test]
async fn a_body_of_another_length_is_broken() {
    for length in [SIZE - 1, SIZE + 1] {
        let mut body = memory(length, 999);
        assert_eq!(source(&mut body).rest(0).await, Err(BodyBroke), "{length}");
    }
}

#[tokio::test]
async fn bytes_that_do_not_come_are_not_waited_for_for_ever() {
    struct Silent;

    #[async_trait::async_trait]
    impl Body for Silent {
        async fn read_from(&mut self, _: u64) -> Result<Pieces, BodyBroke> {
            Ok(stream::pending().boxed())
        }
    }

    let mut body = Silent;
    let mut source = Source::new(&mut body, SIZE, Duration::from_millis(1));
    source.seek(0).await.unwrap();
    assert_eq!(source.next(1).await, Err(BodyBroke));
}
