//! How a log stream begins: what it is of, and where it is taken up.

/// How the bytes of a log stream are to be understood; see `framing` in the WIT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    Lines,
    LinesWithTimes,
    Frames,
    FramesWithTimes,
    JsonFile,
    JsonLines,
    DeadLetters,
    JsonBody,
    OtlpProtobuf,
    OtlpJson,
}

/// What the naming templates may see of a container; see `container` in the WIT.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Container {
    pub id: String,
    pub name: String,
    pub image_name: String,
    pub image_id: String,
    pub hostname: String,
    pub daemon_name: String,
    pub entrypoint: String,
    pub args: Vec<String>,
    pub env: Vec<String>,
    pub labels: Vec<(String, String)>,
    pub log_options: Vec<(String, String)>,
    pub created: String,
    pub log_path: String,
    pub event: String,
}

/// How far standard output or standard error has been taken; see `position` in the WIT.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Position {
    pub offset: u64,
    pub time: u64,
    pub ordinal: u32,
    pub into_line: u64,
}

/// The positions of one log stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Positions {
    pub stdout: Option<Position>,
    pub stderr: Option<Position>,
}

impl Positions {
    /// The offset to read on from so that nothing is missed on either side; 0 where a side is unknown.
    pub fn offset(&self) -> u64 {
        self.earliest(|position| position.offset)
    }

    /// The time to read on from so that nothing is missed on either side; 0 where a side is unknown.
    pub fn time(&self) -> u64 {
        self.earliest(|position| position.time)
    }

    fn earliest(&self, of: impl Fn(&Position) -> u64) -> u64 {
        let of = |side: &Option<Position>| side.as_ref().map_or(0, &of);
        of(&self.stdout).min(of(&self.stderr))
    }
}

/// Log data that a source no longer has; see `loss` in the WIT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Loss {
    pub cause: LossCause,
    pub bytes: Option<u64>,
    pub before: Option<u64>,
}

/// How that came; see `loss-cause` in the WIT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LossCause {
    Rotated,
    Compressed,
    Truncated,
}

/// How a log stream begins; see `opened` in the WIT.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opening {
    pub framing: Framing,
    pub start: u64,
    pub taken: Positions,
    pub lost: Option<Loss>,
    pub terminal: bool,
    pub container: Container,
}
