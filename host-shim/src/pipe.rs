//! Standard input as a log stream.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use crate::streams::{Container, Framing, Hub, KeepNothing, Opening, Phase, Positions};

/// Reads standard input to its end as one log stream, then tells the component to finish.
///
/// # Errors
/// Standard input cannot be read. What was read before is delivered all the same.
pub async fn run(hub: &Hub, framing: Framing) -> io::Result<()> {
    let result = match io::stdin().as_fd().try_clone_to_owned() {
        Ok(input) => read(hub, framing, File::from(input)).await,
        Err(error) => Err(error),
    };
    hub.set_phase(Phase::Finishing);
    result
}

async fn read(hub: &Hub, framing: Framing, input: impl Read + Send + 'static) -> io::Result<()> {
    let opening = Opening {
        framing,
        start: 0,
        taken: Positions::default(),
        lost: None,
        terminal: false,
        container: Container::default(),
    };
    let writer = hub.open(opening, Arc::new(KeepNothing));
    let (done, result) = oneshot::channel();
    let runtime = Handle::current();
    // A thread of its own, that nobody waits for: a read of a terminal or a pipe can last for ever, and
    // must not hold up the end of the program.
    std::thread::Builder::new().name("stdin".to_owned()).spawn(move || {
        let result = pump(input, || runtime.block_on(writer.room()), |chunk| writer.write(chunk));
        writer.end();
        // Nobody is there to hear it when the program is about to end.
        let _ = done.send(result);
    })?;
    result.await.unwrap_or_else(|_gone| Err(io::Error::other("the thread that reads it is gone")))
}

/// Reads all there is into chunks of their exact size. `most`: how many bytes may be read.
fn pump(
    mut input: impl Read,
    mut most: impl FnMut() -> usize,
    mut write: impl FnMut(Bytes),
) -> io::Result<()> {
    let mut room = vec![0; CHUNK];
    loop {
        let most = most().min(CHUNK);
        let count = match input.read(room.get_mut(..most).unwrap_or_default()) {
            Ok(0) => return Ok(()),
            Ok(count) => count,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        write(Bytes::copy_from_slice(room.get(..count).unwrap_or_default()));
        if count < FEW {
            std::thread::sleep(A_WHILE);
        }
    }
}

/// The most that is read at a time.
const CHUNK: usize = 1 << 20;
/// Someone who writes line by line would wake everything from here to the component for each: after so
/// few bytes the next read waits a moment for more. A pipe holds 64 KiB, so that slows nobody down.
const FEW: usize = 4 << 10;
const A_WHILE: Duration = Duration::from_millis(1);

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;
    use crate::streams::Pause;

    async fn read_all(hub: &Hub) -> Vec<u8> {
        hub.news().await;
        let id = hub.accept(1)[0];
        let mut all = Vec::new();
        loop {
            match hub.read(id, 1 << 16) {
                Ok(bytes) if bytes.is_empty() => {
                    hub.news().await;
                    hub.ready(1);
                }
                Ok(bytes) => all.extend(bytes),
                Err(pause) => {
                    assert_eq!(pause, Pause::Ended);
                    return all;
                }
            }
        }
    }

    #[tokio::test]
    async fn everything_arrives_and_then_the_end() {
        let (input, mut output) = io::pipe().unwrap();
        let hub = Hub::default();
        let expected: Vec<u8> = (0..3_000_000_u32).map(|at| (at % 251) as u8).collect();
        let written = expected.clone();
        std::thread::spawn(move || {
            output.write_all(&written[..10]).unwrap();
            std::thread::sleep(Duration::from_millis(20));
            output.write_all(&written[10..]).unwrap();
        });
        let (result, all) = tokio::join!(read(&hub, Framing::Lines, input), read_all(&hub));
        result.unwrap();
        assert!(all == expected);
    }

    #[tokio::test]
    async fn an_input_that_fails_is_said_and_what_came_before_is_kept() {
        struct Fails(bool);
        impl Read for Fails {
            fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
                if std::mem::replace(&mut self.0, true) {
                    return Err(io::Error::other("torn"));
                }
                room[..2].copy_from_slice(b"ab");
                Ok(2)
            }
        }
        let hub = Hub::default();
        let (result, all) = tokio::join!(read(&hub, Framing::Lines, Fails(false)), read_all(&hub));
        assert_eq!(result.unwrap_err().to_string(), "torn");
        assert_eq!(all, b"ab");
    }
}
