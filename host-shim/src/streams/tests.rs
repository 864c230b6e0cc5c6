//! What goes in at one end of a hub comes out at the other.

use super::*;

fn opening() -> Opening {
    Opening {
        framing: Framing::Lines,
        start: 0,
        taken: Positions::default(),
        terminal: false,
        container: Container::default(),
    }
}

#[tokio::test]
async fn bytes_arrive_in_order_and_then_the_pause() {
    let hub = Hub::default();
    let writer = hub.open(opening(), Arc::new(KeepNothing));
    let id = hub.accept(8)[0];
    writer.write(Bytes::from_static(b"abc")).await;
    writer.write(Bytes::from_static(b"def")).await;
    assert_eq!(hub.ready(8), [id]);
    assert_eq!(hub.read(id, 4), Ok(b"abcd".to_vec()));
    writer.end();
    assert_eq!(hub.read(id, 4), Ok(b"ef".to_vec()));
    assert_eq!(hub.read(id, 4), Err(Pause::Ended));
}

#[tokio::test]
async fn a_stream_read_to_the_end_is_named_again() {
    let hub = Hub::default();
    let writer = hub.open(opening(), Arc::new(KeepNothing));
    let id = hub.accept(8)[0];
    writer.write(Bytes::from_static(b"abc")).await;
    assert_eq!(hub.ready(8), [id]);
    assert_eq!(hub.read(id, 8).unwrap(), b"abc");
    writer.write(Bytes::from_static(b"d")).await;
    assert!(hub.ready(8).is_empty());
    assert_eq!(hub.read(id, 8).unwrap(), b"d");
    assert_eq!(hub.read(id, 8).unwrap(), b"");
    writer.write(Bytes::from_static(b"e")).await;
    assert_eq!(hub.ready(8), [id]);
}

#[tokio::test]
async fn a_stream_is_named_only_once_it_has_been_accepted() {
    let hub = Hub::default();
    let writers: Vec<_> = (0..3).map(|_| hub.open(opening(), Arc::new(KeepNothing))).collect();
    for writer in &writers {
        writer.write(Bytes::from_static(b"abc")).await;
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
    let writer = hub.open(opening(), Arc::new(KeepNothing));
    let id = hub.accept(8)[0];
    let task = tokio::spawn(async move {
        writer.write(Bytes::from(vec![b'x'; ROOM])).await;
        writer.end();
    });
    tokio::task::yield_now().await;
    assert!(!task.is_finished());
    hub.read(id, 1).unwrap();
    task.await.unwrap();
}

#[tokio::test]
async fn a_resumed_source_is_told_where_to_go_on() {
    let hub = Hub::default();
    let writer = hub.open(opening(), Arc::new(KeepNothing));
    let id = hub.accept(8)[0];
    let task = tokio::spawn(async move { writer.pause(Pause::Interrupted).await });
    tokio::task::yield_now().await;
    assert_eq!(hub.read(id, 8), Err(Pause::Interrupted));
    let at = |offset| Some(Position { offset, ..Position::default() });
    let taken = Positions { stdout: at(7), stderr: at(9) };
    assert_eq!(hub.resume(id, taken), 7);
    assert_eq!(task.await.unwrap(), Some(taken));
}
