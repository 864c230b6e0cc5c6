//! Reads the bodies of requests, within bounds of size, of time, and of what may wait in all.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};

use super::coding::{Coding, CodingError};
use super::room::{Full, Room, Taken};
use super::{Intake, Limits};

/// Why there is no body to work on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyError {
    TooLarge,
    /// There is no room for it at the moment.
    Full,
    /// The sender said nothing for too long.
    Silent,
    /// The sender is gone.
    Gone,
    /// It is not compressed as its header says.
    Miscoded(Coding),
}

/// Reads a body and undoes its coding; the room that it takes is handed out with it.
///
/// Of a body that is not taken as much again is read and thrown away, so that the sender gets to see the
/// answer.
pub async fn read(
    mut incoming: Incoming,
    coding: Coding,
    intake: &Intake,
) -> Result<(Bytes, Taken), BodyError> {
    let Intake { room, limits, counts, .. } = intake;
    let read = take(&mut incoming, room, limits).await;
    if matches!(read, Err(BodyError::TooLarge | BodyError::Full)) {
        let _ = tokio::time::timeout(limits.silence, pass_over(&mut incoming, limits.body)).await;
    }
    let (body, mut taken) = read?;
    counts.body(body.len());
    let compressed = body.len();
    let body = coding.undo(body, limits.body).map_err(|error| match error {
        CodingError::TooLarge => BodyError::TooLarge,
        CodingError::Broken => BodyError::Miscoded(coding),
    })?;
    taken.grow(body.len().saturating_sub(compressed))?;
    Ok((body, taken))
}

async fn take(incoming: &mut Incoming, room: &Room, limits: &Limits) -> Result<(Bytes, Taken), BodyError> {
    let expected = usize::try_from(incoming.size_hint().lower()).unwrap_or(usize::MAX);
    if expected > limits.body {
        return Err(BodyError::TooLarge);
    }
    let mut taken = room.take()?;
    let mut body = BytesMut::new();
    while let Some(data) = next(incoming, limits.silence).await? {
        if body.len() + data.len() > limits.body {
            return Err(BodyError::TooLarge);
        }
        taken.grow(data.len())?;
        if body.is_empty() {
            body.reserve(expected.max(data.len()));
        }
        body.extend_from_slice(&data);
    }
    Ok((body.freeze(), taken))
}

async fn next(incoming: &mut Incoming, silence: Duration) -> Result<Option<Bytes>, BodyError> {
    loop {
        let frame = tokio::time::timeout(silence, incoming.frame()).await.map_err(|_| BodyError::Silent)?;
        match frame {
            None => return Ok(None),
            Some(Err(_)) => return Err(BodyError::Gone),
            Some(Ok(frame)) => {
                if let Ok(data) = frame.into_data() {
                    return Ok(Some(data));
                }
            }
        }
    }
}

async fn pass_over(incoming: &mut Incoming, most: usize) {
    let mut passed = 0;
    while passed < most {
        match incoming.frame().await {
            Some(Ok(frame)) => passed += frame.data_ref().map_or(0, Bytes::len),
            Some(Err(_)) | None => return,
        }
    }
}

impl From<Full> for BodyError {
    fn from(Full: Full) -> BodyError {
        BodyError::Full
    }
}
