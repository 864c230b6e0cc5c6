//! Connections that bring lines: JSON objects or plain text, one a line.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};

use super::{Intake, called, opening};
use crate::streams::{Framing, KeepNothing, LogWriter};

/// Takes connections until the door closes.
pub async fn run(listener: TcpListener, intake: Arc<Intake>) {
    while let Some((stream, peer, place)) = intake.accept(&listener).await {
        let intake = Arc::clone(&intake);
        tokio::spawn(async move {
            read(stream, peer, &intake).await;
            drop(place);
        });
    }
}

/// Hands on what a connection brings, until it ends or the door closes.
///
/// A log stream is opened with the first byte: senders such as Vector open a connection to see whether they
/// can, and close it again.
async fn read(mut stream: TcpStream, peer: SocketAddr, intake: &Intake) {
    let mut writer: Option<LogWriter> = None;
    loop {
        let room = match &writer {
            Some(writer) => tokio::select! {
                () = intake.door.closed() => return,
                room = writer.room() => room,
            },
            None => CHUNK,
        };
        let mut chunk = BytesMut::with_capacity(room.min(CHUNK));
        let count = tokio::select! {
            biased;
            () = intake.door.closed() => return,
            read = stream.read_buf(&mut chunk) => match read {
                Ok(0) => return,
                Ok(count) => count,
                Err(error) => {
                    tracing::warn!("{peer}: the connection broke off: {error}");
                    return;
                }
            },
        };
        let open = || intake.hub.open(opening(Framing::JsonLines, called(peer.ip())), Arc::new(KeepNothing));
        writer.get_or_insert_with(open).write(chunk.freeze());
        if count < FEW {
            tokio::time::sleep(A_WHILE).await;
        }
    }
}

/// The most that is read at a time.
const CHUNK: usize = 64 << 10;
/// Someone who sends line by line would wake everything from here to the component for each: after so few
/// bytes the next read waits a moment for more.
const FEW: usize = 4 << 10;
const A_WHILE: Duration = Duration::from_millis(1);
