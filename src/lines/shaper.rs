//! What becomes of lines on their way to events, where rules ask for it.

use std::sync::Arc;

use super::dater::{Dater, Dating};
use super::joiner::{Joiner, Joining};
use super::limit::Limit;
use super::rules::LineRules;
use super::wrap::Origin;
use super::wrapper::{Wrapper, Wrapping};
use super::{Side, Sink};
use crate::time::{Millis, Timestamp};

/// The lines of a log stream are given times, joined, and wrapped; each only where it was chosen.
#[derive(Debug)]
pub struct Shaper {
    dater: Option<Dater>,
    joiner: Option<Joiner>,
    wrapper: Option<Wrapper>,
    limit: Limit,
}

impl Shaper {
    /// `None` where lines are events as they are.
    pub fn new(rules: &Arc<LineRules>, origin: &Origin<'_>) -> Option<Shaper> {
        let wrapper = rules.wrap.as_ref().map(|wrap| wrap.wrapper(origin));
        let limit = wrapper.as_ref().map_or(Limit::Plain, Wrapper::limit);
        let joiner = Joiner::new(rules, limit);
        let dater = Dater::new(rules);
        let asked = wrapper.is_some() || joiner.is_some() || dater.is_some();
        asked.then_some(Shaper { dater, joiner, wrapper, limit })
    }

    /// How long lines may be.
    pub fn limit(&self) -> Limit {
        self.limit
    }

    /// Hands `lines` where to put them; what they become goes to `sink`.
    pub fn shape<S: Sink>(
        &mut self,
        now: Timestamp,
        sink: &mut S,
        lines: impl FnOnce(&mut Dating<'_, Joining<'_, Wrapping<'_, S>>>),
    ) {
        let mut wrapping = Wrapping::new(self.wrapper.as_mut(), sink);
        let mut joining = Joining::new(self.joiner.as_mut(), now, &mut wrapping);
        lines(&mut Dating::new(self.dater.as_mut(), &mut joining));
    }

    /// Passes on events that wait for more lines.
    pub fn finish(&mut self, sink: &mut impl Sink) {
        if let Some(joiner) = &mut self.joiner {
            joiner.finish(&mut Wrapping::new(self.wrapper.as_mut(), sink));
        }
    }

    /// The same, of those that have waited long enough.
    pub fn ripen(&mut self, now: Timestamp, patience: Millis, sink: &mut impl Sink) {
        if let Some(joiner) = &mut self.joiner {
            joiner.ripen(now, patience, &mut Wrapping::new(self.wrapper.as_mut(), sink));
        }
    }

    /// When an event will have waited long enough for its next line.
    pub fn due(&self, patience: Millis) -> Option<Timestamp> {
        self.joiner.as_ref()?.due(patience)
    }

    /// Whether an event of this side waits for more lines.
    pub fn holds(&self, side: Side) -> bool {
        self.joiner.as_ref().is_some_and(|joiner| joiner.holds(side))
    }

    /// Memory that such events take, in bytes.
    pub fn held(&self) -> usize {
        self.joiner.as_ref().map_or(0, Joiner::held)
    }

    /// The clock was stepped back.
    pub fn rewind(&mut self, nanos: u64) {
        if let Some(joiner) = &mut self.joiner {
            joiner.rewind(nanos);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::Heard;
    use super::super::wrap::Form;
    use super::super::{Decoder, Framing, Lane, LineOptions, Order, Position, Sides};
    use super::*;
    use crate::cloudwatch::limits::MAX_MESSAGE_BYTES;
    use serde_json::{Value, json};

    /// 2027-01-15T08:00:00Z.
    const NOTED: Timestamp = Timestamp::from_millis(1_800_000_000_000);

    fn read(options: &LineOptions, framing: Framing, log: &[u8], chunk: usize) -> Heard {
        let lane = |side| Lane::new(side, Order::ByOffset, false, Position::default());
        let lanes = Sides { stdout: lane(Side::Stdout), stderr: lane(Side::Stderr) };
        let mut decoder = Decoder::new(framing, 0, lanes);
        let labels = [("team".to_owned(), "we\"b".to_owned())];
        let env = ["STAGE=prod".to_owned(), "EMPTY=".to_owned()];
        let origin = Origin {
            id: "0123456789abcdef",
            name: "web",
            image: "nginx:1",
            labels: &labels,
            env: &env,
            ..Origin::default()
        };
        decoder.follow(&Arc::new(LineRules::of(options).unwrap()), &origin);
        let mut heard = Heard::default();
        for bytes in log.chunks(chunk) {
            decoder.read(bytes, NOTED, &mut heard);
        }
        decoder.finish(NOTED, &mut heard);
        heard
    }

    fn entry(side: &str, text: &str) -> String {
        format!("{{\"log\":\"{text}\\n\",\"stream\":\"{side}\",\"time\":\"2027-01-15T08:00:00Z\"}}\n")
    }

    fn values(heard: &Heard) -> Vec<Value> {
        heard.events.iter().map(|(_, _, text)| serde_json::from_str(text).unwrap()).collect()
    }

    fn wrapping(form: Form, fields: &[&str]) -> LineOptions {
        let fields = fields.iter().map(|field| (*field).to_owned()).collect();
        LineOptions { wrap: form, wrap_fields: fields, ..LineOptions::default() }
    }

    #[test]
    fn an_event_is_wrapped_with_fields_of_its_container() {
        let log = [entry("stdout", r#"a \"b\" \u003c\u00e9\\n"#), entry("stderr", ""), entry("stdout", "{}")]
            .concat();
        for chunk in [1, 50, 1_000] {
            let heard = read(&wrapping(Form::Json, &[]), Framing::JsonFile, log.as_bytes(), chunk);
            let of = |side: &str, message: &str| json!({"message": message, "stream": side, "name": "web", "id": "0123456789ab", "image": "nginx:1"});
            assert_eq!(values(&heard), [of("stdout", "a \"b\" <é\\n"), of("stderr", ""), of("stdout", "{}")]);
        }
        let fields = ["labels.team", "labels.none", "env.STAGE", "env.EMPTY", "full-id", "daemon"];
        let heard = read(&wrapping(Form::Json, &fields), Framing::Lines, b"x\n", 10);
        assert_eq!(
            values(&heard),
            [json!({
                "message": "x", "labels": {"team": "we\"b"}, "env": {"STAGE": "prod"}, "full-id": "0123456789abcdef"
            })]
        );
    }

    #[test]
    fn an_object_may_stand_in_the_wrapping_as_one() {
        let log = b"{\"a\":\"\\n\\u00e9\",\"b\":[1.50]}\n{\"a\":\n{} {}\n[1]\n{}\n";
        let heard = read(&wrapping(Form::Nested, &["stream"]), Framing::Lines, log, 7);
        let of = |message: Value| json!({"message": message, "stream": "stdout"});
        assert_eq!(
            values(&heard),
            [
                of(json!({"a": "\né", "b": [1.5]})),
                of(json!("{\"a\":")),
                of(json!("{} {}")),
                of(json!("[1]")),
                of(json!({}))
            ]
        );
        // As it was written.
        assert!(heard.events[0].2.contains(r#"{"a":"\n\u00e9","b":[1.50]}"#), "{}", heard.events[0].2);
    }

    #[test]
    fn what_is_wrapped_fits_an_event_and_each_part_is_json() {
        for line in ["\"".repeat(MAX_MESSAGE_BYTES), "x".repeat(MAX_MESSAGE_BYTES), "€\u{1}".repeat(400_000)]
        {
            let log = format!("{line}\nnext\n");
            let heard = read(&wrapping(Form::Nested, &["name"]), Framing::Lines, log.as_bytes(), 100_000);
            let values = values(&heard);
            let (last, parts) = values.split_last().unwrap();
            assert_eq!(last, &json!({"message": "next", "name": "web"}));
            let joined: String = parts.iter().map(|part| part["message"].as_str().unwrap()).collect();
            assert_eq!(joined, line);
            assert!(parts.len() > 1 && parts.iter().all(|part| part["name"] == "web"));
            let lengths: Vec<_> = heard.events.iter().map(|(_, _, text)| text.len()).collect();
            assert!(lengths.iter().all(|length| *length <= MAX_MESSAGE_BYTES), "{lengths:?}");
            assert!(lengths[0] > MAX_MESSAGE_BYTES - 100, "{lengths:?}");
        }
        // Lines that fit by themselves and not together.
        let options = LineOptions { multiline_pattern: Some("^A".into()), ..wrapping(Form::Json, &["name"]) };
        let line = "\"".repeat(400_000);
        let heard = read(&options, Framing::Lines, format!("A\n{line}\n{line}\n").as_bytes(), 100_000);
        let messages: Vec<_> =
            values(&heard).iter().map(|event| event["message"].as_str().unwrap().to_owned()).collect();
        assert_eq!(messages, [format!("A\n{line}"), line]);
    }

    /// Milliseconds before the lines were noted.
    fn earlier(heard: &Heard) -> Vec<u64> {
        heard.events.iter().map(|(_, nanos, _)| NOTED.millis() - nanos / 1_000_000).collect()
    }

    #[test]
    fn lines_have_the_time_that_they_say() {
        let options = LineOptions { time_format: Some("%H:%M:%S%L".into()), ..LineOptions::default() };
        let log = b"07:59:59.250 one\nnone\n\xFF 08:00:00.000\n07:59:59.125\n";
        let heard = read(&options, Framing::Lines, log, 10);
        assert_eq!(earlier(&heard), [750, 0, 0, 875]);
        // The inside of a JSON string says what it says once it is read.
        let log = [entry("stdout", r"\u003007:59:59.250")].concat();
        assert_eq!(earlier(&read(&options, Framing::JsonFile, log.as_bytes(), 100)), [750]);
        // All parts of a long line are of one time.
        let long = format!("07:59:59.250 {}", "x".repeat(2 * MAX_MESSAGE_BYTES));
        assert_eq!(earlier(&read(&options, Framing::Lines, long.as_bytes(), 100_000)), [750; 3]);
    }

    #[test]
    fn an_event_of_several_lines_has_the_time_that_its_first_line_says() {
        let options = LineOptions {
            multiline_pattern: Some("^A".into()),
            time_format: Some("%H:%M:%S".into()),
            ..LineOptions::default()
        };
        let log = b"A 07:59:58\n 07:59:59\nA\n 07:59:59\n";
        assert_eq!(earlier(&read(&options, Framing::Lines, log, 10)), [2_000, 0]);
        let line = "x".repeat(MAX_MESSAGE_BYTES / 2);
        let log = format!("A 07:59:58\n{line}\n{line}\n");
        assert_eq!(earlier(&read(&options, Framing::Lines, log.as_bytes(), 100_000)), [2_000; 2]);
    }
}
