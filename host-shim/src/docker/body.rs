//! An answer of the daemon that keeps coming: its bytes, as they arrive.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use http_body_util::Empty;
use hyper::body::{Body as _, Frame, Incoming};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;

use super::address::Wire;

pub(super) type Connection = http1::Connection<TokioIo<Box<dyn Wire>>, Empty<Bytes>>;

/// The body of an answer, together with the connection it arrives on: whoever reads the one drives the
/// other, so that no bytes cross from task to task.
pub struct Body {
    incoming: Incoming,
    /// `None` once it is closed.
    connection: Option<Box<Connection>>,
    /// The error or the end that came while bytes before it were at hand.
    last: Option<Option<hyper::Error>>,
}

impl Body {
    pub(super) fn new(incoming: Incoming, connection: Option<Connection>) -> Body {
        Body { incoming, connection: connection.map(Box::new), last: None }
    }

    /// What has arrived, at least a byte; waits only if there is nothing. Stops to collect at `enough`.
    /// `None`: the daemon said that this was all. An error: the connection broke, and there may be more.
    pub async fn next(&mut self, enough: usize) -> Option<Result<Bytes, hyper::Error>> {
        poll_fn(|cx| self.poll_next(cx, enough)).await
    }

    fn poll_next(
        &mut self,
        cx: &mut Context<'_>,
        enough: usize,
    ) -> Poll<Option<Result<Bytes, hyper::Error>>> {
        if let Some(last) = self.last.take() {
            return Poll::Ready(last.map(Err));
        }
        let mut first = match self.poll_data(cx) {
            Poll::Ready(Some(Ok(bytes))) => bytes,
            other => return other,
        };
        let mut joined = BytesMut::new();
        while first.len() + joined.len() < enough {
            match self.poll_data(cx) {
                Poll::Ready(Some(Ok(bytes))) => {
                    if joined.is_empty() {
                        joined.reserve(enough.min(FIRST_ROOM));
                        joined.extend_from_slice(&std::mem::take(&mut first));
                    }
                    joined.extend_from_slice(&bytes);
                }
                Poll::Ready(end) => {
                    self.last = Some(end.and_then(Result::err));
                    break;
                }
                Poll::Pending => break,
            }
        }
        Poll::Ready(Some(Ok(if joined.is_empty() { first } else { joined.freeze() })))
    }

    /// Bytes that are not empty.
    fn poll_data(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, hyper::Error>>> {
        let mut driven = false;
        loop {
            if let Poll::Ready(frame) = Pin::new(&mut self.incoming).poll_frame(cx) {
                match frame.map(|frame| frame.map(Frame::into_data)) {
                    Some(Ok(Ok(data))) if !data.is_empty() => return Poll::Ready(Some(Ok(data))),
                    Some(Ok(Ok(_) | Err(_))) => driven = false,
                    Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                    None => return Poll::Ready(None),
                }
                continue;
            }
            // The connection hands over one frame at a time: drive it, then look once more.
            let Some(connection) = self.connection.as_mut().filter(|_| !driven) else { return Poll::Pending };
            driven = true;
            // Its error, if any, comes out of the body too.
            if Pin::new(&mut **connection).poll(cx).is_ready() {
                self.connection = None;
            }
        }
    }
}

const FIRST_ROOM: usize = 64 << 10;
