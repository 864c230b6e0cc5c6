//! A connection that can be cut at a chosen byte, as faults need it.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// The other end of a [`Wire`], in the hands of whoever answers requests.
#[derive(Clone, Debug)]
pub struct Cut(Arc<AtomicU64>);

impl Cut {
    pub fn new() -> Cut {
        Cut(Arc::new(AtomicU64::new(WHOLE)))
    }

    /// Lets so many bytes more pass to the peer and then resets the connection.
    pub fn after(&self, bytes: u64) {
        self.0.store(bytes, Ordering::Relaxed);
    }

    fn left(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    fn count(&self, written: usize) {
        let left = self.left();
        if left != WHOLE {
            self.after(left.saturating_sub(written as u64));
        }
    }
}

/// A TCP connection under a [`Cut`].
#[derive(Debug)]
pub struct Wire {
    stream: TcpStream,
    cut: Cut,
}

impl Wire {
    pub fn new(stream: TcpStream, cut: Cut) -> Wire {
        Wire { stream, cut }
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        if self.cut.left() != WHOLE {
            // The peer then sees a reset, as from a machine that went away, and no orderly end.
            let _ = self.stream.set_zero_linger();
        }
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let left = self.cut.left();
        if left == 0 {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        let allowed = usize::try_from(left).map_or(bytes.len(), |left| left.min(bytes.len()));
        let part = bytes.get(..allowed).unwrap_or(bytes);
        let polled = Pin::new(&mut self.stream).poll_write(context, part);
        if let Poll::Ready(Ok(written)) = &polled {
            self.cut.count(*written);
        }
        polled
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.cut.left() == WHOLE {
            return Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        }
        let first = slices.iter().find(|slice| !slice.is_empty());
        self.poll_write(context, first.map_or(&[], |slice| slice))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.cut.left() == WHOLE {
            Pin::new(&mut self.stream).poll_shutdown(context)
        } else {
            Poll::Ready(Ok(()))
        }
    }
}

/// Stands for a connection that nobody cuts.
const WHOLE: u64 = u64::MAX;
