//! Text under way, which cannot grow past its limit.

#[derive(Debug)]
pub struct Buffer {
    bytes: Vec<u8>,
    limit: usize,
}

/// The limit was reached; what did not fit was not written.
#[derive(Debug, PartialEq, Eq)]
pub struct Limited;

impl Buffer {
    pub fn new(limit: usize) -> Self {
        Self { bytes: Vec::new(), limit }
    }

    pub fn push(&mut self, bytes: impl AsRef<[u8]>) -> Result<(), Limited> {
        let bytes = bytes.as_ref();
        self.check(bytes.len())?;
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    pub fn repeat(&mut self, byte: u8, count: usize) -> Result<(), Limited> {
        self.check(count)?;
        self.bytes.resize(self.bytes.len() + count, byte);
        Ok(())
    }

    /// Whether so many bytes more would fit.
    pub fn check(&self, more: usize) -> Result<(), Limited> {
        if more > self.limit - self.bytes.len() {
            return Err(Limited);
        }
        Ok(())
    }

    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}
