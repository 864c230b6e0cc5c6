//! Who is inside, and whether anyone may still come in.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

/// The door to a server: each connection takes a place inside.
#[derive(Clone, Debug)]
pub struct Door {
    closed: Arc<watch::Sender<bool>>,
    places: Arc<Semaphore>,
    /// How many there are.
    all: u32,
}

/// A place inside, until it is dropped.
#[derive(Debug)]
pub struct Place {
    _permit: OwnedSemaphorePermit,
}

/// Connections at a time, unless somebody says so; more wait to be accepted.
const PLACES: u32 = 4_096;

impl Default for Door {
    fn default() -> Door {
        Door::with_places(PLACES)
    }
}

impl Door {
    /// One with so many places inside.
    pub fn with_places(all: u32) -> Door {
        let places = Arc::new(Semaphore::new(all as usize));
        Door { closed: Arc::new(watch::Sender::new(false)), places, all }
    }

    /// Lets nobody in any more, and has those inside finish what they are about.
    pub fn close(&self) {
        self.closed.send_replace(true);
    }

    pub fn is_closed(&self) -> bool {
        *self.closed.borrow()
    }

    /// Returns once it is closed.
    pub async fn closed(&self) {
        let mut closed = self.closed.subscribe();
        // It cannot be dropped while it is asked.
        let _ = closed.wait_for(|closed| *closed).await;
    }

    /// Waits for a place; `None` once the door is closed.
    pub async fn enter(&self) -> Option<Place> {
        tokio::select! {
            biased;
            () = self.closed() => None,
            permit = Arc::clone(&self.places).acquire_owned() => Some(Place { _permit: permit.ok()? }),
        }
    }

    /// Returns once everybody has left.
    pub async fn empty(&self) {
        let _all = self.places.acquire_many(self.all).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn nobody_comes_in_once_it_is_closed_and_those_inside_are_waited_for() {
        let door = Door::default();
        let place = door.enter().await.unwrap();
        door.close();
        assert!(door.enter().await.is_none());
        let waits = tokio::time::timeout(std::time::Duration::from_millis(20), door.empty()).await;
        assert!(waits.is_err());
        drop(place);
        door.empty().await;
    }
}
