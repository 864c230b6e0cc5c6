//! How the lines of a container become events: as the operator says, or as it may say itself.

use std::sync::Arc;

use super::{Severity, Shipper};
use crate::lines::LineRules;
use crate::naming::{Beginnings, Container, Terms};

/// Where events begin, as a container says it: the pattern, and the format.
pub(super) type Beginning = (Option<String>, Option<String>);

impl Shipper {
    /// The rules that hold for a container. What it says itself and cannot be used is passed over, and said.
    pub(super) fn rules_of(&mut self, container: &Container) -> Arc<LineRules> {
        let Beginnings { pattern, format } = self.settings.names.beginnings(container);
        let Some((origin, _)) = pattern.or(format) else { return Arc::clone(&self.settings.lines) };
        let (pattern, format) = (pattern.map(|(_, text)| text), format.map(|(_, text)| text));
        let beginning = (pattern.map(str::to_owned), format.map(str::to_owned));
        // A thousand containers of one service need the rules once.
        if let Some(rules) = self.own_rules.get(&beginning) {
            return Arc::clone(rules);
        }
        match self.settings.lines.beginning(pattern, format) {
            Ok(rules) => {
                let rules = Arc::new(rules);
                self.own_rules.retain(|_, rules| Arc::strong_count(rules) > 1);
                self.own_rules.insert(beginning, Arc::clone(&rules));
                rules
            }
            Err(error) => {
                let called = container.called();
                let text = format!("{called}: {origin} does not say where its events begin: {error}");
                self.tell(Severity::Warning, text);
                Arc::clone(&self.settings.lines)
            }
        }
    }

    /// What a container chose, as far as it goes with how its lines become events: those that the service is to look
    /// into are a line each, as it was written.
    pub(super) fn fitting(&mut self, terms: Terms, rules: &LineRules, container: &Container) -> Terms {
        if terms.format.is_none() || (rules.start.is_none() && rules.wrap.is_none()) {
            return terms;
        }
        let text = format!(
            "{}: its awslogs.format is passed over: its events are not lines as they were written",
            container.called()
        );
        self.tell(Severity::Warning, text);
        Terms { format: None, ..terms }
    }
}
