//! Drives the core over one log stream held in memory, with every request answered at once.

use cloudspout::batch::SourceId;
use cloudspout::delivery::{Answer, Response};
use cloudspout::lines::Framing;
use cloudspout::naming::Container;
use cloudspout::settings::{Options, Settings};
use cloudspout::shipper::{Counts, Digest, Opening, Output, Pause, Phase, Positions, Shipper};
use cloudspout::sigv4::Credentials;
use cloudspout::time::{Millis, Timestamp};

/// A log stream's bytes, and how they are framed; `None`: its lines are handed in one by one.
pub struct Input<'a> {
    pub bytes: &'a [u8],
    pub framing: Option<Framing>,
}

/// Takes the bytes from raw to signed requests.
///
/// # Errors
/// The core gave up.
pub fn drive(input: &Input, digest: Digest) -> Result<Counts, String> {
    let settings = Settings::of(&options()).map_err(|error| error.to_string())?;
    let mut shipper = Shipper::new(settings, digest);
    let mut now = START;
    let source = SourceId(1);
    let opening = Opening {
        framing: input.framing.unwrap_or(Framing::Lines),
        start: 0,
        taken: Positions::default(),
        lost: None,
        terminal: false,
        container: Container { name: "bench".to_owned(), ..Container::default() },
    };
    shipper.handle_opened(source, opening);
    let mut rest = input.bytes;
    if input.framing.is_some() {
        shipper.handle_readable(source);
        shipper.handle_phase(Phase::Finishing, now);
    }
    loop {
        if input.framing.is_none() && !rest.is_empty() {
            now = now + Millis(1);
            rest = hand_in(&mut shipper, source, rest, now);
        }
        match shipper.poll_output(now) {
            Output::Read { source, max } => {
                now = now + Millis(1);
                if rest.is_empty() {
                    shipper.handle_pause(source, Pause::Ended, now);
                    continue;
                }
                let (chunk, after) = rest.split_at(rest.len().min(max as usize));
                rest = after;
                shipper.handle_bytes(source, chunk, now);
            }
            Output::Send(request) => {
                let response = Response { status: 200, body: b"{}".to_vec(), ..Response::default() };
                shipper.handle_answer(request.id, &Answer::Response(response), now);
            }
            Output::FetchCredentials { .. } => {
                let credentials = Credentials::new("AKIDLOCAL".into(), "local-secret".into(), None, None);
                shipper.handle_credentials(Ok(credentials), now);
            }
            Output::Done(result) => {
                return result.map(|()| *shipper.counts()).map_err(|failure| format!("{failure:?}"));
            }
            Output::Wait(Some(until)) => now = until.max(now),
            Output::Wait(None) => return Err("the core waits for nothing".to_owned()),
            Output::Resume { .. }
            | Output::Acknowledge { .. }
            | Output::Refused { .. }
            | Output::Settle { .. }
            | Output::Release(_)
            | Output::Tell(..) => {}
            Output::Keep { .. } => return Err("the core keeps letters unasked".to_owned()),
        }
    }
}

/// Hands in some of the lines, and ends the source with the last of them; what is left.
fn hand_in<'a>(shipper: &mut Shipper, source: SourceId, bytes: &'a [u8], now: Timestamp) -> &'a [u8] {
    let mut rest = bytes;
    for _ in 0..LINES_AT_A_TIME {
        let Some(end) = rest.iter().position(|byte| *byte == b'\n') else { break };
        let (line, after) = rest.split_at(end);
        shipper.handle_line(source, line, now);
        rest = &after[1..];
    }
    if rest.is_empty() {
        shipper.handle_pause(source, Pause::Ended, now);
        shipper.handle_phase(Phase::Finishing, now);
    }
    rest
}

/// What `cloudspout pipe` chooses by default.
pub fn options() -> Options {
    Options {
        region: "eu-central-1".to_owned(),
        endpoint: Some("http://127.0.0.1:4586".to_owned()),
        group: "bench".to_owned(),
        stream: "bench".to_owned(),
        host_name: "bench".to_owned(),
        fail_fast: true,
        seed: 1,
        ..Options::default()
    }
}

/// As many requests as an Envoy may answer between two ticks.
const LINES_AT_A_TIME: usize = 1_000;
/// Any moment will do, as long as it is always the same.
const START: Timestamp = Timestamp::from_millis(1_790_000_000_000);
