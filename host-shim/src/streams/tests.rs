//! What goes in at one end of a hub comes out at the other.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use super::*;

trait NowOrNever: Future + Sized {
    fn now_or_never(self) -> Option<Self::Output> {
        match pin!(self).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(result) => Some(result),
            Poll::Pending => None,
        }
    }
}

impl<F: Future> NowOrNever for F {}

fn opening() -> Opening {
    Opening {
        framing: Framing::Lines,
        start: 0,
        taken: Positions::default(),
        lost: None,
        terminal: false,
        container: Container::default(),
    }
}

fn open(hub: &Hub) -> LogWriter {
    hub.open(opening(), Arc::new(KeepNothing))
}

/// Writes as long as there is room without waiting; how much.
fn fill(writer: &LogWriter) -> usize {
    let mut written = 0;
    while let Some(room) = writer.room().now_or_never() {
        let room = room.min(256 << 10);
        writer.write(Bytes::from(vec![b'x'; room]));
        written += room;
    }
    written
}

#[tokio::test]
async fn bytes_arrive_in_order_and_then_the_pause() {
    let hub = Hub::default();
    let writer = open(&hub);
    let id = hub.accept(8)[0];
    writer.write(Bytes::from_static(b"abc"));
    writer.write(Bytes::from_static(b"def"));
    assert_eq!(hub.ready(8), [id]);
    assert_eq!(hub.read(id, 4), Ok(b"abcd".to_vec()));
    writer.end();
    assert_eq!(hub.read(id, 4), Ok(b"ef".to_vec()));
    assert_eq!(hub.read(id, 4), Err(Pause::Ended));
}

#[tokio::test]
async fn a_stream_read_to_the_end_is_named_again() {
    let hub = Hub::default();
    let writer = open(&hub);
    let id = hub.accept(8)[0];
    writer.write(Bytes::from_static(b"abc"));
    assert_eq!(hub.ready(8), [id]);
    assert_eq!(hub.read(id, 8).unwrap(), b"abc");
    writer.write(Bytes::from_static(b"d"));
    assert!(hub.ready(8).is_empty());
    assert_eq!(hub.read(id, 8).unwrap(), b"d");
    assert_eq!(hub.read(id, 8).unwrap(), b"");
    writer.write(Bytes::from_static(b"e"));
    assert_eq!(hub.ready(8), [id]);
}

#[tokio::test]
async fn a_stream_is_named_only_once_it_has_been_accepted() {
    let hub = Hub::default();
    let writers: Vec<_> = (0..3).map(|_| open(&hub)).collect();
    for writer in &writers {
        writer.write(Bytes::from_static(b"abc"));
    }
    assert!(hub.ready(8).is_empty());
    let first = hub.accept(1);
    assert_eq!(hub.ready(8), first);
    let others = hub.accept(8);
    assert_eq!(hub.ready(1), others[..1]);
    assert_eq!(hub.ready(8), others[1..]);
}

#[tokio::test]
async fn a_source_waits_for_a_slow_component() {
    let hub = Hub::default();
    let writer = open(&hub);
    let id = hub.accept(8)[0];
    assert_eq!(fill(&writer), MOST);
    let task = tokio::spawn(async move { writer.room().await });
    tokio::task::yield_now().await;
    assert!(!task.is_finished());
    assert_eq!(hub.read(id, 256 << 10).unwrap().len(), 256 << 10);
    assert_eq!(task.await.unwrap(), 256 << 10);
}

#[tokio::test]
async fn a_thousand_sources_together_read_ahead_little_and_each_its_share() {
    let hub = Hub::default();
    let writers: Vec<_> = (0..1_000).map(|_| open(&hub)).collect();
    let ids = hub.accept(1_000);
    let written: Vec<usize> = writers.iter().map(fill).collect();
    let all: usize = written.iter().sum();
    assert!(all <= ALL_TOGETHER + 1_000 * LEAST, "{all}");
    assert!(written.iter().all(|written| *written >= LEAST / 2), "{written:?}");
    // Whoever is read goes on, also while others are not.
    for (id, writer) in ids.iter().zip(&writers).skip(500) {
        assert!(fill(writer) == 0 && !hub.read(*id, MOST).unwrap().is_empty());
        assert!(fill(writer) >= LEAST / 2);
    }
    // Once they are gone, one alone may have as much as ever.
    for id in &ids[1..] {
        hub.release(*id);
    }
    hub.read(ids[0], MOST).unwrap();
    assert_eq!(fill(&writers[0]), MOST);
    assert_eq!(writers[1].room().now_or_never(), Some(MOST));
}

#[tokio::test]
async fn a_resumed_source_is_told_where_to_go_on() {
    let hub = Hub::default();
    let writer = open(&hub);
    let id = hub.accept(8)[0];
    let task = tokio::spawn(async move { writer.pause(Pause::Interrupted).await });
    tokio::task::yield_now().await;
    assert_eq!(hub.read(id, 8), Err(Pause::Interrupted));
    let at = |offset| Some(Position { offset, ..Position::default() });
    let taken = Positions { stdout: at(7), stderr: at(9) };
    assert_eq!(hub.resume(id, taken), 7);
    assert_eq!(task.await.unwrap(), Some(taken));
}
