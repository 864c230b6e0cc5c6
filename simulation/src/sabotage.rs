//! Faults planted on purpose between the machine and its world, to see that the world notices them.

use std::fmt;
use std::str::FromStr;

/// One planted fault; it strikes at every third occasion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sabotage {
    /// A request is acknowledged as soon as it is sent.
    AcknowledgeEarly,
    /// An acknowledgement is lost.
    AcknowledgeNever,
    /// The sides of an acknowledgement are exchanged.
    AcknowledgeOtherSide,
    /// An acknowledgement goes a little too far.
    AcknowledgeTooFar,
    /// An acknowledgement is replaced by the one before.
    AcknowledgeBackwards,
    /// An acknowledgement forgets how much of a long line was taken.
    ForgetIntoLine,
    /// A request is sent again after its success was seen.
    ResendAfterSuccess,
    /// The events of a request stand in reverse order.
    ReverseEvents,
    /// A lost answer is taken for a success.
    BelieveLostAnswers,
    /// What the service rejects is taken for accepted.
    OverlookRejections,
    /// A stretch of log is not handed in.
    DropBytes,
    /// A stretch of log is handed in twice.
    RepeatBytes,
    /// A source goes on behind the place where it has to.
    ResumeTooLate,
    /// An interruption is taken for an end of the container's life, and half lines for whole ones.
    EndHalfLines,
    /// The machine is not woken when it asked to be.
    Oversleep,
    /// Failures are taken to be over at once: no request ever waits.
    Storm,
    /// Dead letters are said to be kept, and are not.
    ForgetLetters,
    /// What is dropped is not counted.
    DropUncounted,
    /// What says that events are missing is said to be accepted, and is not there.
    ForgetMarkers,
    /// A marker says that fewer are missing than there are.
    MarkTooFew,
    /// What there is to read is kept back for long.
    KeepBack,
}

impl Sabotage {
    pub const ALL: [Sabotage; 21] = [
        Sabotage::AcknowledgeEarly,
        Sabotage::AcknowledgeNever,
        Sabotage::AcknowledgeOtherSide,
        Sabotage::AcknowledgeTooFar,
        Sabotage::AcknowledgeBackwards,
        Sabotage::ForgetIntoLine,
        Sabotage::ResendAfterSuccess,
        Sabotage::ReverseEvents,
        Sabotage::BelieveLostAnswers,
        Sabotage::OverlookRejections,
        Sabotage::DropBytes,
        Sabotage::RepeatBytes,
        Sabotage::ResumeTooLate,
        Sabotage::EndHalfLines,
        Sabotage::Oversleep,
        Sabotage::Storm,
        Sabotage::ForgetLetters,
        Sabotage::DropUncounted,
        Sabotage::ForgetMarkers,
        Sabotage::MarkTooFew,
        Sabotage::KeepBack,
    ];
}

impl fmt::Display for Sabotage {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{self:?}")
    }
}

impl FromStr for Sabotage {
    type Err = String;

    fn from_str(name: &str) -> Result<Sabotage, String> {
        let known = || Sabotage::ALL.map(|sabotage| sabotage.to_string()).join(", ");
        let found = Sabotage::ALL.into_iter().find(|sabotage| sabotage.to_string() == name);
        found.ok_or_else(|| format!("no sabotage `{name}`; there are {}", known()))
    }
}
