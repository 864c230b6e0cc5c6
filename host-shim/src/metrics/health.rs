//! Whether logs are delivered, and if not, what is wrong.

use std::time::{Duration, SystemTime};

use super::panel::{Look, State};

/// What is wrong with whoever this is. An event may wait for so long.
pub fn complaint(look: &Look, patience: Duration, now: SystemTime) -> Option<String> {
    let owner = &look.owner;
    match &look.state {
        State::Restarting { problem, next } => {
            let left = next.duration_since(now).unwrap_or_default().as_secs();
            return Some(format!("{owner}{problem}; it is begun again in {left} s"));
        }
        State::Ended(Some(problem)) => return Some(format!("{owner}{problem}")),
        State::Starting | State::Running | State::Ended(None) => {}
    }
    let waited = look.waited(now).filter(|waited| *waited > patience)?;
    let pending = look.status.as_ref().map_or(0, |status| status.events_pending);
    let why = look.problem.as_ref().map(|problem| format!("; {}", problem.text)).unwrap_or_default();
    Some(format!(
        "{owner}{pending} events are read and not in CloudWatch, the first of them for {} s{why}",
        waited.as_secs()
    ))
}

#[cfg(test)]
mod tests {
    use super::super::panel::{Owner, Panel, tests};
    use super::*;
    use crate::reports::{Reporter, Severity};
    use crate::streams::Hub;

    const PATIENCE: Duration = Duration::from_secs(300);

    fn panel() -> Panel {
        let panel = Panel::new(Owner::Tenant("acme".to_owned()));
        panel.run(Hub::default());
        panel
    }

    #[test]
    fn waiting_longer_than_patience_is_wrong() {
        let now = SystemTime::now();
        for (waits, healthy) in [(None, true), (Some(200), true), (Some(400), false)] {
            let panel = panel();
            panel.tell(Severity::Warning, "cannot be reached");
            let since = waits.map(|seconds| now - Duration::from_secs(seconds));
            panel.count(&tests::counts(1, 0), &tests::status(since));
            let complaint = complaint(&panel.look(), PATIENCE, now);
            assert_eq!(complaint.is_none(), healthy, "{complaint:?}");
            if let Some(complaint) = complaint {
                let words = "tenant \"acme\": 1 events are read and not in CloudWatch, the first of them for 400 s; \
                             cannot be reached";
                assert_eq!(complaint, words);
            }
        }
    }

    #[test]
    fn whoever_is_down_is_named_with_the_reason() {
        let now = SystemTime::now();
        let down = panel();
        down.restart("it broke down", Duration::from_secs(9));
        let text = complaint(&down.look(), PATIENCE, now).unwrap();
        assert!(text.starts_with("tenant \"acme\": it broke down; it is begun again in "), "{text}");
        down.run(Hub::default());
        assert_eq!(complaint(&down.look(), PATIENCE, now), None);
        down.end(Some("not permitted".to_owned()));
        assert_eq!(complaint(&down.look(), PATIENCE, now).as_deref(), Some("tenant \"acme\": not permitted"));
        down.end(None);
        assert_eq!(complaint(&down.look(), PATIENCE, now), None);
    }
}
