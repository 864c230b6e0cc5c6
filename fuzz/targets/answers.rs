//! Answers of every kind, from whatever stands where CloudWatch should: each has a verdict, and no verdict
//! takes more events for rejected than there were.

#![no_main]

use cloudspout::cloudwatch::Operation;
use cloudspout::delivery::{Answer, Response, Verdict};
use cloudspout::time::Timestamp;
use libfuzzer_sys::fuzz_target;

const OPERATIONS: [Operation; 4] = [
    Operation::PutLogEvents,
    Operation::CreateLogStream,
    Operation::CreateLogGroup,
    Operation::PutRetentionPolicy,
];
const STATUSES: [u16; 12] = [200, 200, 200, 204, 302, 400, 400, 403, 404, 413, 429, 500];

// A status, a number of events, then lines `NAME: VALUE` up to an empty one, then the body.
fuzz_target!(|input: &[u8]| {
    let Some(([status, events], rest)) = input.split_first_chunk::<2>() else { return };
    let end = rest.windows(2).position(|two| two == b"\n\n");
    let (head, body) = end.map_or((&[][..], rest), |end| (&rest[..end], &rest[end + 2..]));
    let head = String::from_utf8_lossy(head);
    let header = |name: &str| {
        let value = head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        value.map(str::to_owned)
    };
    let status = STATUSES[usize::from(*status) % STATUSES.len()];
    let response = Response { body: body.to_vec(), ..Response::of_head(status, header) };
    let answer = Answer::Response(response);
    for operation in OPERATIONS {
        let events = usize::from(*events);
        let verdict = Verdict::of(&answer, operation, events, Timestamp::from_millis(1_800_000_000_000));
        if let Verdict::Accept(rejected) = verdict {
            assert!(rejected.total() <= events, "{rejected:?} of {events}");
            assert!(status == 200 || operation != Operation::PutLogEvents || rejected.total() == 0);
        }
    }
});
