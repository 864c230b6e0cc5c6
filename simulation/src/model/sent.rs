//! Which events of the books a request holds, and whether they are to be sent in it.

use std::collections::BTreeMap;

use super::book::Book;
use super::ledger::Ledger;
use crate::chance::fingerprint;

/// What one event of a request is: an event of a book, or several: two that were joined because nobody saw the
/// end of the first, or lines that make one event.
#[derive(Clone, Copy, Debug)]
pub struct Found {
    pub book: usize,
    pub(super) first: usize,
    pub(super) count: usize,
}

impl Found {
    pub fn items(self) -> impl Iterator<Item = usize> {
        self.first..self.first + self.count
    }
}

impl Ledger {
    /// The machine sends these events. Says which they are.
    pub fn send<'a>(
        &mut self,
        request: u64,
        destination: usize,
        events: impl Iterator<Item = (u64, &'a str)>,
    ) -> Result<Vec<Found>, String> {
        let mut all = Vec::new();
        for (time, text) in events {
            let found = self.find(destination, time, text)?;
            for item in found.items() {
                self.books[found.book].items[item].request = Some(request);
            }
            all.push(found);
        }
        self.check_order(&all)?;
        Ok(all)
    }

    fn find(&self, destination: usize, time: u64, text: &str) -> Result<Found, String> {
        let lines = Lines::of(text, self.rules.multiline);
        let known = self.by_text.get(&(destination, fingerprint(lines.first.as_bytes())));
        let mut problem = format!("sends what nobody wrote: {}", shown(text));
        let mut excused = None;
        for found in known.into_iter().flatten() {
            let Some(found) = lines.found(&self.books[found.book], *found) else { continue };
            let book = &self.books[found.book];
            if let Some(why) = self.torn(book, found) {
                problem = format!("sends an event {why}: {}", shown(text));
                continue;
            }
            let first = &book.items[found.first];
            if let Some(right) = first.time.filter(|right| *right != time) {
                problem = format!("sends an event with time {time} rather than {right}: {}", shown(text));
                continue;
            }
            match found.items().find_map(|item| self.again(book, item)) {
                None => return Ok(found),
                Some(_) if book.lax => excused = excused.or(Some(found)),
                Some(why) => problem = format!("sends an event again {why}: {}", shown(text)),
            }
        }
        excused.ok_or(problem)
    }

    /// Why an event is not to be sent, if it is not.
    fn again(&self, book: &Book, at: usize) -> Option<&'static str> {
        let item = &book.items[at];
        if item.request.is_some() {
            Some("while it is under way")
        } else if at < book.stored {
            Some("although an earlier life acknowledged it")
        } else if item.settled == self.life {
            Some("although it knows what became of it")
        } else if book.lax && item.fate.is_some() {
            Some("although it has a fate")
        } else {
            None
        }
    }

    /// Why an event begins where none does, if that is so.
    fn torn(&self, book: &Book, found: Found) -> Option<&'static str> {
        if !self.rules.multiline {
            return None;
        }
        let (silence, before) = (self.rules.silence?, found.first.checked_sub(1)?);
        let item = &book.items[found.first];
        if item.begins_event || !item.begins_line || book.firsts.contains(&found.first) {
            return None;
        }
        let begin = (0..=before).rev().find(|at| book.items[*at].begins_event).unwrap_or(0);
        let since = |at: usize| item.written.saturating_sub(book.items[at].written);
        (since(before) < silence && since(begin) < 2 * silence).then_some("without its beginning")
    }

    fn check_order(&self, events: &[Found]) -> Result<(), String> {
        let mut last: BTreeMap<usize, usize> = BTreeMap::new();
        for event in events.iter().filter(|event| !self.books[event.book].lax) {
            let latest = last.entry(event.book).or_insert(event.first);
            if self.rules.ordered && event.first < *latest {
                let (at, name) = (event.first, self.name(event.book));
                return Err(format!("sends event {at} of {name} behind event {latest}"));
            }
            *latest = event.first.max(*latest);
        }
        for (at, last) in last.into_iter().filter(|_| self.rules.gapless) {
            let book = &self.books[at];
            let is_accounted =
                |at: &usize| book.is_settled(*at, self.life) || book.items[*at].request.is_some();
            if let Some(left_out) = (book.floor..last).find(|at| !is_accounted(at)) {
                let name = self.name(at);
                return Err(format!(
                    "sends event {last} of {name} before event {left_out}, which is nowhere"
                ));
            }
        }
        Ok(())
    }
}

/// The lines of an event.
struct Lines<'a> {
    first: &'a str,
    rest: Vec<&'a str>,
}

impl Lines<'_> {
    fn of(text: &str, multiline: bool) -> Lines<'_> {
        if !multiline || !text.contains('\n') {
            return Lines { first: text, rest: Vec::new() };
        }
        let mut lines = text.split('\n');
        // Alone, an empty line would be a space.
        let first = lines.next().filter(|line| !line.is_empty()).unwrap_or(" ");
        Lines { first, rest: lines.collect() }
    }

    /// The events that these lines are, if the first of them is this one, and no other begins an event.
    fn found(&self, book: &Book, first: Found) -> Option<Found> {
        let mut found = first;
        for line in &self.rest {
            let text = fingerprint(line.as_bytes());
            let next = found.first + found.count;
            let item = book.items.get(next).filter(|item| !item.begins_event)?;
            let behind = book.items.get(next + 1).filter(|behind| behind.with_before == Some(text));
            found.count += match behind {
                _ if item.text == text && item.begins_line => 1,
                Some(_) => 2,
                None => return None,
            };
        }
        Some(found)
    }
}

/// A text as far as people want to see it.
fn shown(text: &str) -> String {
    let head: String = text.chars().take(60).collect();
    format!("{head:?} ({} bytes)", text.len())
}
