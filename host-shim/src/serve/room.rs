//! How much of what was sent may wait here for CloudWatch.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Room for bodies; a body that finds none is sent again by whoever sent it.
#[derive(Debug)]
pub struct Room {
    free: Arc<Semaphore>,
    all: usize,
}

/// Room that is taken until it is dropped.
#[derive(Debug)]
pub struct Taken {
    free: Arc<Semaphore>,
    permit: OwnedSemaphorePermit,
}

/// There is no room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

/// What a request takes beside its body, in bytes, here and in the component.
const OVERHEAD: u32 = 4 << 10;

impl Room {
    /// Room for so many bytes.
    pub fn new(all: usize) -> Room {
        let all = all.min(Semaphore::MAX_PERMITS);
        Room { free: Arc::new(Semaphore::new(all)), all }
    }

    /// Takes room for a request without a body.
    pub fn take(&self) -> Result<Taken, Full> {
        let permit = Arc::clone(&self.free).try_acquire_many_owned(OVERHEAD).map_err(|_| Full)?;
        Ok(Taken { free: Arc::clone(&self.free), permit })
    }

    /// Bytes that are taken.
    pub fn taken(&self) -> usize {
        self.all - self.free.available_permits()
    }
}

impl Taken {
    /// Takes room for more.
    pub fn grow(&mut self, bytes: usize) -> Result<(), Full> {
        let bytes = u32::try_from(bytes).map_err(|_| Full)?;
        let more = Arc::clone(&self.free).try_acquire_many_owned(bytes).map_err(|_| Full)?;
        self.permit.merge(more);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_taken_and_given_back() {
        let room = Room::new(10_000);
        let mut one = room.take().unwrap();
        one.grow(5_000).unwrap();
        assert_eq!(room.taken(), 9_096);
        assert!(room.take().is_err());
        assert_eq!(one.grow(1_000), Err(Full));
        drop(one);
        assert_eq!(room.taken(), 0);
        room.take().unwrap();
    }
}
